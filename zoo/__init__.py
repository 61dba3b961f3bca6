"""zoo: image networks by name, that take plain pictures.

Everything here is imported when it is first used, so that ``import zoo`` costs nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from zoo.classify import Classifier, Prediction, Result
    from zoo.errors import ImageError, UnavailableError, UsageError, WeightsError, ZooError
    from zoo.models import create_model
    from zoo.registry import list_models, register_model
    from zoo.spec import ModelSpec, Preprocessing, Resize, Stage
    from zoo.training.train import train

_WHERE = {
    "Classifier": "zoo.classify",
    "ImageError": "zoo.errors",
    "ModelSpec": "zoo.spec",
    "Prediction": "zoo.classify",
    "Preprocessing": "zoo.spec",
    "Resize": "zoo.spec",
    "Result": "zoo.classify",
    "Stage": "zoo.spec",
    "UnavailableError": "zoo.errors",
    "UsageError": "zoo.errors",
    "WeightsError": "zoo.errors",
    "ZooError": "zoo.errors",
    "create_model": "zoo.models",
    "list_models": "zoo.registry",
    "register_model": "zoo.registry",
    "train": "zoo.training.train",
}

__all__ = [
    "Classifier",
    "ImageError",
    "ModelSpec",
    "Prediction",
    "Preprocessing",
    "Resize",
    "Result",
    "Stage",
    "UnavailableError",
    "UsageError",
    "WeightsError",
    "ZooError",
    "__version__",
    "create_model",
    "list_models",
    "register_model",
    "train",
]


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"module 'zoo' has no attribute '{name}'")
    value = getattr(importlib.import_module(_WHERE[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_WHERE})
