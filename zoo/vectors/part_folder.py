"""The folder ``f.h5.part/`` in which a file ``f.h5`` is made, locked by one process at a time.

``about.json`` describes the work and is replaced atomically; without it nothing was begun. The log
(:mod:`zoo.vectors.journal.log`) has the rows done so far. ``output/`` gets the final files; once they are complete
``about.json`` lists them, and all that is left is to rename them, which can be repeated.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import shutil
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from zoo.core import atomic
from zoo.core.errors import UnavailableError, UsageError

PART, ABOUT, LOCK, OUTPUT, REPLACED = ".part", "about.json", "lock", "output", "replaced"

#: Raised whenever the folder is laid out in another way.
FORMAT = 1


@dataclass
class State:
    """The content of ``about.json``."""

    about: dict[str, Any]
    #: As :meth:`zoo.vectors.column.Column.as_dict`; empty before the first row.
    columns: list[dict[str, Any]] = field(default_factory=list)
    #: Identifies the file that is updated.
    base: dict[str, Any] | None = None
    #: The files in ``output/`` in the order in which they are renamed; empty until they are complete.
    files: list[str] = field(default_factory=list)
    #: Files of the replaced file that the new one does not have.
    obsolete: list[str] = field(default_factory=list)
    format: int = FORMAT


class PartFolder:
    """The folder of one file."""

    def __init__(self, target: Path) -> None:
        """Nothing is created yet."""
        self.target = target
        self.path = target.with_name(target.name + PART)
        self._lock: Any = None

    @property
    def begun(self) -> bool:
        """Whether it holds unfinished work."""
        return (self.path / ABOUT).exists()

    def hold(self) -> None:
        """Create the folder and lock it."""
        import filelock

        lock = filelock.FileLock(self.path / LOCK, timeout=0, thread_local=False)
        while True:
            try:
                self.path.mkdir(exist_ok=True)
                # Ours has a lock before anything else.
                names = os.listdir(self.path)
                if names and LOCK not in names:
                    raise UsageError(
                        f"{self.path} holds something else; remove it, or name another file than {self.target}."
                    )
                lock.acquire()
            except filelock.Timeout:
                raise UnavailableError(
                    f"{self.target} is being made by another process; wait for it, or name another file."
                ) from None
            except FileNotFoundError as error:
                if self.path.parent.is_dir():
                    continue
                raise UnavailableError(f"{self.target} cannot be made: there is no such folder.") from error
            except OSError as error:
                raise unwritable(error, self.target) from error
            # The previous holder may have removed the folder, with the lock, just now.
            if (self.path / LOCK).exists():
                break
            lock.release()
        self._lock = lock

    def release(self) -> None:
        """Unlock the folder, and remove it if it is empty."""
        if self._lock is None:
            return
        if not self.begun:
            with contextlib.suppress(OSError):
                # The lock last: without it the folder would be taken for something else.
                self.clear()
                (self.path / LOCK).unlink()
                self.path.rmdir()
        self._lock.release()
        self._lock = None

    def read(self) -> State:
        """Read ``about.json``."""
        try:
            values = json.loads((self.path / ABOUT).read_bytes())
            if values["format"] != FORMAT:
                raise ValueError(values["format"])
            return State(**values)
        except (OSError, ValueError, TypeError, KeyError) as error:
            raise UsageError(
                f"{self.path} is damaged, or of another version of zoo; --overwrite starts over."
            ) from error

    def save(self, state: State) -> None:
        """Write ``about.json``; raises OSError. It is written rarely, and waits for the disk."""
        atomic.write(self.path / ABOUT, json.dumps(asdict(state), indent=1), sync=True)

    def clear(self) -> None:
        """Remove everything but the lock, ``about.json`` first, so that no partial folder is resumed."""
        (self.path / ABOUT).unlink(missing_ok=True)
        for path in self.path.iterdir():
            if path.name != LOCK:
                remove(path)

    def output(self) -> Path:
        """Create the empty folder for the final files; raises OSError."""
        output = self.path / OUTPUT
        remove(output)
        output.mkdir()
        return output

    def publish(self, state: State) -> None:
        """Rename the final files and remove the folder; can be repeated after an interruption. Raises OSError."""
        for name in state.files:
            made, final = self.path / OUTPUT / name, self.target.with_name(name)
            if not made.exists():
                continue
            if final.is_dir():
                # A folder with content cannot be replaced in one step.
                remove(self.path / REPLACED)
                final.rename(self.path / REPLACED)
            made.replace(final)
        for name in state.obsolete:
            remove(self.target.with_name(name))
        atomic.sync_folder(self.target.parent)
        self.clear()


def folder_size(path: Path) -> int:
    """Bytes of a file, or of all files in a folder."""
    files = (file for file in path.rglob("*") if file.is_file()) if path.is_dir() else (path,)
    return sum(file.stat().st_size for file in files)


def remove(path: Path) -> None:
    """Remove a file or a folder, if it is there."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def unwritable(error: Exception, path: Path, kept: Path | None = None) -> UnavailableError:
    """The error for a disk that cannot be written; ``kept`` is the folder with the work so far."""
    code = getattr(error, "errno", None)
    text = str(error).splitlines()[0] if str(error) else type(error).__name__
    full = code in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG) or "No space left" in text or "File too large" in text
    why = (getattr(error, "strerror", None) or text).rstrip(".")
    why = why[:1].lower() + why[1:]
    if full:
        # The check before writing says more than the system.
        why = "the disk is full" + (f" ({why})" if "needed" in why else "")
    if kept is None:
        return UnavailableError(f"{path} cannot be written: {why}.")
    remedy = "free disk space" if full else "solve this"
    return UnavailableError(
        f"{path} cannot be written: {why}; what is done is kept in {kept.name}: {remedy}, then use --resume."
    )
