"""Checkpoints: every value from which a training is resumed exactly, in one file, written atomically."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from zoo.core import atomic
from zoo.core.errors import UnavailableError, UsageError

_NOTES = "notes"  #: The member that holds the plain values, as JSON.


def save(path: Path, arrays: Sequence[np.ndarray], notes: Mapping[str, Any], *, command: str = "train") -> None:
    """Write arrays, in order, and plain values; an earlier file stays until the new one is complete.

    ``command`` resumes it, for the error message.
    """
    members: dict[str, Any] = {f"{index:05d}": array for index, array in enumerate(arrays)}
    members[_NOTES] = np.frombuffer(json.dumps(notes).encode(), dtype="uint8")
    try:
        with atomic.replacing(path, sync=True) as temporary, temporary.open("wb") as file:
            np.savez(file, **members)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        kept = f"the one before it is complete; resume with 'zoo {command} --resume {path.parent}'"
        rest = kept if path.exists() else "make room and start again"
        raise UnavailableError(f"The checkpoint {path} cannot be written ({reason}): {rest}.") from error


def load(path: Path) -> tuple[list[np.ndarray], dict[str, Any]]:
    """Read what :func:`save` wrote. No pickle is read, so that the file cannot run code."""
    try:
        with np.load(path, allow_pickle=False) as file:
            notes = json.loads(file[_NOTES].tobytes())
            return [file[name] for name in sorted(file.files) if name != _NOTES], notes
    except FileNotFoundError as error:
        raise UsageError(f"{path.parent} has no {path.name}, so it cannot be resumed.") from error
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise UsageError(f"{path} is damaged ({error}); start again, without --resume.") from error
