"""See what a network sees: explanations of its answers, its filters, and the pictures that it wants.

Everything here is imported when it is first used, as in :mod:`zoo`.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from zoo.visualize.arrays import (
        eigencam,
        gradcam,
        gradcam_plus_plus,
        guided_backpropagation,
        hirescam,
        integrated_gradients,
        layercam,
        occlusion,
        saliency,
        scorecam,
        smoothgrad,
    )
    from zoo.visualize.base import Explanation
    from zoo.visualize.diagram.architecture import graph
    from zoo.visualize.explain import Explained
    from zoo.visualize.faithfulness import Faithfulness
    from zoo.visualize.feature_maps import activations
    from zoo.visualize.kernels import filters
    from zoo.visualize.subject import Subject
    from zoo.visualize.synthesis.dream import dream
    from zoo.visualize.synthesis.maximize import maximize
    from zoo.visualize.synthesis.style import style

_WHERE = {
    "Explained": "zoo.visualize.explain",
    "Explanation": "zoo.visualize.base",
    "Faithfulness": "zoo.visualize.faithfulness",
    "Subject": "zoo.visualize.subject",
    "activations": "zoo.visualize.feature_maps",
    "dream": "zoo.visualize.synthesis.dream",
    "eigencam": "zoo.visualize.arrays",
    "filters": "zoo.visualize.kernels",
    "gradcam": "zoo.visualize.arrays",
    "gradcam_plus_plus": "zoo.visualize.arrays",
    "graph": "zoo.visualize.diagram.architecture",
    "guided_backpropagation": "zoo.visualize.arrays",
    "hirescam": "zoo.visualize.arrays",
    "integrated_gradients": "zoo.visualize.arrays",
    "layercam": "zoo.visualize.arrays",
    "maximize": "zoo.visualize.synthesis.maximize",
    "occlusion": "zoo.visualize.arrays",
    "saliency": "zoo.visualize.arrays",
    "scorecam": "zoo.visualize.arrays",
    "smoothgrad": "zoo.visualize.arrays",
    "style": "zoo.visualize.synthesis.style",
}

__all__ = [
    "Explained",
    "Explanation",
    "Faithfulness",
    "Subject",
    "activations",
    "dream",
    "eigencam",
    "filters",
    "gradcam",
    "gradcam_plus_plus",
    "graph",
    "guided_backpropagation",
    "hirescam",
    "integrated_gradients",
    "layercam",
    "maximize",
    "occlusion",
    "saliency",
    "scorecam",
    "smoothgrad",
    "style",
]


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"module 'zoo.visualize' has no attribute '{name}'")
    value = getattr(importlib.import_module(_WHERE[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_WHERE})
