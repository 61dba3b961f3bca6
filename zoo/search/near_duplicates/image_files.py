"""The files of near-duplicate images, and which of them to keep."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass

from PIL.ExifTags import Base

from zoo.core.errors import describe_os_error
from zoo.images.header import identify
from zoo.images.source import Source


@dataclass(frozen=True, slots=True)
class ImageFile:
    """A file of a group: pixels after EXIF orientation, file size (or ``None``), cosine with the file to keep."""

    path: str
    width: int | None = None
    height: int | None = None
    bytes: int | None = None
    similarity: float = 1.0

    @property
    def pixels(self) -> int:
        """Width times height; -1 if unknown."""
        return -1 if self.width is None or self.height is None else self.width * self.height


@dataclass(frozen=True, slots=True)
class FileState:
    """A file now: which file it is under any name, whether it exists, and why it cannot be compared, if so."""

    image: ImageFile
    identity: tuple[object, ...]
    problem: str | None = None
    exists: bool = True


def inspect_file(path: str, stamp: tuple[int, int] | None = None) -> FileState:
    """Read the header of an image; ``stamp`` is size and modification time (ns) when its vector was computed."""
    if "://" in path:
        return FileState(ImageFile(path), (path,), exists=False)
    try:
        status = os.stat(path)
    except (OSError, ValueError) as error:
        return FileState(ImageFile(path), (path,), describe_os_error(error), exists=False)
    # Some file systems have no inode numbers.
    identity = (status.st_dev, status.st_ino) if status.st_ino else (os.path.realpath(path),)
    if stamp is not None and stamp[0] >= 0 and stamp != (status.st_size, status.st_mtime_ns):
        return FileState(ImageFile(path), identity, "changed since its vector was computed")
    width, height = image_size(path) or (None, None)
    return FileState(ImageFile(path, width, height, status.st_size), identity)


def preference(image: ImageFile) -> tuple[int, int, int]:
    """Sort key: the file to keep comes first."""
    return -image.pixels, -(image.bytes if image.bytes is not None else -1), len(image.path)


def reason_to_keep(kept: ImageFile, others: Sequence[ImageFile]) -> str:
    """The first property in which a file is better than all others, in words."""
    if kept.pixels > max(other.pixels for other in others):
        return "the most pixels"
    rivals = [other for other in others if other.pixels == kept.pixels]
    equal, unknown = (["pixels"], "") if kept.pixels >= 0 else ([], "; the number of pixels is unknown")
    if kept.bytes is not None:
        if kept.bytes > max(other.bytes or -1 for other in rivals):
            return f"as many pixels as any, and the most bytes{unknown}" if equal else f"the most bytes{unknown}"
        equal.append("bytes")
    rivals = [other for other in rivals if other.bytes == kept.bytes]
    last = "the shortest name" if len(kept.path) < min(len(other.path) for other in rivals) else "the first"
    if not equal:
        return f"nothing is known of the files; {last}"
    return f"as many {' and '.join(equal)} as any, and {last}{unknown}"


def image_size(path: str) -> tuple[int, int] | None:
    """Width and height after EXIF orientation; ``None`` if the header cannot be read."""
    try:
        with Source(path).open() as file:
            image = identify(file)
            width, height = image.size
            return (height, width) if image.getexif().get(Base.Orientation, 1) in range(5, 9) else (width, height)
    except Exception:  # A file may be damaged in any way, which must not stop the others.
        return None
