"""Explain many images by several methods: a stream of records, one per image, in bounded memory."""

from __future__ import annotations

import inspect
import itertools
import logging
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from zoo.catalog.labels import Prediction
from zoo.core.errors import ImageError, UnavailableError, UsageError
from zoo.images import inputs
from zoo.images.inputs import Inputs
from zoo.images.source import Source
from zoo.visualize.explain import methods
from zoo.visualize.explain.base import Explanation, Method
from zoo.visualize.explain.faithfulness import measure
from zoo.visualize.network.batching import BATCH_SIZE
from zoo.visualize.network.display import Image, load_for_display, rereadable
from zoo.visualize.network.inspected_model import InspectedModel

if TYPE_CHECKING:
    import keras

log = logging.getLogger(__name__)

#: Stands for every method that suits the model.
ALL = "all"
#: Most probable classes in :attr:`Explained.predictions`.
PREDICTIONS = 5

#: Classes, by name, WordNet id or index.
Target = str | int | Sequence[str | int]


@dataclass(frozen=True, eq=False)
class Explained:
    """The explanations of one image, or why there are none."""

    #: As it was given, or as it was found in a folder.
    path: str
    #: The model's input: uint8 (height, width, channels), or an array as it was given; ``None`` if it is unreadable.
    pixels: np.ndarray | None
    #: For each class, in order, one explanation by each method, in order.
    explanations: tuple[Explanation, ...] = ()
    #: Why it could not be read.
    error: str | None = None
    #: The most probable classes, whichever are explained.
    predictions: tuple[Prediction, ...] = ()


def explain(
    model: str | InspectedModel | keras.Model | None,
    images: Inputs,
    *,
    method: str | Sequence[str] = "gradcam",
    target: Target | None = None,
    top: int = 1,
    layer: str | None = None,
    faithfulness: bool = True,
    recursive: bool = False,
    device: str = "auto",
    offline: bool | None = None,
    **settings: Any,
) -> Iterator[Explained]:
    """Map the evidence for classes in images, lazily, in bounded memory.

    >>> for record in explain("mobilenetv2", "photos/", method=["gradcam", "saliency"]):
    ...     for found in record.explanations:
    ...         print(record.path, found.method, found.label, found.faithfulness)

    Args:
        model: a name, ``NAME:TAG``, a ``.keras`` file, an :class:`InspectedModel` or a Keras model; the default model
            if ``None``. A Keras model takes arrays of its own input shape, as they are.
        images: files, folders, globs, URLs, sources, or arrays, one or several. An array of the model's own input
            shape is used as it is; other uint8 arrays are resized like files.
        method: of :data:`zoo.visualize.explain.methods.METHODS`, one or several, or ``"all"``, which leaves out those
            that do not suit the model, with a warning.
        target: the classes; the ``top`` most probable ones of each image if omitted.
        top: how many classes.
        layer: for the methods that use one; the last feature map if omitted.
        faithfulness: whether to score each map by deletion and insertion, which runs the model 42 times.
        recursive: search folders recursively.
        device: ``"auto"``, ``"cpu"``, ``"gpu"`` or ``"gpu:N"``, for a name or file.
        offline: never download; ``$ZOO_OFFLINE`` if omitted.
        **settings: of the methods, such as ``samples`` of smoothgrad; each is passed to those that have it.

    Yields:
        A record for each image, in order.

    Raises:
        UsageError: at once: an unknown model, method, class, layer or setting, or a method that does not suit the
            model.
        UnavailableError: weights or device are unavailable, or the model has no gradients.
    """
    if top < 1:
        raise UsageError(f"--top is at least 1. Received: {top}")
    net = InspectedModel.open(model, device=device, offline=offline)
    chosen = choose(net, method, layer=layer, **settings)
    named = target
    # NumPy's numbers are neither int nor sequences.
    if named is not None and (isinstance(named, str) or not isinstance(named, Iterable)):
        named = [named]
    targets = None if named is None else [net.target(one) for one in named]
    sources = inputs.stream(images, recursive=recursive, offline=offline)
    return _Run(net, chosen, targets, top, faithfulness, skip_failing=method == ALL).records(sources)


def explain_for_display(
    net: InspectedModel, sources: Iterable[Source], **settings: Any
) -> Iterator[tuple[Explained, Source, Image | None]]:
    """Explain images, and load each again for people to look at; ``settings`` as for :func:`explain`.

    Yields:
        The record, its source, and the image; ``None`` if it is unreadable.
    """
    pending: deque[Source] = deque()

    def remembered() -> Iterator[Source]:
        for source in sources:
            pending.append(rereadable(source))
            yield pending[-1]

    for record in explain(net, remembered(), **settings):
        source = pending.popleft()
        yield record, source, None if record.pixels is None else load_for_display(net, source, record.pixels)


def choose(
    net: InspectedModel, method: str | Sequence[str], *, layer: str | None = None, **settings: Any
) -> list[Method]:
    """Prepare methods for a model; arguments and errors as for :func:`explain`."""
    if method == ALL:
        rows = [row for row in methods.METHODS.values() if _suits(row, net)]
    else:
        rows = [methods.find(name) for name in ([method] if isinstance(method, str) else method)]
    kinds: list[type[Method]] = [row.load() for row in rows]
    known = [settings_of(kind).keys() - {"layer"} for kind in kinds]
    for name in settings:
        if not any(name in names for names in known):
            there = ", ".join(sorted(set().union(*known)))
            raise UsageError(
                f"{', '.join(kind.title for kind in kinds)} has no setting '{name}'; "
                f"{f'there is {there}' if there else 'there are none'}."
            )
    layered = any(kind.has_layer for kind in kinds)
    return [
        kind(
            net,
            layer=layer if kind.has_layer or not layered else None,
            **{name: value for name, value in settings.items() if name in names},
        )
        for kind, names in zip(kinds, known, strict=True)
    ]


def settings_of(kind: type[Method]) -> Mapping[str, inspect.Parameter]:
    """The settings that a method takes, ``layer`` among them only if it uses one."""
    found = dict(inspect.signature(kind).parameters)
    del found["net"]
    if not kind.has_layer:
        del found["layer"]
    return found


def _suits(row: methods.MethodRow, net: InspectedModel) -> bool:
    """Whether a method suits a model; the log says why not."""
    try:
        row.load()(net)
    except UsageError as error:
        log.warning("%s is left out: %s", row.name, error)
        return False
    return True


@dataclass
class _Run:
    """The settings of a run over many images."""

    net: InspectedModel
    methods: list[Method]
    #: ``None`` for the ``top`` most probable classes of each image.
    targets: list[int] | None
    top: int
    faithfulness: bool
    #: Whether a method that turns out to need missing gradients is left out.
    skip_failing: bool

    def records(self, sources: Iterator[Source]) -> Iterator[Explained]:
        """The records of all images, computed in batches."""
        size = max(1, BATCH_SIZE // (self.top if self.targets is None else len(self.targets)))
        with ThreadPoolExecutor(thread_name_prefix="decode") as pool:
            while group := list(itertools.islice(sources, size)):
                read = list(pool.map(partial(_read, self.net), group))
                good = [image for image in read if not isinstance(image, ImageError)]
                found = iter(self._batch(np.stack(good)) if good else ())
                for source, image in zip(group, read, strict=True):
                    if isinstance(image, ImageError):
                        yield Explained(source.path, None, error=str(image))
                    else:
                        explanations, predictions = next(found)
                        yield Explained(source.path, image, explanations, predictions=predictions)

    def _batch(self, pixels: np.ndarray) -> Iterator[tuple[tuple[Explanation, ...], tuple[Prediction, ...]]]:
        """Explanations and predictions of each image."""
        probabilities = self.net.predict(pixels)
        ranked = np.argsort(-probabilities, axis=1, kind="stable")
        classes = ranked[:, : self.top]
        if self.targets is not None:
            classes = np.tile(np.array(self.targets, "int32"), (len(pixels), 1))
        count = classes.shape[1]
        repeated, wanted = np.repeat(pixels, count, axis=0), classes.ravel()
        scores = np.take_along_axis(probabilities, classes, axis=1).ravel()
        columns = [
            column for method in list(self.methods) if (column := self._column(method, repeated, wanted, scores))
        ]
        rows = list(zip(*columns, strict=True))
        for number, (order, values) in enumerate(zip(ranked, probabilities, strict=True)):
            explanations = itertools.chain.from_iterable(rows[number * count : (number + 1) * count])
            yield (
                tuple(explanations),
                tuple(
                    Prediction(self.net.label(int(index)), int(index), round(float(values[index]), 6))
                    for index in order[:PREDICTIONS]
                ),
            )

    def _column(self, method: Method, pixels: np.ndarray, targets: np.ndarray, scores: np.ndarray) -> list[Explanation]:
        """One method's explanations of all images; empty if the method is left out."""
        try:
            found = list(method.explain(pixels, targets, scores))
        except UnavailableError as error:
            if not self.skip_failing or len(self.methods) == 1:
                raise
            log.warning("%s is left out: %s", method.name, error)
            self.methods.remove(method)
            return []
        # A blank map has no order, so it has no score.
        shown = [number for number, one in enumerate(found) if self.faithfulness and one.blank is None]
        if shown:
            maps = np.stack([found[number].map for number in shown])
            for number, score in zip(shown, measure(self.net, pixels[shown], maps, targets[shown]), strict=True):
                found[number] = replace(found[number], faithfulness=score)
        return found


def _read(net: InspectedModel, source: Source) -> np.ndarray | ImageError:
    try:
        return net.read(source)
    except ImageError as error:
        return error
