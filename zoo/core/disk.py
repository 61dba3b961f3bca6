"""Room on the disk."""

from __future__ import annotations

import errno
import shutil
from pathlib import Path

#: Bytes that stay free on the disk.
MARGIN = 1 << 20


def need_space(folder: Path, size: int) -> None:
    """Raise the error of a full disk where ``size`` bytes do not fit, before any is written."""
    free = shutil.disk_usage(folder).free
    if size + MARGIN > free:
        raise OSError(errno.ENOSPC, f"{size / 1e6:.1f} MB are needed and {free / 1e6:.1f} MB are free")
