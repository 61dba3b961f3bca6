"""Event files for TensorBoard, written without TensorFlow, so with any backend of Keras.

TensorBoard's own ``EventFileWriter`` imports TensorFlow if that is installed, which takes seconds and, under JAX or
PyTorch, GPU memory. It also writes in a thread, so that a full disk would be noticed late. Only its record format and
its messages are used here.
"""

from __future__ import annotations

import contextlib
import io
import math
import os
import socket
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from zoo.core.errors import UnavailableError, UsageError

#: Bars of a histogram.
BARS = 30

_MISSING = "TensorBoard is not installed: pip install 'keras-zoo[tensorboard]', or train without it."


class EventFile:
    """Scalars, histograms and images of one run, in a new event file of ``folder``.

    A resumed training opens another file in the folder; TensorBoard joins them. The part of a name before ``/`` is the
    group that TensorBoard shows it in. Methods raise an UnavailableError if the file cannot be written.
    """

    def __init__(self, folder: Path) -> None:
        """Create the file.

        Raises:
            UnavailableError: TensorBoard is not installed, or the folder cannot be written.
        """
        try:
            from tensorboard.compat.proto import event_pb2, summary_pb2
            from tensorboard.summary.writer.record_writer import RecordWriter
        except ImportError as error:
            raise UnavailableError(_MISSING) from error
        self._event, self._summary = event_pb2.Event, summary_pb2
        self._path = _unused(Path(folder))
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._file = self._path.open("xb")
        except OSError as error:
            raise self._failure(error) from error
        self._records = RecordWriter(self._file)
        self._write(file_version="brain.Event:2")

    def scalars(self, values: Mapping[str, float], step: int) -> None:
        """Add values by name. Infinities and NaN are allowed."""
        self._add(step, *({"tag": name, "simple_value": _single(float(value))} for name, value in values.items()))

    def histogram(self, name: str, values: np.ndarray, step: int) -> None:
        """Add the distribution of values of any shape, without those that are not finite."""
        numbers = np.asarray(values, dtype=np.float64).ravel()
        numbers = numbers[np.isfinite(numbers)]
        if not numbers.size:
            return
        counts, edges = _bars(numbers)
        self._add(
            step,
            {
                "tag": name,
                "histo": self._summary.HistogramProto(
                    min=numbers.min(),
                    max=numbers.max(),
                    num=numbers.size,
                    sum=numbers.sum(),
                    sum_squares=np.square(numbers).sum(),
                    bucket_limit=edges[1:].tolist(),
                    bucket=counts.tolist(),
                ),
            },
        )

    def image(self, name: str, pixels: np.ndarray, step: int) -> None:
        """Add an image.

        Args:
            name: of the image.
            pixels: uint8 RGB (height, width, 3).
            step: of the training.

        Raises:
            UsageError: the pixels are not such an array.
        """
        if pixels.dtype != np.uint8 or pixels.ndim != 3 or pixels.shape[2] != 3 or 0 in pixels.shape:
            found = f"{pixels.dtype} of the shape {pixels.shape}"
            raise UsageError(f"The image {name!r} is {found}; it takes uint8 (height, width, 3).")
        file = io.BytesIO()
        Image.fromarray(np.ascontiguousarray(pixels)).save(file, "PNG")
        height, width, channels = pixels.shape
        image = self._summary.Summary.Image(
            height=height, width=width, colorspace=channels, encoded_image_string=file.getvalue()
        )
        self._add(step, {"tag": name, "image": image})

    def close(self) -> None:
        """Close the file; a second call does nothing."""
        # Everything has been written, or an error was raised.
        with contextlib.suppress(OSError):
            self._file.close()

    def _add(self, step: int, *values: dict[str, Any]) -> None:
        summary = self._summary.Summary(value=[self._summary.Summary.Value(**value) for value in values])
        self._write(step=int(step), summary=summary)

    def _write(self, **event: Any) -> None:
        try:
            self._records.write(self._event(wall_time=time.time(), **event).SerializeToString())
            self._file.flush()
        except OSError as error:
            raise self._failure(error) from error

    def _failure(self, error: OSError) -> UnavailableError:
        return UnavailableError(
            f"TensorBoard's file {self._path} cannot be written ({(error.strerror or str(error)).lower()}); "
            "make room, or train without --tensorboard."
        )


def _unused(folder: Path) -> Path:
    """A new file name of the kind that TensorBoard looks for; it reads files in the order of their names."""
    seconds, rest = divmod(time.time_ns(), 10**9)
    return folder / f"events.out.tfevents.{seconds}.{rest:09d}.{socket.gethostname()}.{os.getpid()}"


def _single(value: float) -> float:
    """The value in single precision: infinite beyond its range."""
    largest = float(np.finfo(np.float32).max)
    return math.copysign(math.inf, value) if abs(value) > largest else value


def _bars(numbers: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Counts (bars,) and edges (bars + 1,); one bar where all numbers are equal."""
    low, high = float(numbers.min()), float(numbers.max())
    edges = np.linspace(low, high, BARS + 1)
    # Also if the numbers are too close together for so many edges.
    if not (np.diff(edges) > 0).all():
        return np.array([numbers.size]), np.array([low, high])
    return np.histogram(numbers, edges)
