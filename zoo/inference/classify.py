"""What is in an image or a video: top-k classes for files, folders, URLs or arrays."""

from __future__ import annotations

import itertools
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from zoo import engines
from zoo.catalog import default_model, labels
from zoo.catalog.labels import Prediction
from zoo.core.errors import ImageError, UnavailableError, UsageError
from zoo.engines import batching, devices
from zoo.images import sources
from zoo.images.inputs import Inputs, stream
from zoo.images.video.frames import Video
from zoo.inference import pipeline, video_votes
from zoo.inference.temperature import apply_temperature
from zoo.pretrained import keras_file
from zoo.pretrained import weights as pretrained

log = logging.getLogger(__name__)

#: The label of an image whose best class does not reach the threshold.
UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one input: predictions, best first, or the reason why there are none.

    Those of a video are the mean over its frames. Where some of these are missing, ``error`` says why.
    """

    path: str
    status: str
    model: str
    predictions: tuple[Prediction, ...] = ()
    error: str | None = None
    #: Whether the best class reached the threshold.
    certain: bool = True
    #: The frames of a video, in order; ``None`` for an image.
    frames: tuple[video_votes.Moment, ...] | None = None
    #: How many frames of a video have each label as their best, the most frequent first.
    votes: Mapping[str, int] = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        """Whether the image could be read, or some of the video."""
        return self.status == "ok"

    @property
    def label(self) -> str | None:
        """The best class, ``"unknown"`` below the threshold, ``None`` for an image that could not be read."""
        if not self.predictions:
            return None
        return self.predictions[0].label if self.certain else UNKNOWN


class Classifier:
    """A network, its class names and an engine to run it, loaded once.

    >>> Classifier("resnet50").predict(["photo.jpg"])[0].label
    'tabby'
    """

    def __init__(
        self,
        model: str | None = None,
        *,
        device: str = "auto",
        engine: str = "auto",
        batch_size: int | None = None,
        offline: bool | None = None,
        progress: pretrained.Progress | None = None,
    ) -> None:
        """Choose the network and where it runs. The engine starts with the first image.

        Args:
            model: a name, ``NAME:TAG``, or a ``.keras`` file; the default network without.
            device: ``"auto"``, ``"cpu"``, ``"gpu"`` or ``"gpu:N"``.
            engine: ``"auto"``, ``"keras"`` or ``"openvino"``.
            batch_size: images computed together; the engine's own choice without.
            offline: never use the network; ``$ZOO_OFFLINE`` decides without.
            progress: called with file name, bytes done and bytes in all while weights are fetched.

        Raises:
            UsageError: an unknown name, device or engine.
            UnavailableError: weights or device are not to be had.
        """
        if batch_size is not None and batch_size < 1:
            raise UsageError(f"The batch size is at least 1. Received: {batch_size}")
        self._device = devices.select(device)
        if model is None:
            self.choice = default_model.default(offline=offline, progress=progress)
        else:
            self.choice = default_model.named(model, offline=offline, progress=progress)
        self.spec = self.choice.spec
        engines.choose(engine, self.spec, self._device)
        # Weights that were carried here by hand have a tag that the registry need not know.
        tag = self.choice.tag
        weights = self.spec.weights.get(tag) if tag else self.spec.weight_set()
        self.classes = labels.classes(weights.labels) if weights else ()
        self.labels = tuple(label.name for label in self.classes)
        #: What the network's logits are divided by, as it was fitted on other images; see zoo.evaluation.calibration.
        self.temperature = keras_file.temperature(self.spec.file) if self.spec.file else 1.0
        self._engine_request = engine
        self._batch_size = batch_size
        #: Says whether at least so many images will come; asked where finding the fastest batch size might pay.
        self.many: Callable[[int], bool] | None = None
        self._engine: engines.Engine | None = None

    @property
    def engine(self) -> engines.Engine:
        """The engine that runs; started where it has not been yet."""
        return self._engine or self._start(single=False)

    def predict(
        self,
        inputs: Inputs,
        *,
        top: int = 5,
        threshold: float = 0.0,
        recursive: bool = False,
        every: str | None = None,
    ) -> list[Result]:
        """Classify files, folders, globs, URLs, or arrays, in order.

        Args:
            inputs: one input or several. Arrays are uint8 RGB (height, width, 3) of any size, or a batch
                (n, height, width, 3).
            top: classes in each result.
            threshold: probability 0-1 that the best class must reach; below it the label is ``"unknown"``.
            recursive: look into folders within folders.
            every: how often an image is taken of a video, e.g. ``"1s"`` or ``"30f"``.

        Returns:
            A result for each image and each video; one that cannot be read has its reason in ``error``.
        """
        images = stream(inputs, recursive=recursive, every=every)
        # One image alone is known as such by its list.
        return list(self.stream(list(images) if every is None else images, top=top, threshold=threshold))

    def stream(self, images: Iterable[sources.Source], *, top: int = 5, threshold: float = 0.0) -> Iterator[Result]:
        """Classify a stream of sources lazily; see :meth:`predict`. Memory does not grow with its length.

        The frames of a video, as :func:`zoo.images.video.frames.expand` gives them, have one result together; a line for each
        frame is kept for it.
        """
        if top < 1:
            raise UsageError(f"--top is at least 1. Received: {top}")
        if not 0.0 <= threshold <= 1.0:
            raise UsageError(f"--threshold is a probability from 0 to 1. Received: {threshold:g}")
        single = isinstance(images, Sequence) and len(images) == 1
        running = self._start(single)
        outputs = pipeline.run(images, running, self.spec.resize)
        for key, rows in itertools.groupby(outputs, video_votes.video_of):
            if isinstance(key, Video):
                yield self._of_video(key, rows, top, threshold)
                continue
            for source, output in rows:
                if isinstance(output, ImageError):
                    yield Result(source.path, "unreadable", self.spec.name, error=str(output))
                    continue
                predictions = self._best(self.corrected(output), top)
                certain = predictions[0].score >= threshold
                yield Result(source.path, "ok", self.spec.name, predictions, certain=certain)

    def _of_video(
        self,
        key: Video,
        rows: Iterable[tuple[sources.Source, np.ndarray | ImageError]],
        top: int,
        threshold: float,
    ) -> Result:
        """One result of all frames."""
        tally = video_votes.Tally()
        for source, output in rows:
            assert source.frame is not None
            at = source.frame.seconds
            if isinstance(output, ImageError) or at is None:
                tally.fail(at, str(output))
                continue
            probabilities = self.corrected(output)
            (best,) = self._best(probabilities, 1)
            label = best.label if best.score >= threshold else UNKNOWN
            tally.add(video_votes.Moment(at, label, best.index, best.score), probabilities)
        mean = tally.mean
        predictions = () if mean is None else self._best(mean, top)
        return Result(
            key.path,
            "ok" if predictions else "unreadable",
            self.spec.name,
            predictions,
            error=tally.error,
            certain=not predictions or predictions[0].score >= threshold,
            frames=tuple(tally.moments),
            votes=tally.votes,
        )

    def corrected(self, output: np.ndarray) -> np.ndarray:
        """The probabilities of what the engine says to one image, corrected by :attr:`temperature`.

        Returns:
            float32 (classes,).

        Raises:
            UnavailableError: the network does not classify, or has another number of outputs than of names.
        """
        if output.ndim != 1:
            raise UnavailableError(
                f"{self.spec.name} gives an output of shape {output.shape} for an image and not one number a class; "
                "it takes a network that classifies."
            )
        if self.labels and len(self.labels) != len(output):
            raise UnavailableError(
                f"{self.spec.name} has {len(output)} outputs and {len(self.labels)} class names; its file is damaged."
            )
        return apply_temperature(output, self.temperature)

    def _start(self, single: bool) -> engines.Engine:
        if self._engine is None or (self._engine.single and not single):
            self._engine = engines.start(
                self.spec,
                self.choice.weights,
                self._device,
                engine=self._engine_request,
                batch_size=self._batch_size,
                single=single,
                many=batching.asking(self.many, self.spec.gmacs),
            )
        return self._engine

    def _best(self, output: np.ndarray, top: int) -> tuple[Prediction, ...]:
        """The ``top`` most probable classes, best first."""
        order = np.argsort(-output, kind="stable")[:top]
        return tuple(
            Prediction(self.labels[i] if self.labels else str(i), int(i), round(float(output[i]), 6)) for i in order
        )
