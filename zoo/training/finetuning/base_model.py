"""The network that fine-tuning starts from: by name with its weights, or in a file."""

from __future__ import annotations

from typing import Any

from zoo.catalog import default_model, registry
from zoo.core.errors import UsageError
from zoo.pretrained import digests, keras_file
from zoo.pretrained import weights as pretrained
from zoo.training.finetuning.recipe import Head
from zoo.training.settings import Settings


def choose(settings: Settings, head: Head, *, scratch: bool) -> default_model.Choice:
    """The network and its weights, downloaded if need be."""
    if keras_file.is_file(settings.model):
        if scratch or settings.weights or settings.variables:
            raise UsageError(
                f"{settings.model} has weights of its own, so it takes no other weights or variables, and the mode "
                "'scratch' takes a name."
            )
        return default_model.Choice(keras_file.read_spec(settings.model), None, None, "asked for by file")
    spec = settings.spec()
    if spec.classes == 0:
        raise UsageError(f"{spec.name} is an autoencoder; fine-tuning takes a network that classifies.")
    if scratch:
        return default_model.Choice(spec, None, None, "random weights")
    tag = settings.weights or registry.resolve(settings.model)[1]
    found = pretrained.fetch(spec, tag, include_top=head.pool == "own")
    return default_model.Choice(spec, found.tag, found, "asked for by name")


def metadata(base: default_model.Choice) -> dict[str, Any]:
    """The metadata of a fine-tuned network about its base model: its weights, their digest and licence."""
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
