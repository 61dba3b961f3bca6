"""Images as people look at them: the part that the network sees, with more pixels than it takes."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from zoo.core.errors import ImageError
from zoo.images import decode as images
from zoo.images.sources import Source
from zoo.visualize.explain.explain import Explained, explain

if TYPE_CHECKING:
    from zoo.visualize.network.subject import Subject

#: The longer side that an image has at least when it is drawn, where its file has so many pixels.
SIDE = 448
#: A network with no longer side than this sees dots, and so should people.
DOTS = 64


@dataclass(frozen=True, eq=False)
class Image:
    """What a network sees of an image, for people."""

    #: uint8 RGB (height, width, 3) of the network's own shape, or a multiple of it.
    pixels: np.ndarray
    #: Width and height of the whole image; ``None`` where it cannot be read again.
    size: tuple[int, int] | None
    #: Width and height that the network takes.
    input_size: tuple[int, int]

    @property
    def enlarged(self) -> bool:
        """Whether the network is shown more pixels than there are."""
        return self.size is not None and (self.size[0] < self.input_size[0] or self.size[1] < self.input_size[1])


def held(source: Source) -> Source:
    """A source that can be read twice: what came from an address is kept in memory, decoded."""
    if source.kind != "url" or source.problem is not None:
        return source
    try:
        return Source.from_array(np.array(images.decode(source)), name=source.path)
    except ImageError as error:
        return replace(source, problem=str(error))


def look(subject: Subject, source: Source, seen: np.ndarray) -> Image:
    """Read an image once more, for people.

    Args:
        subject: the network.
        source: where the image is.
        seen: uint8 (height, width, 1 or 3) that the network was given; it is what is shown where the source cannot be
            read a second time, as it is with a pipe, and where the network takes so few pixels that each counts.
    """
    height, width = seen.shape[:2]
    try:
        whole = images.decode(source)
    except ImageError:
        return Image(_rgb(seen), None, (width, height))
    factor = math.ceil(SIDE / max(height, width))
    if subject.spec is None or max(height, width) <= DOTS or factor == 1:
        return Image(_rgb(seen), whole.size, (width, height))
    larger = replace(subject.spec.resize, height=factor * height, width=factor * width)
    return Image(images.fit(whole, larger), whole.size, (width, height))


def explained(
    subject: Subject, sources: Iterable[Source], **settings: Any
) -> Iterator[tuple[Explained, Source, Image | None]]:
    """Explain images, and read each once more for people.

    Args:
        subject: the network.
        sources: the images.
        **settings: as :func:`zoo.visualize.explain.explain.explain` takes them.

    Yields:
        What was found in each image, where it came from, and how people see it; ``None`` where it cannot be read.
    """
    waiting: deque[Source] = deque()

    def noted() -> Iterator[Source]:
        for source in sources:
            waiting.append(held(source))
            yield waiting[-1]

    for record in explain(subject, noted(), **settings):
        source = waiting.popleft()
        yield record, source, None if record.pixels is None else look(subject, source, record.pixels)


def _rgb(seen: np.ndarray) -> np.ndarray:
    """What a network was given as an image; numbers that are no pixels are spread over the greys that there are."""
    if seen.dtype != np.uint8:
        low, high = float(seen.min()), float(seen.max())
        seen = np.rint(255 * (seen - low) / ((high - low) or 1)).astype(np.uint8)
    return np.ascontiguousarray(np.broadcast_to(seen[..., :3], (*seen.shape[:2], 3)))
