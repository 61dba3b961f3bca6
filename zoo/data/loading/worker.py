"""A process that reads paths from standard input and writes pixels to standard output, and ends with its input."""

from __future__ import annotations

import os
import pickle
import struct
import sys
from collections.abc import Iterable

import numpy as np

from zoo.core.errors import ImageError
from zoo.data.loading.shared_headers import SharedHeaderReader
from zoo.images.source import Source

#: What it writes once it has started.
READY = b"zoo\n"
#: Before each answer: the length of the list of failures that follows, and of the pixels after it.
HEADER = struct.Struct("<QQ")


def main() -> None:
    """Serve requests until standard input ends."""
    requests = sys.stdin.buffer
    # What anything prints must not get between the pixels.
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    answers.write(READY)
    answers.flush()
    reader = None
    while True:
        try:
            paths, resize = pickle.load(requests)
        except EOFError:
            return
        pixels = np.empty((len(paths), resize.height, resize.width, 3), np.uint8)
        if reader is None or reader.resize != resize:
            reader = SharedHeaderReader(resize)
        failed = pickle.dumps(decode(map(Source, paths), reader, pixels))
        try:
            answers.write(HEADER.pack(len(failed), pixels.nbytes))
            answers.write(failed)
            answers.write(pixels.data)
            answers.flush()
        except BrokenPipeError:
            return


def decode(sources: Iterable[Source], reader: SharedHeaderReader, out: np.ndarray) -> list[tuple[int, str]]:
    """Decode n images into ``out``, uint8 (n, h, w[, 3]); the number and error of each that cannot be read."""
    failed = []
    for number, source in enumerate(sources):
        try:
            image = reader.load(source)
            out[number] = image if out.ndim == 4 else image[..., 0]
        except ImageError as error:
            failed.append((number, str(error)))
    return failed
