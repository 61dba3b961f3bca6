"""Names in folders and of patterns, in the order in which people count, one folder in memory at a time."""

# Paths stay the text that was typed; pathlib would tidy it, and is slower on large folders.

from __future__ import annotations

import fnmatch
import os
import re
from collections.abc import Iterator

#: Ends of names that count as images in a folder: what Pillow opens without running another program, and HEIF.
SUFFIXES = frozenset(
    """
    .apng .avif .avifs .blp .bmp .bw .cur .dcx .dds .dib .fit .fits .flc .fli .ftc .ftu .gbr .gif .heic .heics .heif
    .heifs .hif .icb .icns .ico .iim .im .j2c .j2k .jfif .jp2 .jpc .jpe .jpeg .jpf .jpg .jpx .mpo .msp .pbm .pcd .pcx
    .pfm .pgm .png .pnm .ppm .psd .pxr .qoi .ras .rgb .rgba .sgi .tga .tif .tiff .vda .vst .webp .xbm .xpm
    """.split()  # noqa: SIM905 - a list would take a line for each
)

_MAGIC = re.compile(r"[*?\[]")


def natural(name: str) -> str:
    """A key that sorts names as people count: ``a2`` before ``a10``, whatever the case; a total order."""
    # A number's count of digits before it makes text compare as numbers do, however long they are.
    return re.sub("[0-9]+", lambda digits: _counted(digits[0].lstrip("0")), name.casefold()) + "\0" + name


def _counted(digits: str) -> str:
    return f"0{chr(len(digits) + 1)}{digits}"


def walk(top: str, *, recursive: bool, suffixes: frozenset[str] = SUFFIXES) -> Iterator[tuple[str, OSError | None]]:
    """Images in a folder, by ``suffixes``, in natural order, those of a folder where its own name stands.

    Hidden names, pipes and devices are skipped, and links to a folder that leads here. Links that are broken count.

    Yields:
        A path that begins with ``top``; or a folder that cannot be listed, with the error.
    """
    # A stack and not recursion: folders may be nested more deeply than Python calls.
    stack = [(top, _entries(top, suffixes))]
    # The folders that are open, to see a link that leads back to one of them.
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
            stack.append((path, _entries(path, suffixes)))
            above.append(identity)


def is_glob(text: str) -> bool:
    """Whether a text has what makes a pattern."""
    return _MAGIC.search(text) is not None


def glob(pattern: str) -> Iterator[str]:
    """Paths that match a pattern with ``*``, ``?``, ``[…]`` and ``**``, lazily and in natural order.

    Hidden names match only where the pattern has the dot. ``**`` stands for any number of folders and does not
    follow links, so that it ends; at the end of a pattern it stands for everything below.
    """
    drive, rest = os.path.splitdrive(pattern)
    parts = rest.replace(os.sep, "/").split("/")
    root = drive + (os.sep if len(parts) > 1 and not parts[0] else "")
    # The last part may be empty: such a pattern asks for folders.
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


def _entries(folder: str, suffixes: frozenset[str]) -> Iterator[tuple[str, bool]]:
    """Names of the images and folders in a folder, in natural order, and whether each is a folder."""
    names: list[str] = []
    folders: set[str] = set()
    with os.scandir(folder or os.curdir) as entries:
        for entry in entries:
            if entry.name.startswith("."):
                continue
            if os.path.isdir(entry.path) if entry.is_symlink() else entry.is_dir():
                folders.add(entry.name)
                names.append(entry.name)
            elif os.path.splitext(entry.name)[1].lower() in suffixes and _is_file(entry):
                names.append(entry.name)
    names.sort(key=natural)
    yield from ((name, name in folders) for name in names)


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


def _is_file(entry: os.DirEntry[str]) -> bool:
    """Whether it is a file, or a link to one, or a link to nothing: no pipe and no device."""
    # An entry's own methods raise for a link that leads to itself.
    if not entry.is_symlink():
        return entry.is_file()
    return os.path.isfile(entry.path) or not os.path.exists(entry.path)


def _identity(folder: str) -> tuple[int, int]:
    try:
        status = os.stat(folder)
    except OSError:
        return -1, -1
    return status.st_dev, status.st_ino
