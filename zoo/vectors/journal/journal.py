"""Vectors on their way to a file: what is done stays done, whatever happens."""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self, get_args

import numpy as np

from zoo.core.disk import need_space
from zoo.core.errors import UnavailableError, UsageError
from zoo.images.sources import Source
from zoo.vectors.column import FEATURES, Column
from zoo.vectors.content import is_stored, stamp
from zoo.vectors.formats import table
from zoo.vectors.identity import compare, compare_columns
from zoo.vectors.journal.log import LINES, Line, Log
from zoo.vectors.journal.matching import Matcher
from zoo.vectors.journal.merged import Merged
from zoo.vectors.journal.previous import Base, mark
from zoo.vectors.journal.written import Written, found, obsolete
from zoo.vectors.part_folder import Folder, State, folder_size, sync, unwritable

Mode = Literal["new", "resume", "update", "overwrite"]

#: Rows are committed after so many seconds, or so many bytes.
SECONDS, BYTES = 1.0, 8 << 20


class Journal:
    """The vectors of a file that is being made; a context manager.

    Whoever leaves it without :meth:`finish`, also by an exception or Ctrl-C, finds what is done in ``FILE.part`` and
    can go on. So does who is killed, except for the last second. It belongs to one thread; only :meth:`pending` may
    be read by another.

    Attributes:
        target: the file.
        complete: whether the file is finished, so that there is nothing to do.
        vanished: rows of images that are not among the inputs any more; known when :meth:`pending` is at its end.
    """

    def __init__(self, folder: Folder, state: State, base: Base | None, closing: contextlib.ExitStack) -> None:
        """Use :meth:`open`.

        Raises:
            OSError: the files of the folder cannot be opened.
        """
        self.target, self.complete, self.vanished = folder.target, False, 0
        self._format = table.of(self.target)
        self._folder, self._state, self._base, self._closing = folder, state, base, closing
        self.columns = tuple(Column.from_dict(column) for column in state.columns)
        self._log = Log(folder.path, self.columns)
        closing.callback(self._log.close)
        #: Of each input that was given out and has not come back: size and time of its file, and the row it replaces.
        self._given: dict[str, deque[tuple[int, int, int | None]]] = {}
        self._lock = threading.Lock()
        self._committed = time.monotonic()
        self._broken = False

    @classmethod
    def open(cls, target: str | os.PathLike[str], about: Mapping[str, Any], *, mode: Mode = "new") -> Journal:
        """Begin a file, or go on with it.

        Args:
            target: the file; the ending of its name is its format.
            about: what the vectors are of, as plain values that JSON has.
            mode: ``"new"``, where there is no such file; ``"resume"`` goes on with what was interrupted, begins where
                nothing was, and finds nothing to do where the file is finished; ``"update"`` adds to the file, tries
                again what failed, computes anew what has changed, and begins where there is none; ``"overwrite"``
                replaces the file when it is finished.

        Raises:
            UsageError: the file exists, or is begun; or it was made with something else; or there is no such format.
            UnavailableError: another process makes the file, or it cannot be written, or a package is missing.
        """
        if mode not in get_args(Mode):
            raise UsageError(f"A file is made in one of the modes {', '.join(get_args(Mode))}. Received: {mode}")
        path = Path(target)
        format = table.of(path)
        format.load()
        format.check_target(path)
        if mode == "new":
            _refuse_existing(path)
        folder = Folder(path)
        with contextlib.ExitStack() as closing:
            folder.hold()
            closing.callback(folder.release)
            try:
                return cls._held(folder, dict(about), mode, closing)
            except OSError as error:
                raise unwritable(error, path) from error

    @classmethod
    def _held(cls, folder: Folder, about: dict[str, Any], mode: Mode, closing: contextlib.ExitStack) -> Journal:
        """The journal of a folder that is locked; it takes over what is to be closed."""
        target, state = folder.target, None
        if mode == "new":
            _refuse_existing(target)
            if folder.begun:
                raise UsageError(
                    f"{target} was begun and not finished; --resume goes on with it, --overwrite begins anew."
                )
        elif mode != "overwrite" and folder.begun:
            state = folder.read()
            compare(target, state.about, about)
            if state.files:
                # It was whole; only the names were missing.
                folder.publish(state)
                state = None
        base = None
        finished = os.path.lexists(target)
        if state is not None and state.base is not None and (not finished or state.base != mark(target)):
            raise UsageError(f"{target} has changed since --update began; remove {folder.path}, and update it again.")
        if (state.base is not None) if state else (finished and mode in ("resume", "update")):
            base = Base(target)
            closing.callback(base.close)
            compare(target, base.about, about)
        if state is None and base is not None and mode == "resume":
            return _Finished(folder, base)
        if state is None:
            folder.clear()
            state = State(about)
            if base is not None:
                state.base, state.columns = mark(target), [column.as_dict() for column in base.columns]
            folder.save(state)
        journal = cls(folder, state, base, closing)
        journal._closing = closing.pop_all()
        return journal

    @property
    def declared(self) -> bool:
        """Whether it is known what a row consists of."""
        return bool(self.columns)

    def pending(self, sources: Iterable[Source]) -> Iterator[Source]:
        """The inputs that are not done yet, lazily and in order.

        What was interrupted has the first inputs as a rule, and no memory is needed; where the inputs are others now
        they are found by their names. An image that is in the file twice is asked for twice.
        """
        done = Matcher(line.path for line in self._log.lines())
        older = Matcher(entry.path for entry in self._base.entries()) if self._base else None
        gone = 0
        for source in sources:
            size, time_ns = stamp(source)
            row = older.match(source.path) if older else None
            if row is not None and self._base is not None:
                was = self._base.stamp(row)
                # Without a file that it could be computed from, a row stays.
                gone += is_stored(source) and size < 0
                if size < 0 or not self._base.stamped or was == (size, time_ns):
                    continue
            if done.match(source.path) is not None:
                continue
            with self._lock:
                self._given.setdefault(source.path, deque()).append((size, time_ns, row))
            yield source
        self.vanished = gone + done.left() + (older.left() if older else 0)

    def declare(self, columns: Sequence[Column]) -> None:
        """Say what a row consists of, before the first one; where it is known already it must be that.

        Raises:
            UsageError: it is not, or the format cannot hold it.
            UnavailableError: the disk is full, or cannot be written.
        """
        if self.columns:
            compare_columns(self.target, self.columns, columns)
            return
        self._format.check(columns, self.target)
        self._state.columns = [column.as_dict() for column in columns]
        with self._writing():
            self._folder.save(self._state)
            self._log.declare(columns)
        self.columns = tuple(columns)

    def add(self, source: Source, values: Sequence[np.ndarray]) -> None:
        """Add the row of an input.

        Args:
            source: the input.
            values: for each column an array of its shape; it is brought to the column's dtype.

        Raises:
            UnavailableError: the dtype cannot hold a number; or the disk is full, or cannot be written.
            ValueError: the shapes are not those of the columns.
        """
        arrays = [column.cast(value, source.path) for column, value in zip(self.columns, values, strict=True)]
        size, time_ns, row = self._take_back(source)
        self._log.add(Line(source.path, size, time_ns, row=row), arrays)
        self._commit_sometimes()

    def fail(self, source: Source, error: str) -> None:
        """Add an input that has no row, with the reason; raises as :meth:`commit` does."""
        _, _, row = self._take_back(source)
        self._log.add(Line(source.path, error=error, row=row))
        self._commit_sometimes()

    def commit(self) -> None:
        """See to it that what was added is not lost when the process is killed. It happens about once a second.

        Raises:
            UnavailableError: the disk is full, or cannot be written.
        """
        with self._writing():
            self._log.commit()
        self._committed = time.monotonic()

    def finish(self) -> Written:
        """Make the file of what was added, and remove the folder.

        Memory does not grow with the rows, but for a few bytes each. A file of that name is replaced when the new one
        is on the disk.

        Raises:
            UnavailableError: the disk is full, or cannot be written; what was added is kept.
        """
        self.commit()
        if self._base is not None and not self._log.count + self._log.failed:
            # Nothing was added, and nothing has changed.
            self.complete = True
            self._folder.clear()
            return replace(found(self.target, self._base), vanished=self.vanished)
        # Where nothing could be read, nobody knows what a row would have been.
        columns = self.columns or (Column(FEATURES, (0,), np.float32),)
        content = Merged(self._state.about, columns, self._log, self._base)
        failed = sum(1 for _ in content.failures())
        with self._writing():
            names = (self._folder.path / LINES).stat().st_size
            need_space(self.target.parent, self._format.size(columns, content.count) + names)
            files = self._format.load().write(content, self._folder.output() / self.target.name)
            for file in files:
                sync(file)
            self._state.files = [file.name for file in files]
            self._state.obsolete = obsolete(self.target, self._state.files)
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
                    # Nothing was done: there is nothing to go on with.
                    self._folder.clear()
        except UnavailableError:
            # What ended the work is the news, not that its last second is lost too.
            if error is None:
                raise
        finally:
            self._closing.close()

    @contextlib.contextmanager
    def _writing(self) -> Iterator[None]:
        """Turns what a disk refuses into a sentence. What is committed stays, and nothing more is tried."""
        try:
            yield
        except (OSError, RuntimeError) as error:
            self._broken = True
            raise unwritable(error, self.target, self._folder.path) from error

    def _commit_sometimes(self) -> None:
        if time.monotonic() - self._committed > SECONDS or self._log.pending > BYTES:
            self.commit()

    def _take_back(self, source: Source) -> tuple[int, int, int | None]:
        """Size and time of an input's file, as they were before it was read, and the row that it replaces."""
        with self._lock:
            given = self._given.get(source.path)
            if given is None:
                return (*stamp(source), None)
            first = given.popleft()
            if not given:
                del self._given[source.path]
            return first


class _Finished(Journal):
    """The journal of a file that is finished."""

    def __init__(self, folder: Folder, base: Base) -> None:
        self.target, self.complete, self.vanished = folder.target, True, 0
        self.columns = base.columns
        self._written = found(folder.target, base)
        self._closing = contextlib.ExitStack()

    def pending(self, sources: Iterable[Source]) -> Iterator[Source]:
        """Nothing."""
        return iter(())

    def finish(self) -> Written:
        """What the file has."""
        return self._written


def _refuse_existing(target: Path) -> None:
    if os.path.lexists(target):
        raise UsageError(f"{target} exists; --update adds new images to it, --overwrite replaces it.")
