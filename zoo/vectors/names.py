"""The names of images in files: any name that a file can have comes back as it was, and every text can be written.

In memory a name is what Python makes of it, where bytes that are no UTF-8 are lone surrogates (``surrogateescape``); in
a file it is those bytes again. What no file can be called, a text with a NUL or with other surrogates, has them written
with a backslash.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from typing import overload

#: Names read together.
BLOCK = 4096

#: What ends a line for one reader or another, and what begins a quoted one here.
_BREAKS = frozenset("\n\r\t\v\f\x1c\x1d\x1e\x85\u2028\u2029")


def encode(name: str) -> bytes:
    """A name as bytes, without NUL."""
    try:
        data = name.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        data = name.encode("utf-8", "backslashreplace")
    return data.replace(b"\0", b"\\x00")


def decode(data: bytes) -> str:
    """The name that :func:`encode` made bytes of."""
    return data.decode("utf-8", "surrogateescape")


def to_line(name: str) -> bytes:
    """A name as one line of text, without its end: the name itself, where that is safe.

    A name that is empty, begins with ``"`` or has a line break or a tab is written as a JSON string.
    """
    if not name or name[0] == '"' or not _BREAKS.isdisjoint(name):
        return json.dumps(name).encode()
    return encode(name)


def from_line(line: bytes) -> str:
    """The name that :func:`to_line` made a line of; a line that only looks like a JSON string is itself."""
    if line.startswith(b'"'):
        try:
            name = json.loads(line)
        except ValueError:
            return decode(line)
        if isinstance(name, str):
            return name
    return decode(line)


def to_text(name: str) -> str:
    """A name as text that every reader of UTF-8 takes: the name itself, where that is safe, else a JSON string."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return json.dumps(name)
    return json.dumps(name) if name.startswith('"') else name


def from_text(text: str) -> str:
    """The name that :func:`to_text` made a text of."""
    return from_line(encode(text))


class Names(Sequence[str]):
    """The names in a file, of which one block at a time is in memory."""

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
        """One name, or a list of those of a slice."""
        if isinstance(index, slice):
            start, stop, step = index.indices(self._count)
            if step == 1:
                return self._fetch(start, stop) if start < stop else []
            return [self[row] for row in range(start, stop, step)]
        row = range(self._count)[index]
        # Read into variables of this call's own, because another thread may ask for another block meanwhile.
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
    """Names for rows that have none: ``row 0``, ``row 1`` and so on."""
    return Names(count, lambda start, stop: [f"row {row}" for row in range(start, stop)])
