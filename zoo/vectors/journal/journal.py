"""Writing a file of vectors so that an interruption loses nothing."""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self, get_args

import numpy as np

from zoo.core import atomic
from zoo.core.atomic import need_space
from zoo.core.errors import UnavailableError, UsageError
from zoo.images.source import Source
from zoo.vectors.column import FEATURES, Column
from zoo.vectors.content import is_stored, stamp
from zoo.vectors.formats.registry import format_of
from zoo.vectors.journal.existing_file import ExistingFile, fingerprint
from zoo.vectors.journal.log import LINES, Line, Log
from zoo.vectors.journal.merge import MergedContent
from zoo.vectors.journal.path_matcher import PathMatcher
from zoo.vectors.part_folder import PartFolder, State, folder_size, unwritable
from zoo.vectors.provenance import check_columns, check_settings

Mode = Literal["new", "resume", "update", "overwrite"]

#: Rows are committed after so many seconds, or so many bytes.
SECONDS, BYTES = 1.0, 8 << 20


@dataclass(frozen=True)
class Written:
    """A finished file; ``changed`` rows replaced older ones, ``vanished`` are of images that are no inputs any more."""

    path: Path
    count: int
    failed: int
    shape: tuple[int, ...]
    bytes: int
    changed: int = 0
    vanished: int = 0


class Journal:
    """A file of vectors that is being written; a context manager.

    Without :meth:`finish`, also after an exception or Ctrl-C, the work is kept in ``FILE.part`` and can be resumed; if
    the process is killed, all but the last second. A journal belongs to one thread; only :meth:`pending` may be
    iterated by another, and ``vanished`` is set when it is exhausted.
    """

    def __init__(
        self, folder: PartFolder, state: State, older: ExistingFile | None, closing: contextlib.ExitStack
    ) -> None:
        """Use :meth:`open`; raises OSError if the files of the folder cannot be opened."""
        self.target, self.complete, self.vanished = folder.target, False, 0
        self._format = format_of(self.target)
        self._folder, self._state, self._older, self._closing = folder, state, older, closing
        self.columns = tuple(Column.from_dict(column) for column in state.columns)
        self._log = Log(folder.path, self.columns)
        closing.callback(self._log.close)
        #: For each input handed out: size and time of its file, and the row that it replaces.
        self._handed_out: dict[str, deque[tuple[int, int, int | None]]] = {}
        self._lock = threading.Lock()
        self._committed = time.monotonic()
        self._broken = False

    @classmethod
    def open(cls, target: str | os.PathLike[str], about: Mapping[str, Any], *, mode: Mode = "new") -> Journal:
        """Begin, resume or update a file: ``"new"`` refuses an existing one; ``"resume"`` continues, or begins.

        ``"update"`` adds new images, retries failed and recomputes changed ones, or begins; ``"overwrite"``
        replaces the file when the new one is complete.
        """
        if mode not in get_args(Mode):
            raise UsageError(f"Expected one of the modes {', '.join(get_args(Mode))}. Received: {mode}")
        path = Path(target)
        format = format_of(path)
        format.load()
        format.check_target(path)
        if mode == "new":
            _refuse_existing(path)
        folder = PartFolder(path)
        with contextlib.ExitStack() as closing:
            folder.hold()
            closing.callback(folder.release)
            try:
                return cls._opened(folder, dict(about), mode, closing)
            except OSError as error:
                raise unwritable(error, path) from error

    @classmethod
    def _opened(cls, folder: PartFolder, about: dict[str, Any], mode: Mode, closing: contextlib.ExitStack) -> Journal:
        """The journal of a locked folder; it takes over what is to be closed."""
        target, state = folder.target, None
        if mode == "new":
            _refuse_existing(target)
            if folder.begun:
                raise UsageError(
                    f"{target} was begun and not finished; --resume continues it, --overwrite starts over."
                )
        elif mode != "overwrite" and folder.begun:
            state = folder.read()
            check_settings(target, state.about, about)
            if state.files:
                # It was complete but not renamed.
                folder.publish(state)
                state = None
        older = None
        finished = os.path.lexists(target)
        if state is not None and state.base is not None and (not finished or state.base != fingerprint(target)):
            raise UsageError(f"{target} has changed since --update began; remove {folder.path}, and update it again.")
        if (state.base is not None) if state else (finished and mode in ("resume", "update")):
            older = ExistingFile(target)
            closing.callback(older.close)
            check_settings(target, older.about, about)
        if state is None and older is not None and mode == "resume":
            return _FinishedJournal(folder, older)
        if state is None:
            folder.clear()
            state = State(about)
            if older is not None:
                state.base, state.columns = fingerprint(target), [column.as_dict() for column in older.columns]
            folder.save(state)
        journal = cls(folder, state, older, closing)
        journal._closing = closing.pop_all()
        return journal

    @property
    def declared(self) -> bool:
        """Whether the columns are known."""
        return bool(self.columns)

    def pending(self, sources: Iterable[Source]) -> Iterator[Source]:
        """The inputs that are not done yet, lazily and in order.

        If the inputs are the same as before the interruption, this needs no memory. Repeated inputs are repeated rows.
        """
        done = PathMatcher(line.path for line in self._log.lines())
        old = PathMatcher(entry.path for entry in self._older.entries()) if self._older else None
        gone = 0
        for source in sources:
            size, time_ns = stamp(source)
            row = old.match(source.path) if old else None
            if row is not None and self._older is not None:
                was = self._older.stamp(row)
                # The row of a missing file stays.
                gone += is_stored(source) and size < 0
                if size < 0 or not self._older.stamped or was == (size, time_ns):
                    continue
            if done.match(source.path) is not None:
                continue
            with self._lock:
                self._handed_out.setdefault(source.path, deque()).append((size, time_ns, row))
            yield source
        self.vanished = gone + done.left() + (old.left() if old else 0)

    def declare(self, columns: Sequence[Column]) -> None:
        """Set the columns, before the first row; known columns must be equal."""
        if self.columns:
            check_columns(self.target, self.columns, columns)
            return
        self._format.check_columns(columns, self.target)
        self._state.columns = [column.as_dict() for column in columns]
        with self._writing():
            self._folder.save(self._state)
            self._log.declare(columns)
        self.columns = tuple(columns)

    def add(self, source: Source, values: Sequence[np.ndarray]) -> None:
        """Add the row of an input: an array for each column; ValueError if a shape differs."""
        arrays = [column.cast(value, source.path) for column, value in zip(self.columns, values, strict=True)]
        size, time_ns, row = self._take_back(source)
        self._log.add(Line(source.path, size, time_ns, row=row), arrays)
        self._commit_sometimes()

    def fail(self, source: Source, error: str) -> None:
        """Add an input without a row; raises as :meth:`commit` does."""
        _, _, row = self._take_back(source)
        self._log.add(Line(source.path, error=error, row=row))
        self._commit_sometimes()

    def commit(self) -> None:
        """Secure what was added against a killed process; happens about once a second."""
        with self._writing():
            self._log.commit()
        self._committed = time.monotonic()

    def finish(self) -> Written:
        """Write the file and remove the folder; an older file is replaced when the new one is on the disk."""
        self.commit()
        if self._older is not None and not self._log.count + self._log.failed:
            # Nothing was added or changed.
            self.complete = True
            self._folder.clear()
            return replace(_finished(self.target, self._older), vanished=self.vanished)
        # If every input failed, the columns are unknown.
        columns = self.columns or (Column(FEATURES, (0,), np.float32),)
        content = MergedContent(self._state.about, columns, self._log, self._older)
        failed = sum(1 for _ in content.failures())
        with self._writing():
            names = (self._folder.path / LINES).stat().st_size
            need_space(self.target.parent, self._format.size(columns, content.count) + names)
            files = self._format.load().write(content, self._folder.output() / self.target.name)
            for file in files:
                atomic.sync(file)
            self._state.files = [file.name for file in files]
            self._state.obsolete = self._obsolete(self._state.files)
            self._folder.save(self._state)
            size = sum(map(folder_size, files))
            self._log.close()
            self._folder.publish(self._state)
        self.complete = True
        return Written(self.target, content.count, failed, columns[0].shape, size, content.changed, self.vanished)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if not self.complete and not self._broken:
                self.commit()
                if not self._log.count + self._log.failed:
                    # Nothing to resume.
                    self._folder.clear()
        except UnavailableError:
            # An earlier error is more important.
            if error is None:
                raise
        finally:
            self._closing.close()

    @contextlib.contextmanager
    def _writing(self) -> Iterator[None]:
        """Turns errors of the disk into UnavailableError; nothing more is written afterwards."""
        try:
            yield
        except (OSError, RuntimeError) as error:
            self._broken = True
            raise unwritable(error, self.target, self._folder.path) from error

    def _commit_sometimes(self) -> None:
        if time.monotonic() - self._committed > SECONDS or self._log.pending > BYTES:
            self.commit()

    def _take_back(self, source: Source) -> tuple[int, int, int | None]:
        """Size and time of an input's file before it was read, and the row that it replaces."""
        with self._lock:
            handed_out = self._handed_out.get(source.path)
            if handed_out is None:
                return (*stamp(source), None)
            first = handed_out.popleft()
            if not handed_out:
                del self._handed_out[source.path]
            return first

    def _obsolete(self, names: Sequence[str]) -> list[str]:
        """Files of the replaced file that the new one does not have."""
        if not os.path.lexists(self.target):
            return []
        # What belonged to a damaged file is unknown.
        with contextlib.suppress(UsageError):
            return [file.name for file in self._format.files(self.target) if file.name not in names]
        return []


class _FinishedJournal(Journal):
    """The journal of a finished file."""

    def __init__(self, folder: PartFolder, older: ExistingFile) -> None:
        self.target, self.complete, self.vanished = folder.target, True, 0
        self.columns = older.columns
        self._written = _finished(folder.target, older)
        self._closing = contextlib.ExitStack()

    def pending(self, sources: Iterable[Source]) -> Iterator[Source]:
        """Nothing."""
        return iter(())

    def finish(self) -> Written:
        """The file as it is."""
        return self._written


def _finished(target: Path, file: ExistingFile) -> Written:
    failed = sum(1 for _ in file.failures())
    shape = file.columns[0].shape if file.columns else (0,)
    return Written(target, file.count, failed, shape, sum(map(folder_size, format_of(target).files(target))))


def _refuse_existing(target: Path) -> None:
    if os.path.lexists(target):
        raise UsageError(f"{target} exists; --update adds new images to it, --overwrite replaces it.")
