"""Image and video classification: top-k classes for files, folders, URLs or arrays."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from zoo.catalog import default_model
from zoo.catalog.labels import Prediction
from zoo.core.errors import ImageError, UnavailableError, UsageError
from zoo.images.inputs import Inputs, stream
from zoo.images.source import Source
from zoo.images.video.frame import Video
from zoo.inference import pipeline
from zoo.inference.loaded_model import LoadedModel
from zoo.inference.temperature import apply_temperature
from zoo.inference.video import FramePrediction, VideoPrediction, video_of
from zoo.pretrained import weights as pretrained

#: The label of an image whose best class does not reach the threshold.
UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Result:
    """The result for one input: predictions, best first, or the reason why there are none.

    The predictions for a video are the mean over its frames. If some of these are missing, ``error`` says why.
    """

    path: str
    status: str
    model: str
    predictions: tuple[Prediction, ...] = ()
    error: str | None = None
    #: Whether the best class reached the threshold.
    certain: bool = True
    #: The frames of a video, in order; ``None`` for an image.
    frames: tuple[FramePrediction, ...] | None = None
    #: How many frames of a video have each label as their best, the most frequent first.
    votes: Mapping[str, int] = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        """Whether the image, or some of the video, could be read."""
        return self.status == "ok"

    @property
    def label(self) -> str | None:
        """The best class, ``"unknown"`` below the threshold, ``None`` for an image that could not be read."""
        if not self.predictions:
            return None
        return self.predictions[0].label if self.certain else UNKNOWN


class Classifier(LoadedModel):
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
            model: a name, ``NAME:TAG``, or a ``.keras`` file; the default network if omitted.
            device: ``"auto"``, ``"cpu"``, ``"gpu"`` or ``"gpu:N"``.
            engine: ``"auto"`` or a name of :data:`zoo.engines.ENGINES`.
            batch_size: images in a batch; chosen by the engine if omitted.
            offline: never use the internet; ``$ZOO_OFFLINE`` decides if omitted.
            progress: called with file name, bytes done and total bytes while weights are downloaded.

        Raises:
            UsageError: an unknown name, device or engine.
            UnavailableError: weights or device are unavailable.
        """
        super().__init__(device=device, engine=engine, batch_size=batch_size)
        if model is None:
            choice = default_model.default(offline=offline, progress=progress)
        else:
            choice = default_model.named(model, offline=offline, progress=progress)
        self._load(choice, choice.spec)

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
            recursive: include subfolders.
            every: the interval between frames of a video, e.g. ``"1s"`` or ``"30f"``.

        Returns:
            A result for each image and each video; one that cannot be read has the reason in ``error``.
        """
        images = stream(inputs, recursive=recursive, every=every)
        # A list shows that there is one image only.
        return list(self.stream(list(images) if every is None else images, top=top, threshold=threshold))

    def stream(self, images: Iterable[Source], *, top: int = 5, threshold: float = 0.0) -> Iterator[Result]:
        """Classify a stream of sources lazily; see :meth:`predict`. Memory does not grow with its length.

        The frames of a video (:func:`zoo.images.frames.expand`) have one result, which keeps a row for each.
        """
        if top < 1:
            raise UsageError(f"--top is at least 1. Received: {top}")
        if not 0.0 <= threshold <= 1.0:
            raise UsageError(f"--threshold is a probability from 0 to 1. Received: {threshold:g}")
        engine = self._start(single=isinstance(images, Sequence) and len(images) == 1)
        outputs = pipeline.run(images, engine, self.spec.resize)
        for key, rows in itertools.groupby(outputs, video_of):
            if isinstance(key, Video):
                yield self._of_video(key, rows, top, threshold)
                continue
            for source, output in rows:
                if isinstance(output, ImageError):
                    yield Result(source.path, "unreadable", self.spec.name, error=str(output))
                    continue
                predictions = self._best(self.probabilities(output), top)
                certain = predictions[0].score >= threshold
                yield Result(source.path, "ok", self.spec.name, predictions, certain=certain)

    def _of_video(
        self, key: Video, rows: Iterable[tuple[Source, np.ndarray | ImageError]], top: int, threshold: float
    ) -> Result:
        """One result for all frames."""
        video = VideoPrediction()
        for source, output in rows:
            assert source.frame is not None
            time = source.frame.seconds
            if isinstance(output, ImageError) or time is None:
                video.fail(time, str(output))
                continue
            probabilities = self.probabilities(output)
            (best,) = self._best(probabilities, 1)
            label = best.label if best.score >= threshold else UNKNOWN
            video.add(FramePrediction(time, label, best.index, best.score), probabilities)
        predictions = () if video.mean is None else self._best(video.mean, top)
        return Result(
            key.path,
            "ok" if predictions else "unreadable",
            self.spec.name,
            predictions,
            error=video.error,
            certain=not predictions or predictions[0].score >= threshold,
            frames=tuple(video.frames),
            votes=video.votes,
        )

    def probabilities(self, output: np.ndarray) -> np.ndarray:
        """The probabilities of an engine's output for one image, after temperature scaling: float32 (classes,).

        Raises:
            UnavailableError: the network does not classify, or its numbers of outputs and of class names differ.
        """
        if output.ndim != 1:
            raise UnavailableError(
                f"Expected a network that classifies, with one output per class. {self.spec.name} has outputs of "
                f"shape {output.shape}."
            )
        if self.labels and len(self.labels) != len(output):
            raise UnavailableError(
                f"{self.spec.name} has {len(output)} outputs and {len(self.labels)} class names; its file is damaged."
            )
        return apply_temperature(output, self.temperature)

    def _best(self, output: np.ndarray, top: int) -> tuple[Prediction, ...]:
        """The ``top`` most probable classes, best first."""
        order = np.argsort(-output, kind="stable")[:top]
        return tuple(
            Prediction(self.labels[i] if self.labels else str(i), int(i), round(float(output[i]), 6)) for i in order
        )
