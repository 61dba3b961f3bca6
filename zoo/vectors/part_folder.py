"""The folder beside a file in which it is made: ``f.h5.part/``, held by one process at a time.

``about.json`` says what is made in it; it is replaced as a whole, and where there is none nothing was begun. The log
(:mod:`zoo.vectors.journal.log`) has what is done. ``output/`` gets the files as they will be; once they are there
``about.json`` says so, and from then on all that is left is to give them their names, which can be repeated.
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
    """What ``about.json`` says."""

    about: dict[str, Any]
    #: As :meth:`zoo.vectors.column.Column.as_dict` has them; none before the first row.
    columns: list[dict[str, Any]] = field(default_factory=list)
    #: How the file that is continued is recognised.
    base: dict[str, Any] | None = None
    #: The files in ``output/``, in the order in which they get their names; none before they are whole.
    files: list[str] = field(default_factory=list)
    #: Files of the one that is replaced, which its successor does not have.
    obsolete: list[str] = field(default_factory=list)
    format: int = FORMAT


class Folder:
    """The folder of one file."""

    def __init__(self, target: Path) -> None:
        """Nothing is made yet."""
        self.target = target
        self.path = target.with_name(target.name + PART)
        self._lock: Any = None

    @property
    def begun(self) -> bool:
        """Whether there is something in it."""
        return (self.path / ABOUT).exists()

    def hold(self) -> None:
        """Make the folder and lock it.

        Raises:
            UnavailableError: another process holds it, or it cannot be made.
            UsageError: there is a folder of that name that is something else.
        """
        import filelock

        lock = filelock.FileLock(self.path / LOCK, timeout=0, thread_local=False)
        while True:
            try:
                self.path.mkdir(exist_ok=True)
                self._refuse_foreign()
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
            # Who held it before may have removed the folder, and the lock with it, just now.
            if (self.path / LOCK).exists():
                break
            lock.release()
        self._lock = lock

    def _refuse_foreign(self) -> None:
        """See that the folder is not somebody else's: one of these has a lock before anything else.

        Raises:
            UsageError: it is.
        """
        names = os.listdir(self.path)
        if names and LOCK not in names:
            raise UsageError(f"{self.path} holds something else; remove it, or name another file than {self.target}.")

    def release(self) -> None:
        """Let others have it; an empty folder goes."""
        if self._lock is None:
            return
        if not self.begun:
            with contextlib.suppress(OSError):
                # The lock goes last: without it the folder would pass for somebody else's.
                self.clear()
                (self.path / LOCK).unlink()
                self.path.rmdir()
        self._lock.release()
        self._lock = None

    def read(self) -> State:
        """What is made here.

        Raises:
            UsageError: it cannot be made out.
        """
        try:
            values = json.loads((self.path / ABOUT).read_bytes())
            if values["format"] != FORMAT:
                raise ValueError("another version of zoo made it")
            return State(**values)
        except (OSError, ValueError, TypeError, KeyError) as error:
            raise UsageError(
                f"{self.path} is damaged, or of another version of zoo; --overwrite begins anew."
            ) from error

    def save(self, state: State) -> None:
        """Write down what is made here.

        Raises:
            OSError: it cannot be written.
        """
        # It is written only a few times, and everything else is worth nothing without it.
        atomic.write(self.path / ABOUT, json.dumps(asdict(state), indent=1), sync=True)

    def clear(self) -> None:
        """Remove everything but the lock. What it is goes first, so that no half of it is ever taken for a whole."""
        (self.path / ABOUT).unlink(missing_ok=True)
        for path in self.path.iterdir():
            if path.name != LOCK:
                remove(path)

    def output(self) -> Path:
        """An empty folder for the files; raises an OSError where it cannot be made."""
        output = self.path / OUTPUT
        remove(output)
        output.mkdir()
        return output

    def publish(self, state: State) -> None:
        """Give the files their names, and remove the folder; once begun, this can be repeated until it is done.

        Raises:
            OSError: it cannot be done.
        """
        for name in state.files:
            made, final = self.path / OUTPUT / name, self.target.with_name(name)
            if not made.exists():
                continue
            if final.is_dir():
                # A folder with something in it cannot be replaced in one step.
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
    """The sentence for a disk that refuses; ``kept`` is where the work so far is."""
    code = getattr(error, "errno", None)
    text = str(error).splitlines()[0] if str(error) else type(error).__name__
    full = code in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG) or "No space left" in text or "File too large" in text
    why = (getattr(error, "strerror", None) or text).rstrip(".")
    why = why[:1].lower() + why[1:]
    if full:
        # Who looked at the room before writing knows more than the system says.
        why = "the disk is full" + (f" ({why})" if "needed" in why else "")
    if kept is None:
        return UnavailableError(f"{path} cannot be written: {why}.")
    remedy = "make room" if full else "see to that"
    return UnavailableError(
        f"{path} cannot be written: {why}; what is done is kept in {kept.name}: {remedy}, and --resume goes on."
    )
