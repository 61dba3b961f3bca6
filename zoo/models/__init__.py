"""Networks by name, which take raw RGB pixels.

- ``create.py`` builds a network by name, ``loading.py`` loads weights, which ``matching.py`` compares with it.
- One file a family builds what Keras does not have: ``alexnet.py``, ``resnet.py``, …; ``from_yaml.py`` builds networks
  described in YAML. They share ``inputs.py``, ``head.py`` and ``caffe_layers.py``.
- ``graph.py`` finds layers and cuts networks, ``macs.py`` counts multiply-accumulates.
- ``import_weights.py`` takes a weight file into the cache.

The graph is flat: preprocessing and layers are one functional model, so that ``get_layer``, cutting at a layer and
gradients need not know of any nesting.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from zoo.models.create import create_model
    from zoo.models.graph import cut_at, find_layer, penultimate_layer, split_points
    from zoo.models.loading import load_weights

__all__ = ["create_model", "cut_at", "find_layer", "load_weights", "penultimate_layer", "split_points"]

_MODULES = {"create_model": "create", "load_weights": "loading"}


def __getattr__(name: str) -> Any:
    """Import a function when it is first used, and Keras with it: the caller may choose Keras's backend before."""
    if name not in __all__:
        raise AttributeError(f"module 'zoo.models' has no attribute '{name}'")
    return getattr(importlib.import_module(f"zoo.models.{_MODULES.get(name, 'graph')}"), name)
