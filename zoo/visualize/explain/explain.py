"""Explanations of many images by several methods: a stream of records, one an image, in bounded memory."""

from __future__ import annotations

import inspect
import itertools
import logging
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from zoo.catalog.labels import Prediction
from zoo.core.errors import ImageError, UnavailableError, UsageError
from zoo.images import inputs
from zoo.images.inputs import Inputs
from zoo.images.sources import Source
from zoo.visualize.explain import methods
from zoo.visualize.explain.base import Explanation, Method
from zoo.visualize.explain.faithfulness import measure
from zoo.visualize.network.subject import BATCH_SIZE, Subject

if TYPE_CHECKING:
    import keras

log = logging.getLogger(__name__)

#: The word for every method that suits the network.
ALL = "all"
#: Classes that :attr:`Explained.predictions` has.
PREDICTIONS = 5

#: A class by its name, WordNet id or index, or several.
Target = str | int | Sequence[str | int]


@dataclass(frozen=True, eq=False)
class Explained:
    """What became of one image: its explanations, or the reason why there are none."""

    #: What the output calls the image: what was typed, or what was found below it.
    path: str
    #: The image as the network takes it: uint8 (height, width, channels); ``None`` where it could not be read. Arrays
    #: of another type stay what they are.
    pixels: np.ndarray | None
    #: For each class, the most probable or first named one first, one by each method, in the order they were named.
    explanations: tuple[Explanation, ...] = ()
    #: Why it could not be read.
    error: str | None = None
    #: The most probable classes, whatever is explained.
    predictions: tuple[Prediction, ...] = ()


def explain(
    model: str | Subject | keras.Model | None,
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
    """Say where a network sees a class in each of many images, lazily; memory does not grow with their number.

    >>> for record in explain("mobilenetv2", "photos/", method=["gradcam", "saliency"]):
    ...     for found in record.explanations:
    ...         print(record.path, found.method, found.label, found.faithfulness)

    Args:
        model: a name, ``NAME:TAG``, a ``.keras`` file, a network that was opened, or a Keras network in memory; the
            default network without. A Keras network takes arrays of its own shape, as they are.
        images: files, folders, globs, addresses, sources, or arrays, one or several. An array of the network's own
            shape is taken as it is; other uint8 arrays are resized like files.
        method: a method of :data:`zoo.visualize.explain.methods.METHODS`, several, or ``"all"``, which leaves out those that
            do not suit the network, and says so in the log.
        target: the class or classes to explain; the ``top`` most probable ones of each image without.
        top: how many classes.
        layer: whose map is looked at, by the methods that have one; the last one without.
        faithfulness: whether each map is scored by deletion and insertion, for which the network runs 42 times.
        recursive: look into folders within folders.
        device: ``"auto"``, ``"cpu"``, ``"gpu"`` or ``"gpu:N"``; where a name or a file is given.
        offline: never use the network; ``$ZOO_OFFLINE`` decides without.
        **settings: what the methods take besides, e.g. ``samples`` of smoothgrad; each goes to those that know it.

    Yields:
        A record for each image, in order; one that cannot be read has its reason.

    Raises:
        UsageError: an unknown network, method, class, layer or setting; right away. A method that was named does not
            suit the network.
        UnavailableError: weights or device are not to be had, or the network has no gradients.
    """
    if top < 1:
        raise UsageError(f"--top is at least 1. Received: {top}")
    subject = opened(model, device=device, offline=offline)
    chosen = choose(subject, method, layer=layer, **settings)
    named = target
    # NumPy's numbers are no int, and no sequence either.
    if named is not None and (isinstance(named, str) or not isinstance(named, Iterable)):
        named = [named]
    targets = None if named is None else [subject.target(one) for one in named]
    sources = inputs.stream(images, recursive=recursive, offline=offline)
    return _Plan(subject, chosen, targets, top, faithfulness, lenient=method == ALL).records(sources)


def opened(model: str | Subject | keras.Model | None, *, device: str = "auto", offline: bool | None = None) -> Subject:
    """The network that somebody means by a name, a file, or what is in memory already.

    Raises:
        UsageError: as for :meth:`Subject.open`.
        UnavailableError: as for :meth:`Subject.open`.
    """
    if isinstance(model, Subject):
        return model
    if model is None or isinstance(model, str):
        return Subject.open(model, device=device, offline=offline)
    return Subject(model)


def choose(subject: Subject, method: str | Sequence[str], *, layer: str | None = None, **settings: Any) -> list[Method]:
    """The methods of these names, ready to run.

    Args:
        subject: the network.
        method: a name, several, or ``"all"`` for those that suit the network.
        layer: for the methods that look at one.
        **settings: for the methods that know them.

    Raises:
        UsageError: an unknown method, layer or setting, or a method that does not suit the network.
    """
    if method == ALL:
        kinds = [kind for kind in methods.METHODS.values() if _suits(kind, subject)]
    else:
        kinds = [methods.find(name) for name in ([method] if isinstance(method, str) else method)]
    known = {kind: inspect.signature(kind).parameters.keys() - {"subject", "layer"} for kind in kinds}
    for name in settings:
        if not any(name in names for names in known.values()):
            one = ", ".join(kind.title for kind in kinds)
            there = ", ".join(sorted(set().union(*known.values())))
            raise UsageError(f"{one} has no setting '{name}'; {f'there is {there}' if there else 'there are none'}.")
    layered = any(kind.has_layer for kind in kinds)
    return [
        kind(
            subject,
            layer=layer if kind.has_layer or not layered else None,
            **{name: value for name, value in settings.items() if name in known[kind]},
        )
        for kind in kinds
    ]


def _suits(kind: type[Method], subject: Subject) -> bool:
    """Whether a method is possible with a network at all; the log says why not."""
    try:
        kind(subject)
    except UsageError as error:
        log.warning("%s is left out: %s", kind.name, error)
        return False
    return True


@dataclass
class _Plan:
    """What is done with each image."""

    subject: Subject
    methods: list[Method]
    #: The classes that were named; the ``top`` most probable ones of each image without.
    targets: list[int] | None
    top: int
    faithfulness: bool
    #: Whether a method that turns out to be impossible is left out.
    lenient: bool

    def records(self, sources: Iterator[Source]) -> Iterator[Explained]:
        """The records of all images, computed in groups."""
        size = max(1, BATCH_SIZE // (self.top if self.targets is None else len(self.targets)))
        with ThreadPoolExecutor(thread_name_prefix="decode") as pool:
            while group := list(itertools.islice(sources, size)):
                read = list(pool.map(partial(_read, self.subject), group))
                good = [image for image in read if not isinstance(image, ImageError)]
                found = iter(self._group(np.stack(good)) if good else ())
                for source, image in zip(group, read, strict=True):
                    if isinstance(image, ImageError):
                        yield Explained(source.path, None, error=str(image))
                    else:
                        explanations, predictions = next(found)
                        yield Explained(source.path, image, explanations, predictions=predictions)

    def _group(self, pixels: np.ndarray) -> Iterator[tuple[tuple[Explanation, ...], tuple[Prediction, ...]]]:
        """Explanations and predictions of a few images."""
        probabilities = self.subject.predict(pixels)
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
            best = (self._prediction(int(index), values) for index in order[:PREDICTIONS])
            yield tuple(explanations), tuple(best)

    def _column(self, method: Method, pixels: np.ndarray, targets: np.ndarray, scores: np.ndarray) -> list[Explanation]:
        """The explanations of all images by one method; none where it is left out."""
        try:
            found = list(method.explain(pixels, targets, scores))
        except UnavailableError as error:
            if not self.lenient or len(self.methods) == 1:
                raise
            log.warning("%s is left out: %s", method.name, error)
            self.methods.remove(method)
            return []
        # The order of a blank map is that of chance, and so would its score be.
        shown = [number for number, one in enumerate(found) if self.faithfulness and one.blank is None]
        if shown:
            maps = np.stack([found[number].map for number in shown])
            for number, score in zip(shown, measure(self.subject, pixels[shown], maps, targets[shown]), strict=True):
                found[number] = replace(found[number], faithfulness=score)
        return found

    def _prediction(self, index: int, probabilities: np.ndarray) -> Prediction:
        return Prediction(self.subject.label(index), index, round(float(probabilities[index]), 6))


def _read(subject: Subject, source: Source) -> np.ndarray | ImageError:
    """An image as the network takes it, or the reason why it cannot be read."""
    if source.pixels is not None and source.pixels.shape == subject.input_shape:
        return source.pixels
    try:
        return subject.read(source)
    except ImageError as error:
        return error
