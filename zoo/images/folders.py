"""Names in folders, and names that match a glob, in natural order and with one folder in memory at a time."""

# Paths stay the text that was typed; pathlib would normalise it, and is slower on large folders.

from __future__ import annotations

import fnmatch
import os
import re
from collections.abc import Callable, Iterator

_MAGIC = re.compile(r"[*?\[]")


def natural(name: str) -> str:
    """A key for natural sorting, a total order: ``a2`` before ``a10``, case ignored."""

    def counted(match: re.Match[str]) -> str:
        # The number of digits before them makes text compare as numbers do, however long they are.
        digits = match[0].lstrip("0")
        return f"0{chr(len(digits) + 1)}{digits}"

    return re.sub("[0-9]+", counted, name.casefold()) + "\0" + name


def walk(
    top: str, *, recursive: bool, suffixes: frozenset[str] | None = None, key: Callable[[str], str] = natural
) -> Iterator[tuple[str, OSError | None]]:
    """Files (with ``suffixes``) below ``top``, sorted, without hidden ones, pipes, devices and circular links.

    A folder that cannot be listed comes with the error.
    """
    # A stack instead of recursion: folders may be nested more deeply than Python calls.
    stack = [(top, entries_of(top, suffixes, key))]
    # The open folders, to recognise a link back to one of them.
    above = [_identity(top)]
    while stack:
        folder, entries = stack[-1]
        try:
            name, is_folder = next(entries, ("", False))
        except OSError as error:
            yield folder, error
            name = ""
        if not name:
            stack.pop()
            above.pop()
            continue
        path = os.path.join(folder, name)
        if not is_folder:
            yield path, None
        elif recursive and (identity := _identity(path)) not in above:
            stack.append((path, entries_of(path, suffixes, key)))
            above.append(identity)


def is_glob(text: str) -> bool:
    """Whether a text has a wildcard."""
    return _MAGIC.search(text) is not None


def glob(pattern: str) -> Iterator[str]:
    """Paths that match a pattern with ``*``, ``?``, ``[…]`` and ``**`` (no links), lazily and in natural order."""
    drive, rest = os.path.splitdrive(pattern)
    parts = rest.replace(os.sep, "/").split("/")
    root = drive + (os.sep if len(parts) > 1 and not parts[0] else "")
    # An empty last part asks for folders.
    parts = [part for part in parts[:-1] if part] + parts[-1:]
    return _matches(root, [*parts, "*"] if parts[-1] == "**" else parts)


def _matches(base: str, parts: list[str]) -> Iterator[str]:
    if not parts:
        yield base
        return
    part, rest = parts[0], parts[1:]
    if part == "**":
        yield from _matches(base, rest)
        for name, is_folder in _listing(base):
            if is_folder:
                yield from _matches(os.path.join(base, name), parts)
    elif not is_glob(part):
        path = os.path.join(base, part)
        if os.path.isdir(path) or (part and not rest and os.path.lexists(path)):
            yield from _matches(path, rest)
    else:
        match = re.compile(fnmatch.translate(part)).match
        for name, _ in _listing(base, hidden=part.startswith(".")):
            path = os.path.join(base, name)
            if match(name) and (not rest or os.path.isdir(path)):
                yield from _matches(path, rest)


def entries_of(
    folder: str, suffixes: frozenset[str] | None = None, key: Callable[[str], str] = natural
) -> Iterator[tuple[str, bool]]:
    """Names of the files and folders in a folder, sorted, and whether each is a folder."""
    names: list[str] = []
    folders: set[str] = set()
    with os.scandir(folder or os.curdir) as entries:
        for entry in entries:
            if entry.name.startswith("."):
                continue
            if os.path.isdir(entry.path) if entry.is_symlink() else entry.is_dir():
                folders.add(entry.name)
                names.append(entry.name)
            elif (suffixes is None or os.path.splitext(entry.name)[1].lower() in suffixes) and _is_file(entry):
                names.append(entry.name)
    names.sort(key=key)
    yield from ((name, name in folders) for name in names)


def _listing(folder: str, *, hidden: bool = False) -> list[tuple[str, bool]]:
    """All names in a folder, in natural order, and whether each is a folder and no link; none if forbidden."""
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


def _is_file(entry: os.DirEntry[str]) -> bool:
    """Whether it is a file, a link to one, or a broken link; not a pipe or device."""
    # The entry's methods raise for a link to itself.
    if not entry.is_symlink():
        return entry.is_file()
    return os.path.isfile(entry.path) or not os.path.exists(entry.path)


def _identity(folder: str) -> tuple[int, int]:
    try:
        status = os.stat(folder)
    except OSError:
        return -1, -1
    return status.st_dev, status.st_ino
