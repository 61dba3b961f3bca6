"""See what a network sees: explanations of its answers, its filters, and the images that it wants.

Everything here is imported when it is first used, as in :mod:`zoo`.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from zoo.visualize.activation_maps.feature_maps import activations
    from zoo.visualize.activation_maps.kernels import filters
    from zoo.visualize.architecture.architecture import graph
    from zoo.visualize.explain.arrays import (
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
    from zoo.visualize.explain.base import Explanation
    from zoo.visualize.explain.explain import Explained
    from zoo.visualize.explain.faithfulness import Faithfulness
    from zoo.visualize.network.subject import Subject
    from zoo.visualize.synthesis.dream import dream
    from zoo.visualize.synthesis.maximize import maximize
    from zoo.visualize.synthesis.style import style

_WHERE = {
    "Explained": "zoo.visualize.explain.explain",
    "Explanation": "zoo.visualize.explain.base",
    "Faithfulness": "zoo.visualize.explain.faithfulness",
    "Subject": "zoo.visualize.network.subject",
    "activations": "zoo.visualize.activation_maps.feature_maps",
    "dream": "zoo.visualize.synthesis.dream",
    "eigencam": "zoo.visualize.explain.arrays",
    "filters": "zoo.visualize.activation_maps.kernels",
    "gradcam": "zoo.visualize.explain.arrays",
    "gradcam_plus_plus": "zoo.visualize.explain.arrays",
    "graph": "zoo.visualize.architecture.architecture",
    "guided_backpropagation": "zoo.visualize.explain.arrays",
    "hirescam": "zoo.visualize.explain.arrays",
    "integrated_gradients": "zoo.visualize.explain.arrays",
    "layercam": "zoo.visualize.explain.arrays",
    "maximize": "zoo.visualize.synthesis.maximize",
    "occlusion": "zoo.visualize.explain.arrays",
    "saliency": "zoo.visualize.explain.arrays",
    "scorecam": "zoo.visualize.explain.arrays",
    "smoothgrad": "zoo.visualize.explain.arrays",
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
