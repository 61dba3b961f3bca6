"""From what a person types to a stream of pictures: files, folders, globs, addresses, lists and pipes."""

from __future__ import annotations

import contextlib
import fnmatch
import io
import os
import re
import stat
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, BinaryIO, Literal, cast

from zoo.errors import ImageError

if TYPE_CHECKING:
    import numpy as np

#: Ends of names that count as pictures in a folder: what Pillow opens without running another program, and HEIF.
SUFFIXES = frozenset(
    """
    .apng .avif .avifs .blp .bmp .bw .cur .dcx .dds .dib .fit .fits .flc .fli .ftc .ftu .gbr .gif .heic .heics .heif
    .heifs .hif .icb .icns .ico .iim .im .j2c .j2k .jfif .jp2 .jpc .jpe .jpeg .jpf .jpg .jpx .mpo .msp .pbm .pcd .pcx
    .pfm .pgm .png .pnm .ppm .psd .pxr .qoi .ras .rgb .rgba .sgi .tga .tif .tiff .vda .vst .webp .xbm .xpm
    """.split()
)
#: Bytes taken from an address, and from a pipe, at most.
URL_LIMIT = 64 << 20
PIPE_LIMIT = 256 << 20
#: Seconds to wait for a connection, for the next bytes, and for the whole picture.
CONNECT_TIMEOUT, READ_TIMEOUT, TOTAL_TIMEOUT = 5.0, 20.0, 120.0

_ADDRESS = re.compile(r"[a-z][a-z0-9+.-]*://", re.IGNORECASE)
_MAGIC = re.compile(r"[*?\[]")
_BLOCK = 1 << 16
#: How a picture begins, for somebody who pipes one into a list of paths.
_PICTURES = (b"\xff\xd8\xff", b"\x89PNG\r\n", b"GIF8", b"RIFF", b"II*\0", b"MM\0*")


@dataclass(frozen=True, slots=True)
class Source:
    """One picture that was asked for, not yet read; or an input of which it is already known that it is none."""

    #: What the output calls it: what was typed, or what was found below it.
    path: str
    kind: Literal["file", "url", "array"] = "file"
    #: Why it cannot be read, where that is known without reading.
    problem: str | None = None
    #: The pixels of an array: uint8, (height, width), or (height, width, 1, 3 or 4).
    pixels: np.ndarray | None = field(default=None, repr=False, compare=False)

    @classmethod
    def from_array(cls, pixels: np.ndarray, *, name: str = "array") -> Source:
        """A picture that is in memory already; ``name`` stands where a path would."""
        return cls(name, "array", pixels=pixels)

    def open(self) -> BinaryIO:
        """Open the picture's bytes for reading; they can be sought in.

        A regular file is read as needed. A pipe and an address are read to their end first.

        Raises:
            ImageError: it is missing, a folder, forbidden, too large, or does not come in time.
        """
        if self.problem is not None:
            raise ImageError(self.problem)
        if self.kind == "url":
            return io.BytesIO(_fetch(self.path))
        if self.kind == "array":
            raise ImageError("an array in memory, not a file")
        try:
            return _open_file(self.path)
        except (OSError, ValueError) as error:
            raise ImageError(reason(error)) from error


def find(
    inputs: str | os.PathLike[str] | Iterable[str | os.PathLike[str]],
    *,
    recursive: bool = False,
    stdin: BinaryIO | None = None,
    offline: bool | None = None,
) -> Iterator[Source]:
    """Find pictures, lazily and in the order of the inputs; each input gives at least one source.

    * A **file** is itself, whatever its name; so is a pipe, e.g. ``/dev/stdin``.
    * A **folder** gives its pictures, by :data:`SUFFIXES`, in natural order (``2.jpg`` before ``10.jpg``). Hidden
      files, pipes and devices in it are skipped. The names of one folder at a time are held in memory.
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
    """
    if isinstance(inputs, str | bytes | os.PathLike):
        inputs = [inputs]
    for item in inputs:
        text = os.fsdecode(item)
        if text == "-":
            yield from _listed(stdin, recursive, offline)
        else:
            yield from _find_one(text, recursive, offline)


def reason(error: OSError | ValueError) -> str:
    """Why the system does not give a file, in a few words and without its name."""
    if isinstance(error, FileNotFoundError):
        return "no such file"
    if isinstance(error, IsADirectoryError):
        return "a folder, not a file"
    if isinstance(error, OSError):
        return f"the system does not give it: {(error.strerror or str(error)).lower()}"
    return f"not a name that a file can have: {error}"


def _find_one(text: str, recursive: bool, offline: bool | None) -> Iterator[Source]:
    """What one input stands for."""
    try:
        mode = os.stat(text).st_mode
    except (OSError, ValueError) as error:
        if os.path.islink(text):
            yield Source(text, problem=_broken(text))
        elif _ADDRESS.match(text):
            yield _address(text, offline)
        elif _MAGIC.search(text):
            yield from _globbed(text, recursive)
        else:
            yield Source(
                text, problem="no such file or folder" if isinstance(error, FileNotFoundError) else reason(error)
            )
        return
    if stat.S_ISDIR(mode):
        yield from _at_least_one(_walk(text, recursive), lambda: Source(text, problem=_without_pictures(recursive)))
    else:
        yield Source(text)


def _at_least_one(found: Iterator[Source], otherwise: Callable[[], Source]) -> Iterator[Source]:
    empty = True
    for source in found:
        empty = False
        yield source
    if empty:
        yield otherwise()


def _without_pictures(recursive: bool) -> str:
    hint = "" if recursive else " (with --recursive, the folders in it are looked into)"
    return f"a folder without pictures{hint}"


def _broken(path: str) -> str:
    try:
        os.stat(path)
    except OSError as error:
        if isinstance(error, FileNotFoundError):
            return f"a link to {os.readlink(path)}, which does not exist"
        return f"a link that leads nowhere: {(error.strerror or str(error)).lower()}"
    return "a link that leads nowhere"


# Folders


def _walk(top: str, recursive: bool) -> Iterator[Source]:
    """The pictures in a folder, in natural order, a folder's where its own name stands."""
    # A stack and not recursion: folders may be nested more deeply than Python calls.
    stack = [(top, _entries(top))]
    # Which folders are open, to see a link that leads back to one of them.
    above = [_identity(top)]
    while stack:
        folder, entries = stack[-1]
        try:
            name, is_folder = next(entries)
        except StopIteration:
            stack.pop()
            above.pop()
            continue
        except OSError as error:
            stack.pop()
            above.pop()
            yield Source(folder, problem=f"a folder that cannot be listed: {(error.strerror or str(error)).lower()}")
            continue
        path = os.path.join(folder, name)
        if not is_folder:
            yield Source(path, problem=_broken(path) if os.path.islink(path) and not os.path.exists(path) else None)
        elif recursive and (identity := _identity(path)) not in above:
            stack.append((path, _entries(path)))
            above.append(identity)


def _entries(folder: str) -> Iterator[tuple[str, bool]]:
    """Names of the pictures and folders in a folder, in natural order, and whether each is a folder."""
    names: list[str] = []
    folders: set[str] = set()
    with os.scandir(folder or os.curdir) as entries:
        for entry in entries:
            if entry.name.startswith("."):
                continue
            if entry.is_dir():
                folders.add(entry.name)
                names.append(entry.name)
            elif os.path.splitext(entry.name)[1].lower() in SUFFIXES and (entry.is_file() or _is_broken(entry)):
                names.append(entry.name)
    names.sort(key=natural)
    yield from ((name, name in folders) for name in names)


def _is_broken(entry: os.DirEntry[str]) -> bool:
    return entry.is_symlink() and not os.path.exists(entry.path)


def _identity(folder: str) -> tuple[int, int]:
    try:
        status = os.stat(folder)
    except OSError:
        return -1, -1
    return status.st_dev, status.st_ino


def natural(name: str) -> str:
    """A key that sorts names as people count: ``a2`` before ``a10``, whatever the case; a total order."""
    # The count of digits before the number itself makes text compare as numbers do, however long they are.
    counted = re.sub("[0-9]+", lambda digits: _counted(digits[0].lstrip("0")), name.casefold())
    return f"{counted}\0{name}"


def _counted(digits: str) -> str:
    return f"0{chr(len(digits) + 1)}{digits}"


# Globs


def _globbed(pattern: str, recursive: bool) -> Iterator[Source]:
    drive, rest = os.path.splitdrive(pattern)
    parts = rest.replace(os.sep, "/").split("/")
    root = drive + (os.sep if len(parts) > 1 and not parts[0] else "")
    parts = [part for i, part in enumerate(parts) if part or i == len(parts) - 1]
    deep = "**" in parts
    if parts[-1] == "**":
        parts.append("*")

    def matches() -> Iterator[Source]:
        for path in _matches(root, parts):
            if os.path.isfile(path) or not os.path.exists(path):
                yield from _find_one(path, recursive, offline=True)
            elif os.path.isdir(path) and not deep:
                yield from _find_one(path, recursive, offline=True)

    return _at_least_one(matches(), lambda: Source(pattern, problem="no file matches this pattern"))


def _matches(base: str, parts: list[str]) -> Iterator[str]:
    """Paths below ``base`` that the parts of a pattern lead to, in natural order; links are not followed by ``**``."""
    if not parts:
        yield base
        return
    part, rest = parts[0], parts[1:]
    if part == "**":
        yield from _matches(base, rest)
        for name, descend in _listing(base):
            if descend:
                yield from _matches(os.path.join(base, name), parts)
    elif not part or not _MAGIC.search(part):
        path = os.path.join(base, part)
        if os.path.isdir(path) or (part and not rest and os.path.lexists(path)):
            yield from _matches(path, rest)
    else:
        match = re.compile(fnmatch.translate(part)).match
        for name, _ in _listing(base, hidden=part.startswith(".")):
            path = os.path.join(base, name)
            if match(name) and (not rest or os.path.isdir(path)):
                yield from _matches(path, rest)


def _listing(folder: str, *, hidden: bool = False) -> list[tuple[str, bool]]:
    """All names in a folder, in natural order, with whether each is a folder and no link; none where forbidden."""
    try:
        with os.scandir(folder or os.curdir) as entries:
            found = [
                (entry.name, entry.is_dir(follow_symlinks=False))
                for entry in entries
                if hidden or not entry.name.startswith(".")
            ]
    except OSError:
        return []
    return sorted(found, key=lambda entry: natural(entry[0]))


# Lists


def _listed(stdin: BinaryIO | None, recursive: bool, offline: bool | None) -> Iterator[Source]:
    stream = stdin if stdin is not None else getattr(sys.stdin, "buffer", None)

    def found() -> Iterator[Source]:
        for name in _names(stream) if stream is not None else ():
            if name.startswith(_PICTURES):
                yield Source("-", problem="standard input holds a picture and not a list of paths; name it /dev/stdin")
                return
            yield from _find_one(os.fsdecode(name), recursive, offline)

    return _at_least_one(found(), lambda: Source("-", problem="standard input holds no paths"))


def _names(stream: BinaryIO) -> Iterator[bytes]:
    """The names in a list, as they come. The first block decides whether NUL bytes or line ends separate them."""
    read = getattr(stream, "read1", stream.read)
    pending = read(_BLOCK)
    # A picture has NUL bytes too; whoever calls wants to see how it begins.
    zero = b"\0" in pending and not pending.startswith(_PICTURES)
    separator = b"\0" if zero else b"\n"
    while block := pending:
        *names, rest = block.split(separator)
        for name in names:
            if name := name if zero else name.removesuffix(b"\r"):
                yield name
        more = read(_BLOCK)
        if not more and rest:
            yield rest
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
        from zoo.pretrained import is_offline

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
                    raise ImageError(f"larger than the {URL_LIMIT >> 20} MiB that zoo fetches for one picture")
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
    return bytes(cast("bytes", data))
