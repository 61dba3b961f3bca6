"""Where images are written: one file, or a folder of them, and never over an input."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from pathlib import Path

from zoo.core.errors import UnavailableError, UsageError
from zoo.images.formats import IMAGE_SUFFIXES
from zoo.images.source import Source

#: What is replaced in file names, and their maximum length.
_ODD = re.compile(r"[^\w.+-]+")
_LONGEST = 80


def check(output: Path, sources: Iterable[Source] = (), *, suffix: str = ".png", also: str = "") -> None:
    """Check that a file can be written.

    Raises:
        UsageError: its name ends neither in ``suffix`` nor in ``also``, or it is one of the inputs.
        UnavailableError: its folder does not exist or is read-only.
    """
    if output.suffix.lower() not in (suffix, also or suffix):
        raise UsageError(f"{output} does not end in {suffix}; name a {suffix} file.")
    if _real(output) in {_real(source.path) for source in sources if source.kind == "file"}:
        raise UsageError(f"{output} is one of the images that are read; write to another file.")
    if not os.access(output.parent, os.W_OK):
        raise UnavailableError(f"{output} cannot be written: {output.parent} is no folder that may be written to.")


class Destination:
    """What ``-o`` names: a PNG file for one image, or a folder, which is created."""

    def __init__(self, output: Path, sources: Iterable[Source] = ()) -> None:
        """Check it.

        Raises:
            UsageError: one file for several images, a file of another kind, or an input.
            UnavailableError: the folder cannot be created or written to.
        """
        sources = list(sources)
        self._taken = {_real(source.path) for source in sources if source.kind == "file"}
        self._file: Path | None = None
        self._folder = output
        if output.suffix.lower() in IMAGE_SUFFIXES and not output.is_dir():
            check(output, sources)
            if len(sources) > 1:
                raise UsageError(f"{output} holds one image, and there are {len(sources):,}; name a folder instead.")
            self._file = output
            return
        try:
            output.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UnavailableError(f"The folder {output} cannot be made: {error.strerror or error}.") from error
        if not os.access(output, os.W_OK):
            raise UnavailableError(f"Nothing can be written to the folder {output}; name another.")

    def path(self, source: str, *parts: str) -> Path:
        """An unused file name for what is made of an image, of its name and ``parts`` such as a method and a class."""
        if self._file is not None:
            return self._file
        name = "-".join(filter(None, (_plain(part) for part in (_stem(source), *parts))))
        number = 1
        while True:
            path = self._folder / f"{name}{f'-{number}' if number > 1 else ''}.png"
            if _real(path) not in self._taken:
                self._taken.add(_real(path))
                return path
            number += 1


def _stem(source: str) -> str:
    """The name of an image without folders and without an image's suffix."""
    name = source.replace("\\", "/").rstrip("/").rpartition("/")[2]
    stem, suffix = os.path.splitext(name)
    return stem if suffix.lower() in IMAGE_SUFFIXES else name


def _plain(text: str) -> str:
    return _ODD.sub("_", text).strip("_")[:_LONGEST]


def _real(path: str | Path) -> str:
    return os.path.realpath(path)
