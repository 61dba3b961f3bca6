"""What is known of a network as plain values: the rows of ``zoo list`` and ``zoo info``."""

from __future__ import annotations

from typing import Any

from zoo.catalog import declarative
from zoo.core.spec import ModelSpec, Weights
from zoo.pretrained import weights as pretrained


def row(spec: ModelSpec) -> dict[str, Any]:
    """The main figures: ``size_mb`` in 10^6 bytes, ``top1`` and ``top5`` in per cent, measured as ``protocol`` says."""
    weights = spec.weight_set()
    found = pretrained.find(spec) if weights else None
    return {
        "name": spec.name,
        "family": spec.family,
        "params": spec.params,
        "gmacs": spec.gmacs,
        "input_size": list(spec.input_size),
        "top1": weights.top1 if weights else None,
        "top5": weights.top5 if weights else None,
        "protocol": weights.protocol if weights else None,
        "size_mb": _size_mb(spec, weights),
        "licence": weights.licence if weights else None,
        "cached": found is not None,
    }


def details(spec: ModelSpec) -> dict[str, Any]:
    """The summary, and everything else that is known without building the network.

    Raises:
        UsageError: the file that describes it has become unreadable.
    """
    described = declarative.is_declarative(spec)
    return {
        **row(spec),
        "aliases": list(spec.aliases),
        "description": spec.description,
        "paper": spec.paper,
        "builder": spec.builder if isinstance(spec.builder, str) else spec.builder.__qualname__,
        "arguments": dict(spec.arguments),
        "file": spec.arguments["network"] if described else spec.file,
        "variables": declarative.defaults(spec) if described else {},
        "recipe": spec.recipe,
        "classes": spec.classes,
        "mirror": spec.mirror,
        "params_no_top": spec.params_no_top,
        "preprocessing": {"name": spec.preprocessing.name, "text": spec.preprocessing.describe()},
        "resize": {
            "policy": spec.resize.policy,
            "fraction": spec.resize.fraction,
            "interpolation": spec.resize.interpolation,
            "text": spec.resize.describe(),
        },
        "stages": [
            {"name": stage.name, "layer": stage.layer, "stride": stage.stride or None, "width": stage.width or None}
            for stage in spec.stages
        ],
        "weights": {tag: _weights(spec, weights) for tag, weights in spec.weights.items()},
    }


def _size_mb(spec: ModelSpec, weights: Weights | None) -> float | None:
    """Megabytes of the file with the classifier; if its size is not recorded, of the parameters as float32."""
    if weights and weights.top and weights.top.bytes:
        return round(weights.top.bytes / 1e6, 1)
    return round(spec.params * 4 / 1e6, 1) if spec.params else None


def _weights(spec: ModelSpec, weights: Weights) -> dict[str, Any]:
    found = pretrained.find(spec, weights.tag)
    return {
        "labels": weights.labels if isinstance(weights.labels, str) else list(weights.labels),
        "trained_on": weights.trained_on,
        "recipe": weights.recipe,
        "licence": weights.licence,
        "attribution": weights.attribution,
        "top1": weights.top1,
        "top5": weights.top5,
        "protocol": weights.protocol,
        "path": str(found.path) if found else None,
        "files": {
            part: {"file": file.file, "url": file.url, "md5": file.md5, "sha256": file.sha256, "bytes": file.bytes}
            for part, file in (("top", weights.top), ("no_top", weights.no_top))
            if file
        },
    }
