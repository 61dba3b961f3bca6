"""From what a person types to a stream of images: files, folders, globs, addresses, lists and pipes."""

# Paths stay the text that was typed; pathlib would tidy it, and is slower on large folders.

from __future__ import annotations

import contextlib
import io
import os
import re
import stat
import sys
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, BinaryIO, Literal

from zoo.core.errors import ImageError
from zoo.core.paths import is_offline
from zoo.images import folders
from zoo.images.video import times

if TYPE_CHECKING:
    import numpy as np

    from zoo.images.video.frames import Frame

#: Bytes taken from an address, and from a pipe, at most.
URL_LIMIT = 64 << 20
PIPE_LIMIT = 256 << 20
#: Seconds to wait for a connection, for the next bytes, and for the whole image.
CONNECT_TIMEOUT, READ_TIMEOUT, TOTAL_TIMEOUT = 5.0, 20.0, 120.0

_ADDRESS = re.compile(r"[a-z][a-z0-9+.-]*://", re.IGNORECASE)
_BLOCK = 1 << 16
#: Bytes after which a list's name is not waited for any longer; no system takes one so long.
_LONGEST_NAME = 1 << 17
#: How an image begins, for somebody who pipes one into a list of paths.
_IMAGES = (b"\xff\xd8\xff", b"\x89PNG", b"GIF87a", b"GIF89a", b"RIFF", b"II*\0", b"MM\0*")


@dataclass(frozen=True, slots=True)
class Source:
    """One image that was asked for, not yet read; or an input of which it is already known that it is none."""

    #: What the output calls it: what was typed, or what was found below it.
    path: str
    kind: Literal["file", "url", "array", "frame"] = "file"
    #: Why it cannot be read, where that is known without reading.
    problem: str | None = None
    #: The pixels of an array: uint8, (height, width), or (height, width, 1, 3 or 4).
    pixels: np.ndarray | None = field(default=None, repr=False, compare=False)
    #: The frame of a video that :func:`zoo.images.video.frames.expand` took, and which video that is.
    frame: Frame | None = field(default=None, repr=False, compare=False)

    @classmethod
    def from_array(cls, pixels: np.ndarray, *, name: str = "array") -> Source:
        """An image that is in memory already; ``name`` stands where a path would."""
        return cls(name, "array", pixels=pixels)

    @property
    def held(self) -> int:
        """Bytes of pixels that it keeps in memory; a file keeps none, nor does a frame that was read."""
        if self.pixels is not None:
            return self.pixels.nbytes
        return self.frame.held if self.frame is not None else 0

    def open(self) -> BinaryIO:
        """Open the image's bytes for reading; they can be sought in.

        A regular file is read as needed. A pipe and an address are read to their end first. The path of a moment of
        a video, ``clip.mp4#t=12.000``, gives the image on the screen then, in an uncompressed format.

        Raises:
            ImageError: it is missing, a folder, forbidden, too large, or does not come in time.
        """
        if self.problem is not None:
            raise ImageError(self.problem)
        if self.kind == "url":
            return io.BytesIO(_fetch(self.path))
        if self.kind == "array":
            raise ImageError("an array in memory, not a file")
        if self.frame is not None:
            return self.frame.open()
        try:
            return _open_file(self.path)
        except (OSError, ValueError) as error:
            if isinstance(error, FileNotFoundError) and (parts := times.split(self.path)):
                from zoo.images.video.frames import still

                return still(*parts)
            raise ImageError(reason(error)) from error


def find(
    inputs: str | os.PathLike[str] | Iterable[str | os.PathLike[str]],
    *,
    recursive: bool = False,
    stdin: BinaryIO | None = None,
    offline: bool | None = None,
    videos: bool = False,
) -> Iterator[Source]:
    """Find images, lazily and in the order of the inputs; each input gives at least one source.

    * A **file** is itself, whatever its name; so is a pipe, e.g. ``/dev/stdin``; so is a moment of a video, e.g.
      ``clip.mp4#t=12.000``.
    * A **folder** gives its images, by :data:`zoo.images.folders.SUFFIXES`, in natural order (``2.jpg`` before ``10.jpg``).
      Hidden files, pipes and devices in it are skipped. The names of one folder at a time are held in memory.
    * A **glob** (``*``, ``?``, ``[…]``, ``**`` for folders of any depth) gives every file that matches, and what is in
      the folders that match, except that with ``**`` it gives files only. Where a file of that literal name
      exists, it is that file.
    * An **http(s) address** is fetched when it is read.
    * ``-`` is a list of all these on standard input, one a line or separated by NUL bytes, in any encoding.

    What is missing, empty, or matches nothing gives a source with a ``problem``. Nothing is dropped as a duplicate.
    Links are followed; one that leads back to a folder above itself is not.

    Args:
        inputs: what was typed; a single string is a single input.
        recursive: look into folders within folders.
        stdin: where ``-`` reads; standard input without.
        offline: whether addresses are refused; ``$ZOO_OFFLINE`` decides without.
        videos: whether a folder gives its videos too, by :data:`zoo.images.video.times.SUFFIXES`.
    """
    if isinstance(inputs, str | bytes | os.PathLike):
        inputs = [inputs]
    for item in inputs:
        text = os.fsdecode(item)
        if text == "-":
            yield from _listed(stdin, recursive, offline, videos)
        else:
            yield from _find_one(text, recursive, offline, videos)


def reason(error: OSError | ValueError) -> str:
    """Why the system does not give a file, in a few words and without its name."""
    if isinstance(error, FileNotFoundError):
        return "no such file"
    if isinstance(error, IsADirectoryError):
        return "a folder, not a file"
    if isinstance(error, OSError):
        return f"the system does not give it: {(error.strerror or str(error)).lower()}"
    return f"not a name that a file can have: {error}"


def _find_one(text: str, recursive: bool, offline: bool | None, videos: bool) -> Iterator[Source]:
    """What one input stands for."""
    try:
        mode = os.stat(text).st_mode
    except (OSError, ValueError) as error:
        if os.path.islink(text):
            yield Source(text, problem=_broken(text))
        elif _ADDRESS.match(text):
            yield _address(text, offline)
        elif (moment := times.split(text)) and os.path.isfile(moment[0]):
            yield Source(text)
        elif folders.is_glob(text):
            yield from _or_else(_globbed(text, recursive, videos), text, "no file matches this pattern")
        else:
            missing = isinstance(error, FileNotFoundError)
            yield Source(text, problem="no such file or folder" if missing else reason(error))
        return
    if stat.S_ISDIR(mode):
        hint = "" if recursive else " (--recursive looks into the folders in it)"
        what = "images and videos" if videos else "pictures"
        yield from _or_else(_in_folder(text, recursive, videos), text, f"a folder without {what}{hint}")
    else:
        yield Source(text)


def _or_else(found: Iterator[Source], path: str, problem: str) -> Iterator[Source]:
    """What was found, or the problem that nothing was."""
    first = next(found, None)
    if first is None:
        yield Source(path, problem=problem)
        return
    yield first
    yield from found


def _in_folder(folder: str, recursive: bool, videos: bool) -> Iterator[Source]:
    suffixes = folders.SUFFIXES | times.SUFFIXES if videos else folders.SUFFIXES
    for path, error in folders.walk(folder, recursive=recursive, suffixes=suffixes):
        if error is not None:
            yield Source(path, problem=f"a folder that cannot be listed: {(error.strerror or str(error)).lower()}")
        else:
            yield Source(path, problem=_broken(path) if os.path.islink(path) else None)


def _globbed(pattern: str, recursive: bool, videos: bool) -> Iterator[Source]:
    deep = "**" in pattern
    for path in folders.glob(pattern):
        # Pipes and devices are not read unless they are named. With ** the files in a folder match by themselves.
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


# Lists


def _listed(stdin: BinaryIO | None, recursive: bool, offline: bool | None, videos: bool) -> Iterator[Source]:
    stream = stdin if stdin is not None else getattr(sys.stdin, "buffer", None)

    def found() -> Iterator[Source]:
        for name in _names(stream) if stream is not None else ():
            if name.startswith(_IMAGES) and not os.path.lexists(name):
                yield Source("-", problem="standard input holds an image and not a list of paths; name it /dev/stdin")
                return
            yield from _find_one(os.fsdecode(name), recursive, offline, videos)

    return _or_else(found(), "-", "standard input holds no paths")


def _names(stream: BinaryIO) -> Iterator[bytes]:
    """The names in a list, as they come. The first block decides whether NUL bytes or line ends separate them."""
    read = getattr(stream, "read1", stream.read)
    pending = read(_BLOCK)
    # An image has NUL bytes too; whoever calls wants to see how it begins.
    zero = b"\0" in pending and not pending.startswith(_IMAGES)
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


# Bytes


def _open_file(path: str) -> BinaryIO:
    file = open(path, "rb")  # noqa: SIM115 - the caller closes it
    with contextlib.ExitStack() as closing:
        closing.callback(file.close)
        if stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            closing.pop_all()
            return file
        data = file.read(PIPE_LIMIT + 1)
    if len(data) > PIPE_LIMIT:
        raise ImageError(f"more than {PIPE_LIMIT >> 20} MiB come out of the pipe")
    return io.BytesIO(data)


def _address(text: str, offline: bool | None) -> Source:
    if not text.lower().startswith(("http://", "https://")):
        return Source(text, problem="neither a file nor an http or https address")
    if offline is None:
        offline = is_offline()
    return Source(text, "url", problem="not fetched, because zoo is told to stay offline" if offline else None)


def _fetch(url: str) -> bytes:
    """The bytes at an address.

    Raises:
        ImageError: it cannot be reached, does not answer with 200, is too large or too slow.
    """
    # A tenth of a second, for those alone who need it.
    import requests

    deadline = time.monotonic() + TOTAL_TIMEOUT
    data = bytearray()
    try:
        with requests.get(url, stream=True, timeout=(CONNECT_TIMEOUT, READ_TIMEOUT)) as response:
            if response.status_code != requests.codes.ok:
                raise ImageError(f"the server answers {response.status_code} {response.reason}".rstrip())
            for block in response.iter_content(_BLOCK):
                data += block
                if len(data) > URL_LIMIT:
                    raise ImageError(f"larger than the {URL_LIMIT >> 20} MiB that zoo fetches for one image")
                if time.monotonic() > deadline:
                    raise ImageError(f"not fetched within {TOTAL_TIMEOUT:.0f} seconds")
    except requests.Timeout as error:
        raise ImageError("the server does not answer in time") from error
    except requests.ConnectionError as error:
        raise ImageError("the server cannot be reached") from error
    except requests.exceptions.ChunkedEncodingError as error:
        raise ImageError(f"the connection was cut after {len(data):,} bytes") from error
    except (requests.RequestException, ValueError, OSError) as error:
        raise ImageError(
            f"not fetched: {str(error).splitlines()[0] if str(error) else type(error).__name__}"
        ) from error
    return bytes(data)
