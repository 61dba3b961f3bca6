"""zoo: image networks by name, that take plain pictures.

Everything here is imported when it is first used, so that ``import zoo`` costs nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from zoo import visualize
    from zoo.classify import Classifier, Result
    from zoo.comparison import Comparison, compare
    from zoo.duplicates import Duplicates, find_duplicates
    from zoo.errors import ImageError, UnavailableError, UsageError, WeightsError, ZooError
    from zoo.evaluating import evaluate
    from zoo.evaluation import Evaluation
    from zoo.extraction import write_features
    from zoo.features import Extractor, Features, extract_features
    from zoo.finetuning.finetune import finetune
    from zoo.labels import Prediction
    from zoo.models import create_model
    from zoo.registry import list_models, register_model
    from zoo.searching import Searcher
    from zoo.spec import ModelSpec, Preprocessing, Resize, Stage
    from zoo.training.train import train

_WHERE = {
    "Classifier": "zoo.classify",
    "Comparison": "zoo.comparison",
    "Duplicates": "zoo.duplicates",
    "Evaluation": "zoo.evaluation",
    "Extractor": "zoo.features",
    "Features": "zoo.features",
    "ImageError": "zoo.errors",
    "ModelSpec": "zoo.spec",
    "Prediction": "zoo.labels",
    "Preprocessing": "zoo.spec",
    "Resize": "zoo.spec",
    "Result": "zoo.classify",
    "Searcher": "zoo.searching",
    "Stage": "zoo.spec",
    "UnavailableError": "zoo.errors",
    "UsageError": "zoo.errors",
    "WeightsError": "zoo.errors",
    "ZooError": "zoo.errors",
    "compare": "zoo.comparison",
    "create_model": "zoo.models",
    "evaluate": "zoo.evaluating",
    "extract_features": "zoo.features",
    "find_duplicates": "zoo.duplicates",
    "finetune": "zoo.finetuning.finetune",
    "list_models": "zoo.registry",
    "register_model": "zoo.registry",
    "train": "zoo.training.train",
    "write_features": "zoo.extraction",
}

__all__ = [
    "Classifier",
    "Comparison",
    "Duplicates",
    "Evaluation",
    "Extractor",
    "Features",
    "ImageError",
    "ModelSpec",
    "Prediction",
    "Preprocessing",
    "Resize",
    "Result",
    "Searcher",
    "Stage",
    "UnavailableError",
    "UsageError",
    "WeightsError",
    "ZooError",
    "__version__",
    "compare",
    "create_model",
    "evaluate",
    "extract_features",
    "find_duplicates",
    "finetune",
    "list_models",
    "register_model",
    "train",
    "visualize",
    "write_features",
]

#: Packages of this one that are reached by their name alone.
_ROOMS = ("visualize",)


def __getattr__(name: str) -> Any:
    if name in _ROOMS:
        return importlib.import_module(f"zoo.{name}")
    if name not in _WHERE:
        raise AttributeError(f"module 'zoo' has no attribute '{name}'")
    value = getattr(importlib.import_module(_WHERE[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_WHERE, *_ROOMS})
