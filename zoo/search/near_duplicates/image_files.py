"""What the files of alike images are, and which of them is worth keeping."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass

from zoo.images.formats import identify
from zoo.images.sources import Source, reason

_ORIENTATION_TAG = 0x0112


@dataclass(frozen=True, slots=True)
class Copy:
    """An image that is like another one.

    ``width`` and ``height`` are in pixels, as it is meant to be seen, and ``bytes`` those of its file; ``None`` where
    they are not known. ``similarity`` is the cosine with the one that is to be kept.
    """

    path: str
    width: int | None = None
    height: int | None = None
    bytes: int | None = None
    similarity: float = 1.0

    @property
    def pixels(self) -> int:
        """Its pixels; -1 where they are not known."""
        return -1 if self.width is None or self.height is None else self.width * self.height


@dataclass(frozen=True, slots=True)
class Seen:
    """A file as it is now: what it is, which file it is under whatever name, and why it cannot be judged, if so.

    ``there``: whether there is such a file.
    """

    copy: Copy
    identity: tuple[object, ...]
    problem: str | None = None
    there: bool = True


def look_at(path: str, stamp: tuple[int, int] | None = None) -> Seen:
    """Look at a file; of the image only the header is read.

    Args:
        path: what the vectors call it.
        stamp: size in bytes and time of change in nanoseconds of the file that the vector is of.
    """
    if "://" in path:
        return Seen(Copy(path), (path,), there=False)
    try:
        status = os.stat(path)
    except (OSError, ValueError) as error:
        return Seen(Copy(path), (path,), reason(error), there=False)
    # Some file systems have no numbers for their files.
    identity = (status.st_dev, status.st_ino) if status.st_ino else (os.path.realpath(path),)
    if stamp is not None and stamp[0] >= 0 and stamp != (status.st_size, status.st_mtime_ns):
        return Seen(Copy(path), identity, "changed since its vector was made")
    width, height = size_of(path) or (None, None)
    return Seen(Copy(path, width, height, status.st_size), identity)


def preference(copy: Copy) -> tuple[int, int, int]:
    """Copies in the order of this are in the order in which they are worth keeping."""
    return -copy.pixels, -(copy.bytes if copy.bytes is not None else -1), len(copy.path)


def why(kept: Copy, others: Sequence[Copy]) -> str:
    """The first thing in which a copy is better than all others, in words."""
    if kept.pixels > max(other.pixels for other in others):
        return "the most pixels"
    rivals = [other for other in others if other.pixels == kept.pixels]
    equal, unknown = (["pixels"], "") if kept.pixels >= 0 else ([], "; how many pixels is not known")
    if kept.bytes is not None:
        if kept.bytes > max(other.bytes or -1 for other in rivals):
            return f"as many pixels as any, and the most bytes{unknown}" if equal else f"the most bytes{unknown}"
        equal.append("bytes")
    rivals = [other for other in rivals if other.bytes == kept.bytes]
    last = "the shortest name" if len(kept.path) < min(len(other.path) for other in rivals) else "the first"
    if not equal:
        return f"nothing is known of the files; {last}"
    return f"as many {' and '.join(equal)} as any, and {last}{unknown}"


def size_of(path: str) -> tuple[int, int] | None:
    """Width and height of an image, turned upright; ``None`` where its header cannot be read."""
    try:
        with Source(path).open() as file:
            image = identify(file)
            width, height = image.size
            return (height, width) if image.getexif().get(_ORIENTATION_TAG, 1) in range(5, 9) else (width, height)
    except Exception:  # A file may be damaged in any way, which is no reason to give up on the others.
        return None
