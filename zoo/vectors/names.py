"""Image paths in files: every file name is restored exactly, and every string can be written.

In memory, bytes that are not UTF-8 are lone surrogates (``surrogateescape``); in a file they are these bytes. NUL and
other surrogates, which no file name contains, are written as backslash escapes.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from typing import overload

#: Names that are read together.
BLOCK = 4096

#: Line breaks of any reader, and the tab.
_BREAKS = frozenset("\n\r\t\v\f\x1c\x1d\x1e\x85\u2028\u2029")


def encode(name: str) -> bytes:
    """A name as bytes without NUL."""
    try:
        data = name.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        data = name.encode("utf-8", "backslashreplace")
    return data.replace(b"\0", b"\\x00")


def decode(data: bytes) -> str:
    """The inverse of :func:`encode`."""
    return data.decode("utf-8", "surrogateescape")


def to_line(name: str) -> bytes:
    """A name as one line without its end; a JSON string if it is empty, starts with ``"`` or has breaks or tabs."""
    if not name or name[0] == '"' or not _BREAKS.isdisjoint(name):
        return json.dumps(name).encode()
    return encode(name)


def from_line(line: bytes) -> str:
    """The inverse of :func:`to_line`; a line that is no valid JSON string is taken as it is."""
    if line.startswith(b'"'):
        try:
            name = json.loads(line)
        except ValueError:
            return decode(line)
        if isinstance(name, str):
            return name
    return decode(line)


def to_text(name: str) -> str:
    """A name as valid Unicode; a JSON string if it is not, or begins with ``"``."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return json.dumps(name)
    return json.dumps(name) if name.startswith('"') else name


def from_text(text: str) -> str:
    """The inverse of :func:`to_text`."""
    return from_line(encode(text))


class Names(Sequence[str]):
    """The names in a file; one block at a time is in memory."""

    def __init__(self, count: int, fetch: Callable[[int, int], list[str]]) -> None:
        """``fetch(start, stop)`` reads some of ``count`` names."""
        self._count, self._fetch = count, fetch
        self._start, self._block = 0, list[str]()

    def __len__(self) -> int:
        return self._count

    @overload
    def __getitem__(self, index: int) -> str: ...
    @overload
    def __getitem__(self, index: slice) -> list[str]: ...
    def __getitem__(self, index: int | slice) -> str | list[str]:
        if isinstance(index, slice):
            start, stop, step = index.indices(self._count)
            if step == 1:
                return self._fetch(start, stop) if start < stop else []
            return [self[row] for row in range(start, stop, step)]
        row = range(self._count)[index]
        # Local variables, because another thread may fetch another block meanwhile.
        start, block = self._start, self._block
        if not start <= row < start + len(block):
            start = row - row % BLOCK
            block = self._fetch(start, min(start + BLOCK, self._count))
            self._start, self._block = start, block
        return block[row - start]

    def __iter__(self) -> Iterator[str]:
        for start in range(0, self._count, BLOCK):
            yield from self._fetch(start, min(start + BLOCK, self._count))


def numbered(count: int) -> Names:
    """``row 0``, ``row 1``, … for rows without names."""
    return Names(count, lambda start, stop: [f"row {row}" for row in range(start, stop)])
