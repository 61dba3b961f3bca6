"""From what a user types to sources: files, folders, globs, URLs, and lists on standard input."""

# Paths stay the text that was typed; pathlib would normalise it, and is slower on large folders.

from __future__ import annotations

import os
import re
import stat
import sys
from collections.abc import Iterable, Iterator
from typing import BinaryIO

from zoo.core.errors import describe_os_error
from zoo.core.paths import is_offline
from zoo.images import folders, formats
from zoo.images.source import Source
from zoo.images.video.times import split_moment

_URL = re.compile(r"[a-z][a-z0-9+.-]*://", re.IGNORECASE)
_BLOCK = 1 << 16
#: Bytes after which the end of a name in a list is not waited for; no system takes names so long.
_LONGEST_NAME = 1 << 17


def find(
    inputs: str | os.PathLike[str] | Iterable[str | os.PathLike[str]],
    *,
    recursive: bool = False,
    stdin: BinaryIO | None = None,
    offline: bool | None = None,
    videos: bool = False,
) -> Iterator[Source]:
    """Find images, lazily, in the order of the inputs; one that is missing or empty gives a source with a ``problem``.

    Inputs are files, moments of videos (``clip.mp4#t=12.000``), folders (natural order, nothing hidden), globs,
    http(s) URLs, and ``-`` for a list on standard input, one a line or separated by NUL. A glob gives the images in a
    folder that matches, with ``**`` files only; a file of that literal name comes first. No duplicate is dropped.
    """
    if isinstance(inputs, str | bytes | os.PathLike):
        inputs = [inputs]
    for item in inputs:
        text = os.fsdecode(item)
        if text == "-":
            yield from _listed(stdin, recursive, offline, videos)
        else:
            yield from _find_one(text, recursive, offline, videos)


def _find_one(text: str, recursive: bool, offline: bool | None, videos: bool) -> Iterator[Source]:
    """The sources of one input."""
    try:
        mode = os.stat(text).st_mode
    except (OSError, ValueError) as error:
        if os.path.islink(text):
            yield Source(text, problem=_broken(text))
        elif _URL.match(text):
            yield _url(text, offline)
        elif (moment := split_moment(text)) and os.path.isfile(moment[0]):
            yield Source(text)
        elif folders.is_glob(text):
            yield from _or_else(_globbed(text, recursive, videos), text, "no file matches this pattern")
        else:
            missing = isinstance(error, FileNotFoundError)
            yield Source(text, problem="no such file or folder" if missing else describe_os_error(error))
        return
    if stat.S_ISDIR(mode):
        hint = "" if recursive else " (--recursive looks into the folders in it)"
        what = "images and videos" if videos else "images"
        yield from _or_else(_in_folder(text, recursive, videos), text, f"a folder without {what}{hint}")
    else:
        yield Source(text)


def _or_else(found: Iterator[Source], path: str, problem: str) -> Iterator[Source]:
    """What was found, or a source with the problem that nothing was."""
    first = next(found, None)
    if first is None:
        yield Source(path, problem=problem)
        return
    yield first
    yield from found


def _in_folder(folder: str, recursive: bool, videos: bool) -> Iterator[Source]:
    suffixes = formats.IMAGE_SUFFIXES | formats.VIDEO_SUFFIXES if videos else formats.IMAGE_SUFFIXES
    for path, error in folders.walk(folder, recursive=recursive, suffixes=suffixes):
        if error is not None:
            yield Source(path, problem=f"a folder that cannot be listed: {(error.strerror or str(error)).lower()}")
        else:
            yield Source(path, problem=_broken(path) if os.path.islink(path) else None)


def _globbed(pattern: str, recursive: bool, videos: bool) -> Iterator[Source]:
    deep = "**" in pattern
    for path in folders.glob(pattern):
        # Pipes and devices are read only if they are named. With ** the files in a folder match by themselves.
        if os.path.isfile(path) or not os.path.exists(path) or (os.path.isdir(path) and not deep):
            yield from _find_one(path, recursive, True, videos)


def _broken(link: str) -> str | None:
    """What is wrong with a link, if anything."""
    try:
        os.stat(link)
    except FileNotFoundError:
        return f"a link to {os.readlink(link)}, which does not exist"
    except OSError as error:
        return f"a link that leads nowhere: {(error.strerror or str(error)).lower()}"
    return None


def _url(text: str, offline: bool | None) -> Source:
    if not text.lower().startswith(("http://", "https://")):
        return Source(text, problem="neither a file nor an http or https URL")
    if offline is None:
        offline = is_offline()
    return Source(text, "url", problem="not downloaded, because zoo is offline" if offline else None)


def _listed(stdin: BinaryIO | None, recursive: bool, offline: bool | None, videos: bool) -> Iterator[Source]:
    """The sources of a list on standard input."""
    stream = stdin if stdin is not None else getattr(sys.stdin, "buffer", None)

    def found() -> Iterator[Source]:
        for name in _names(stream) if stream is not None else ():
            if formats.match(name, "image") and not os.path.lexists(name):
                yield Source("-", problem="standard input holds an image and not a list of paths; name it /dev/stdin")
                return
            yield from _find_one(os.fsdecode(name), recursive, offline, videos)

    return _or_else(found(), "-", "standard input holds no paths")


def _names(stream: BinaryIO) -> Iterator[bytes]:
    """The names in a list, as they come. The first block decides whether NUL bytes or line ends separate them."""
    read = getattr(stream, "read1", stream.read)
    pending = read(_BLOCK)
    # An image has NUL bytes too; the caller needs its first bytes as they are.
    zero = b"\0" in pending and not formats.match(pending[: formats.HEAD], "image")
    separator = b"\0" if zero else b"\n"
    while block := pending:
        *names, rest = block.split(separator)
        for name in names:
            if name := name if zero else name.removesuffix(b"\r"):
                yield name
        more = read(_BLOCK)
        if rest and (not more or len(rest) > _LONGEST_NAME):
            yield rest
            rest = b""
        pending = rest + more if more else b""
