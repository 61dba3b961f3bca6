"""A folder of shards in the making: begun, gone on with, finished.

Until it is finished everything is in ``OUT.part``, as of a file (:mod:`zoo.vectors.part_folder`). There ``output/OUT`` has
the shards that are whole, ``size.json`` says how many inputs each is made of, and ``work-…`` is where more are made.
Every run has a ``work-…`` of its own, and removes those of others before it looks at what is whole: what still computes
for a run that has ended cannot finish a shard.
"""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from zoo.core.errors import UsageError
from zoo.vectors import Mode, Written, open_vectors
from zoo.vectors.formats.shards import MANIFEST, Shard, read_manifest, write_manifest
from zoo.vectors.formats.table import FORMATS
from zoo.vectors.identity import compare
from zoo.vectors.part_folder import OUTPUT, Folder, State, folder_size, remove, unwritable

#: Inputs of a shard: about a minute of a core with ResNet50, which is what a machine that fails can cost.
SIZE = 1000

_SIZE_FILE, _WORK = "size.json", "work-"


class Shards:
    """A folder of shards that is being made.

    Attributes:
        target: the folder.
        size: inputs of a shard; the last one has fewer.
        parts: where whole shards are, an absolute path.
        work: where shards are made, by this run alone; an absolute path.
    """

    def __init__(self, folder: Folder, about: Mapping[str, Any], size: int, work: Path) -> None:
        """Use :func:`making`."""
        self.target, self.size, self.work = folder.target, size, work
        self.parts = _parts(folder)
        self._folder, self._about = folder, dict(about)

    def finish(self, shards: Sequence[Shard], shape: tuple[int, ...]) -> Written:
        """Give the folder its name.

        Args:
            shards: all of them, in order; others in the folder are of inputs that are not there any more.
            shape: of a row.

        Raises:
            UnavailableError: it cannot be written; the shards are kept.
        """
        named = {shard.file for shard in shards}
        count, failed = sum(shard.rows for shard in shards), sum(shard.failed for shard in shards)
        state = State(self._about, files=[self.target.name])
        try:
            for path in self.parts.iterdir():
                if path.name not in named:
                    remove(path)
            write_manifest(self.parts, shards, self._about)
            written = Written(self.target, count, failed, shape, folder_size(self.parts))
            self._folder.save(state)
            self._folder.publish(state)
        except OSError as error:
            raise unwritable(error, self.target, self._folder.path) from error
        return written


@contextlib.contextmanager
def making(
    target: str | os.PathLike[str], about: Mapping[str, Any], *, mode: Mode = "new", size: int | None = None
) -> Iterator[Shards | Written]:
    """Begin a folder, or go on with it. Whoever leaves without :meth:`Shards.finish` keeps the shards that are whole.

    Args:
        target: the folder.
        about: what the vectors are of, as plain values that JSON has.
        mode: ``"new"``, where there is no such folder; ``"resume"`` goes on with what was interrupted, and begins where
            nothing was; ``"overwrite"`` replaces the folder when the new one is finished.
        size: inputs of a shard; without, what it was begun with, or :data:`SIZE`.

    Yields:
        The folder in the making; or what was written, where it is finished already and ``mode`` is ``"resume"``.

    Raises:
        UsageError: the folder exists, or is begun; or it was made with something else, or holds other things.
        UnavailableError: another process makes it, or it cannot be written.
    """
    path = Path(target)
    # Nothing can be made beside "." under its name.
    path = path if path.name not in ("", "..") else path.resolve()
    if path.suffix.lower() in FORMATS:
        raise UsageError(f"Shards are written to a folder; leave out the {path.suffix} of its name. Received: {path}")
    if mode == "update":
        raise UsageError(f"Nothing is added to a folder of shards; name another one than {path}, or --overwrite.")
    _check_existing(path, mode)
    folder = Folder(path)
    folder.hold()
    with contextlib.ExitStack() as closing:
        closing.callback(folder.release)
        try:
            found = _begin(folder, dict(about), mode, size)
        except OSError as error:
            raise unwritable(error, path) from error
        if isinstance(found, Shards):
            closing.callback(_leave, folder, found)
        yield found


def name(number: int) -> str:
    """The file of a shard."""
    return f"part-{number:05d}.h5"


def _begin(folder: Folder, about: dict[str, Any], mode: Mode, size: int | None) -> Shards | Written:
    """What there is to be done in a folder that is locked."""
    if mode == "new" and folder.begun:
        raise UsageError(
            f"{folder.target} was begun and not finished; --resume goes on with it, --overwrite begins anew."
        )
    if mode == "resume":
        if folder.begun:
            state = folder.read()
            compare(folder.target, state.about, about)
            if state.files:
                # It was whole; only the name was missing.
                folder.publish(state)
        if not folder.begun and (folder.target / MANIFEST).exists():
            return _finished(folder.target, about)
    begun = mode == "resume" and folder.begun
    if not begun:
        folder.clear()
        _parts(folder).mkdir(parents=True)
    size_file = folder.path / _SIZE_FILE
    if begun and size is None:
        size = int(json.loads(size_file.read_bytes()))
    size_file.write_text(json.dumps(size or SIZE))
    for work in folder.path.glob(f"{_WORK}*"):
        remove(work)
    if not begun:
        folder.save(State(about))
    work = Path(tempfile.mkdtemp(prefix=_WORK, dir=folder.path)).absolute()
    return Shards(folder, about, size or SIZE, work)


def _finished(target: Path, about: Mapping[str, Any]) -> Written:
    shards, made = read_manifest(target)
    compare(target, made, about)
    with open_vectors(target) as vectors:
        return Written(target, vectors.count, sum(shard.failed for shard in shards), vectors.shape, folder_size(target))


def _leave(folder: Folder, shards: Shards) -> None:
    """Remove what is of no use to whoever goes on; all of it, where not one shard is whole."""
    # What cannot be removed now is removed by the next run.
    with contextlib.suppress(OSError):
        remove(shards.work)
        if shards.parts.is_dir() and not any(shards.parts.iterdir()):
            folder.clear()


def _parts(folder: Folder) -> Path:
    return (folder.path / OUTPUT / folder.target.name).absolute()


def _check_existing(path: Path, mode: Mode) -> None:
    """See that nothing is replaced that is not to be: images, for one, when the wrong folder was named.

    Raises:
        UsageError: something is there.
    """
    if not os.path.lexists(path):
        return
    there = {entry.name for entry in path.iterdir()} if path.is_dir() else {""}
    if mode == "new" and there:
        raise UsageError(f"{path} exists; name another folder, or --overwrite replaces it.")
    if MANIFEST in there:
        there -= {MANIFEST, *(shard.file for shard in read_manifest(path)[0])}
    if there:
        raise UsageError(f"{path} is no folder of vectors, or holds other things too; name another one.")
