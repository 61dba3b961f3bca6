"""zoo: Keras image models by name, which take raw RGB pixels.

The public API. Each name is imported when it is first used, so that ``import zoo`` is fast.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from zoo._version import __version__

if TYPE_CHECKING:
    from zoo import visualize
    from zoo.catalog.labels import Prediction
    from zoo.catalog.registry import list_models, register_model
    from zoo.core.errors import ImageError, UnavailableError, UsageError, WeightsError, ZooError
    from zoo.core.spec import ModelSpec, Preprocessing, Resize, Stage
    from zoo.evaluation.compare import Comparison, compare
    from zoo.evaluation.evaluate import evaluate
    from zoo.evaluation.result import Evaluation
    from zoo.inference.classify import Classifier, Result
    from zoo.inference.feature_file import write_features
    from zoo.inference.features import Extractor, Features, extract_features
    from zoo.models import create_model
    from zoo.search.near_duplicates import Duplicates, find_duplicates
    from zoo.search.searcher import Searcher
    from zoo.training.finetuning.finetune import finetune
    from zoo.training.scratch.train import train

_WHERE = {
    "Classifier": "zoo.inference.classify",
    "Comparison": "zoo.evaluation.compare",
    "Duplicates": "zoo.search.near_duplicates",
    "Evaluation": "zoo.evaluation.result",
    "Extractor": "zoo.inference.features",
    "Features": "zoo.inference.features",
    "ImageError": "zoo.core.errors",
    "ModelSpec": "zoo.core.spec",
    "Prediction": "zoo.catalog.labels",
    "Preprocessing": "zoo.core.spec",
    "Resize": "zoo.core.spec",
    "Result": "zoo.inference.classify",
    "Searcher": "zoo.search.searcher",
    "Stage": "zoo.core.spec",
    "UnavailableError": "zoo.core.errors",
    "UsageError": "zoo.core.errors",
    "WeightsError": "zoo.core.errors",
    "ZooError": "zoo.core.errors",
    "compare": "zoo.evaluation.compare",
    "create_model": "zoo.models",
    "evaluate": "zoo.evaluation.evaluate",
    "extract_features": "zoo.inference.features",
    "find_duplicates": "zoo.search.near_duplicates",
    "finetune": "zoo.training.finetuning.finetune",
    "list_models": "zoo.catalog.registry",
    "register_model": "zoo.catalog.registry",
    "train": "zoo.training.scratch.train",
    "write_features": "zoo.inference.feature_file",
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
