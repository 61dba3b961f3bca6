"""The network that runs if none is named, and networks with their weights by name."""

from __future__ import annotations

import logging
import math
from collections.abc import Sequence
from dataclasses import dataclass

from zoo.catalog import registry
from zoo.core.errors import UsageError, WeightsError
from zoo.core.spec import ModelSpec
from zoo.pretrained import keras_file
from zoo.pretrained import weights as pretrained

log = logging.getLogger(__name__)

#: The network that ships with zoo; it needs neither a cache nor a connection.
SHIPPED = "cifar10-resnet9"


@dataclass(frozen=True, slots=True)
class Choice:
    """A network, its weights and why it was chosen. ``weights`` is ``None`` for a network in a file."""

    spec: ModelSpec
    tag: str | None
    weights: pretrained.LocalWeights | None
    reason: str


def score(spec: ModelSpec) -> float | None:
    """A compromise of size and accuracy: top-1, minus two points a doubling of size and one a doubling of work.

    Size is in megabytes of float32, work in billions of multiply-accumulates. ``None`` without a published ImageNet
    accuracy.
    """
    weights = spec.weights.get("imagenet")
    if weights is None or weights.top is None or weights.top1 is None or not spec.params or not spec.gmacs:
        return None
    return weights.top1 - 2 * math.log2(spec.params * 4 / 1e6) - math.log2(spec.gmacs)


def ranking() -> list[ModelSpec]:
    """Networks with ImageNet weights, the highest score first."""
    scored = [(value, spec) for spec in registry.list_models() if (value := score(spec)) is not None]
    return [spec for _, spec in sorted(scored, key=lambda pair: -pair[0])]


def named(
    name: str,
    *,
    include_top: bool = True,
    offline: bool | None = None,
    progress: pretrained.Progress | None = None,
) -> Choice:
    """The network called ``NAME``, ``NAME:TAG`` or a ``.keras`` file, with its weights, downloaded if necessary.

    Args:
        name: as typed.
        include_top: whether the weights must have the classifier; those without are a smaller file.
        offline: never use the network; ``$ZOO_OFFLINE`` decides if omitted.
        progress: as for :func:`zoo.pretrained.weights.fetch`.

    Raises:
        UsageError: unknown name or tag, or a file that is no network.
        WeightsError: its weights are unavailable.
    """
    if keras_file.is_file(name):
        return Choice(keras_file.read_spec(name), None, None, "asked for by file")
    spec, tag = registry.resolve(name)
    found = pretrained.fetch(spec, tag, include_top=include_top, offline=offline, progress=progress)
    return Choice(spec, tag or found.tag, found, "asked for by name")


def up_to(
    name: str | None,
    layers: Sequence[str],
    *,
    probabilities: bool = False,
    offline: bool | None = None,
    progress: pretrained.Progress | None = None,
) -> Choice:
    """As :func:`named` or :func:`default`, with weights without the classifier if nothing of it is wanted.

    Args:
        name: as typed; the default network if ``None``.
        layers: the layers and stages that are wanted; if empty, the end of the network without its classifier.
        probabilities: whether the class probabilities are wanted.
        offline: as for :func:`named`.
        progress: as for :func:`named`.

    Raises:
        UsageError: as for :func:`named`.
        UnavailableError: as for :func:`named` and :func:`default`.
    """
    if name is None:
        return default(offline=offline, progress=progress)
    if keras_file.is_file(name):
        return named(name)
    stages = {part for stage in registry.resolve(name)[0].stages for part in (stage.name, stage.layer)}
    include_top = probabilities or not stages.issuperset(layers)
    return named(name, include_top=include_top, offline=offline, progress=progress)


def default(
    *, offline: bool | None = None, progress: pretrained.Progress | None = None, shipped: bool = True
) -> Choice:
    """The cached network with the highest score, else the best one, downloaded, else, with a warning, the shipped one.

    Raises:
        WeightsError: neither of the first two is available, and ``shipped`` is false.
    """
    ranked = ranking()
    for spec in ranked:
        found = pretrained.find(spec, "imagenet")
        if found is not None and found.has_top:
            return Choice(spec, "imagenet", found, "the best compromise of size and accuracy in the cache")
    try:
        if not ranked:
            raise UsageError("The registry has no network with ImageNet weights.")
        found = pretrained.fetch(ranked[0], "imagenet", offline=offline, progress=progress)
        return Choice(ranked[0], "imagenet", found, "the best compromise of size and accuracy")
    except (WeightsError, UsageError) as error:
        if not shipped:
            raise WeightsError(
                "No ImageNet weights are available to begin with; 'zoo pull mobilenetv2' downloads some on a machine "
                "with a network, or name weights that are here with -m, such as cifar10-resnet9, which come with zoo."
            ) from error
        log.debug("%s", error)
        log.warning(
            "no ImageNet weights are available, so %s is used, which knows 10 classes (%s); 'zoo pull %s' downloads "
            "better weights",
            SHIPPED,
            "airplane, automobile, bird, cat, deer, dog, frog, horse, ship, truck",
            ranked[0].name if ranked else "mobilenetv2",
        )
        small = registry.get(SHIPPED)
        found = pretrained.fetch(small, offline=True)
        return Choice(small, found.tag, found, "no ImageNet weights are available")
