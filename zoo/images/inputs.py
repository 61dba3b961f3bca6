"""From what a Python caller passes, paths or arrays, to a stream of sources."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator

import numpy as np

from zoo.images import discovery
from zoo.images.frames import expand
from zoo.images.source import Source
from zoo.images.video.times import Every

#: One input or several: files, folders, globs, URLs, uint8 RGB arrays, or sources.
Input = str | os.PathLike[str] | np.ndarray | Source
Inputs = Input | Iterable[Input]


def stream(
    inputs: Inputs, *, recursive: bool = False, offline: bool | None = None, every: Every | str | None = None
) -> Iterator[Source]:
    """Sources of any inputs, lazily; arrays are uint8 (h, w, 3), grey (h, w), or a batch (n, h, w, 3)."""
    return expand(_found(inputs, recursive, offline, every is not None), every)


def _found(inputs: Inputs, recursive: bool, offline: bool | None, videos: bool) -> Iterator[Source]:
    items: Iterable[Input]
    if isinstance(inputs, str | os.PathLike | Source) or (isinstance(inputs, np.ndarray) and inputs.ndim in (2, 3)):
        items = (inputs,)
    else:
        items = inputs
    for number, item in enumerate(items):
        if isinstance(item, Source):
            yield item
        elif isinstance(item, np.ndarray):
            yield Source.from_array(item, name=f"array {number}")
        else:
            yield from discovery.find([item], recursive=recursive, offline=offline, videos=videos)
