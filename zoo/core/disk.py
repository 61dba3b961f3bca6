"""Free disk space."""

from __future__ import annotations

import errno
import shutil
from pathlib import Path

#: Bytes that stay free on the disk.
MARGIN = 1 << 20


def need_space(folder: Path, size: int) -> None:
    """Raise the OSError of a full disk before any of ``size`` bytes is written, if they do not fit."""
    free = shutil.disk_usage(folder).free
    if size + MARGIN > free:
        raise OSError(errno.ENOSPC, f"{size / 1e6:.1f} MB are needed and {free / 1e6:.1f} MB are free")
