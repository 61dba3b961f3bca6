"""The metadata of a trained network: what ``model.keras`` says about its classes, its training and its origin."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from zoo._version import __version__
from zoo.catalog.default_model import Choice
from zoo.core.spec import ModelSpec
from zoo.pretrained import digests
from zoo.training.settings import Settings


def metadata(
    settings: Settings, spec: ModelSpec, classes: Sequence[str], split_sha256: str, metrics: Mapping[str, Any]
) -> dict[str, Any]:
    """The metadata of a network that was trained from scratch; see :mod:`zoo.pretrained.keras_file`."""
    return {
        "zoo_version": __version__,
        "network": spec.name,
        "variables": dict(settings.variables),
        "classes": list(classes) if spec.classes else [],
        "input_size": list(spec.input_size),
        "resize": {
            "policy": spec.resize.policy,
            "fraction": spec.resize.fraction,
            "interpolation": spec.resize.interpolation,
        },
        "preprocessing": spec.preprocessing.describe(),
        "trained_on": Path(settings.dataset).resolve().name,
        "initial_weights": settings.weights,
        # Weights trained from random numbers belong to whoever trained them, who may state a licence.
        "licence": None,
        "recipe": settings.recipe.name,
        "seed": settings.seed,
        "split_sha256": split_sha256,
        "metrics": dict(metrics),
    }


def base_model_metadata(base: Choice) -> dict[str, Any]:
    """Further metadata of a fine-tuned network: its base model, that model's weights, their digest and licence."""
    spec, found = base.spec, base.weights
    weights = spec.weights.get(base.tag) if base.tag else spec.weight_set()
    file = found.path if found is not None else spec.file
    return {
        "backbone": spec.name,
        "initial_weights": base.tag or spec.file,
        "weights_sha256": digests.digest(file) if file else None,
        # The licence of the weights covers what is derived from them.
        "licence": weights.licence if weights else None,
        "attribution": weights.attribution if weights else None,
    }
