"""What a finished file is, as a person is told of it, and which files it consists of."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from zoo.core.errors import UsageError
from zoo.vectors.formats import table
from zoo.vectors.journal.previous import Base
from zoo.vectors.part_folder import folder_size


@dataclass(frozen=True)
class Written:
    """What was written: the file, its rows and their shape, and inputs without a row.

    ``bytes`` counts all files that belong to it. ``changed`` rows replaced older ones, because the image is another
    now; ``vanished`` ones are of images that were not among the inputs any more.
    """

    path: Path
    count: int
    failed: int
    shape: tuple[int, ...]
    bytes: int
    changed: int = 0
    vanished: int = 0


def found(target: Path, base: Base) -> Written:
    """What a finished file has."""
    failed = sum(1 for _ in base.failures())
    shape = base.columns[0].shape if base.columns else (0,)
    files = table.of(target).load().belonging(target)
    return Written(target, base.count, failed, shape, sum(map(folder_size, files)))


def obsolete(target: Path, names: Sequence[str]) -> list[str]:
    """Files of the one that is replaced, which the new one does not have."""
    if not os.path.lexists(target):
        return []
    try:
        older = table.of(target).load().belonging(target)
    except UsageError:
        # It is damaged; then nobody knows what belonged to it.
        return []
    return [file.name for file in older if file.name not in names]
