"""From what a Python caller hands over, paths or arrays, to a stream of sources."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator

import numpy as np

from zoo.images import sources
from zoo.images.sources import Source
from zoo.images.video.frames import expand
from zoo.images.video.times import Every

#: One input or several: files, folders, globs, addresses; uint8 RGB arrays, or sources that were found before.
Input = str | os.PathLike[str] | np.ndarray | Source
Inputs = Input | Iterable[Input]


def stream(
    inputs: Inputs, *, recursive: bool = False, offline: bool | None = None, every: Every | str | None = None
) -> Iterator[Source]:
    """Sources of whatever there is, lazily and in order.

    Args:
        inputs: one input or several. Arrays are uint8 RGB (height, width, 3) of any size, or grey (height, width), or a
            batch (n, height, width, 3).
        recursive: look into folders within folders.
        offline: whether addresses are refused; ``$ZOO_OFFLINE`` decides without.
        every: how often an image is taken of a video, as :func:`zoo.images.video.frames.expand` has it.
    """
    return expand(_found(inputs, recursive, offline, every is not None), every)


def _found(inputs: Inputs, recursive: bool, offline: bool | None, videos: bool) -> Iterator[Source]:
    for number, item in enumerate(_each(inputs)):
        if isinstance(item, Source):
            yield item
        elif isinstance(item, np.ndarray):
            yield Source.from_array(item, name=f"array {number}")
        else:
            yield from sources.find([item], recursive=recursive, offline=offline, videos=videos)


def _each(inputs: Inputs) -> Iterable[Input]:
    if isinstance(inputs, str | os.PathLike | Source):
        return (inputs,)
    if isinstance(inputs, np.ndarray):
        return (inputs,) if inputs.ndim in (2, 3) else iter(inputs)
    return inputs
