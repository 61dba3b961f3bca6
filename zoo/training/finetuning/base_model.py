"""What a fine-tuning begins with: a network by name with its weights, or one in a file."""

from __future__ import annotations

from zoo.catalog import default_model, registry
from zoo.core.errors import UsageError
from zoo.pretrained import keras_file
from zoo.pretrained import weights as pretrained
from zoo.training.finetuning.recipe import Head
from zoo.training.settings import Settings


def of(settings: Settings, head: Head, *, scratch: bool) -> default_model.Choice:
    """The network to begin with, and its weights, fetched if need be.

    Args:
        settings: of the training.
        head: what is put on top.
        scratch: whether it begins with random weights.

    Raises:
        UsageError: a file is to begin with other weights, variables, or from scratch; or the network does not classify.
        WeightsError: there are no weights for it here.
    """
    if keras_file.is_file(settings.model):
        if scratch or settings.weights or settings.variables:
            raise UsageError(
                f"{settings.model} has weights of its own, so it takes no other weights or variables, and 'scratch' "
                "begins with a name."
            )
        return default_model.Choice(keras_file.read_spec(settings.model), None, None, "asked for by file")
    spec = settings.spec()
    if spec.classes == 0:
        raise UsageError(f"{spec.name} draws its input again; a new head takes a network that classifies.")
    if scratch:
        return default_model.Choice(spec, None, None, "random weights")
    tag = settings.weights or registry.resolve(settings.model)[1]
    found = pretrained.fetch(spec, tag, include_top=head.pool == "own")
    return default_model.Choice(spec, found.tag, found, "asked for by name")
