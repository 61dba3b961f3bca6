"""Files that appear under their name only when they are complete, and whether the disk has room for them."""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Iterator
from pathlib import Path

#: Bytes that stay free on the disk.
MARGIN = 1 << 20


@contextlib.contextmanager
def replacing(target: str | os.PathLike[str], *, sync: bool = False) -> Iterator[Path]:
    """A temporary path with the same suffix, renamed to ``target`` at the end; ``sync``: it survives a power cut."""
    target = Path(target)
    temporary = target.with_name(f".{target.stem}-{os.urandom(4).hex()}{target.suffix}")
    try:
        yield temporary
        if sync:
            publish(temporary, target)
        else:
            temporary.replace(target)
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)


def write(target: str | os.PathLike[str], data: bytes | memoryview | str, *, sync: bool = False) -> None:
    """Create or replace a file; text is written as UTF-8."""
    with replacing(target, sync=sync) as temporary:
        temporary.write_bytes(data.encode() if isinstance(data, str) else data)


def publish(source: Path, target: Path) -> None:
    """Rename a complete file to its final name, and wait until both are on the disk."""
    sync(source)
    source.replace(target)
    sync_folder(target.parent)


def sync(path: Path) -> None:
    """Wait until a file, or every file in a folder, is on the disk."""
    for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
        with file.open("r+b") as stream:
            os.fsync(stream.fileno())


def sync_folder(path: Path) -> None:
    """Wait until the names in a folder are on the disk, where the system can do it."""
    with contextlib.suppress(OSError):
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def need_space(folder: Path, size: int) -> None:
    """Raise the OSError of a full disk before any of ``size`` bytes is written, if they do not fit."""
    # Imported here because most commands do not need it.
    import shutil

    free = shutil.disk_usage(folder).free
    if size + MARGIN > free:
        raise OSError(errno.ENOSPC, f"{size / 1e6:.1f} MB are needed and {free / 1e6:.1f} MB are free")
