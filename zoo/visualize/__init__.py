"""Inspect a model: explain its predictions, draw its kernels and activations, generate images, draw its architecture.

- ``network/``: the inspected model that all others use
- ``explain/``: maps of the evidence for a class, their faithfulness, the HTML report
- ``activation_maps/``: feature maps and kernels of layers
- ``synthesis/``: images that maximize an activation, DeepDream, style transfer
- ``architecture/``: the architecture as an SVG drawing

All names are imported on first use. One function for each explanation method, such as ``gradcam``, comes from the table
:data:`zoo.visualize.explain.methods.METHODS`.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from zoo.visualize.explain.methods import METHODS

if TYPE_CHECKING:
    from zoo.visualize.activation_maps.feature_maps import activations
    from zoo.visualize.activation_maps.kernels import filters
    from zoo.visualize.architecture.draw import graph
    from zoo.visualize.explain.base import Explanation
    from zoo.visualize.explain.explain import Explained
    from zoo.visualize.explain.faithfulness import Faithfulness
    from zoo.visualize.network.inspected_model import InspectedModel
    from zoo.visualize.synthesis.dream import dream
    from zoo.visualize.synthesis.maximize import maximize
    from zoo.visualize.synthesis.style import style

#: Where each public name is; ``Subject`` is the former name of :class:`InspectedModel`.
_WHERE = {
    "Explained": "explain.explain:Explained",
    "Explanation": "explain.base:Explanation",
    "Faithfulness": "explain.faithfulness:Faithfulness",
    "InspectedModel": "network.inspected_model:InspectedModel",
    "Subject": "network.inspected_model:InspectedModel",
    "activations": "activation_maps.feature_maps:activations",
    "dream": "synthesis.dream:dream",
    "filters": "activation_maps.kernels:filters",
    "graph": "architecture.draw:graph",
    "maximize": "synthesis.maximize:maximize",
    "style": "synthesis.style:style",
    **{row.function: f"explain.functions:{row.function}" for row in METHODS.values()},
}

__all__ = ["Explained", "Explanation", "Faithfulness", "InspectedModel", "activations", "dream", "filters", "graph"]
__all__ += ["Subject", "maximize", "style", *(row.function for row in METHODS.values())]  # noqa: PLE0604


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"module 'zoo.visualize' has no attribute '{name}'")
    module, _, attribute = _WHERE[name].partition(":")
    value = getattr(importlib.import_module(f"zoo.visualize.{module}"), attribute)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_WHERE})
