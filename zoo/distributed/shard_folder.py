"""A folder of shards that is being written: begun, resumed, finished.

Until it is finished everything is in ``OUT.part``, as for a file (:mod:`zoo.vectors.part_folder`): ``output/OUT`` has
the complete shards, ``size.json`` the number of inputs of each, and ``work-…`` those in progress. Every run has a
``work-…`` of its own, and removes those of others first: what still computes for an earlier run cannot finish a shard.
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
from zoo.vectors.formats.registry import FORMATS
from zoo.vectors.formats.shards import MANIFEST, Shard, read_manifest, write_manifest
from zoo.vectors.part_folder import OUTPUT, PartFolder, State, folder_size, remove, unwritable
from zoo.vectors.provenance import check_settings

#: Inputs of a shard: about a minute of a core with ResNet50, which is what a failing machine can cost.
SHARD_SIZE = 1000

_SIZE_FILE, _WORK = "size.json", "work-"


class ShardFolder:
    """A folder of shards that is being written; made by :func:`opened`.

    ``size`` is the number of inputs of a shard; complete shards are in ``parts``, and this run makes them in ``work``,
    both absolute paths.
    """

    def __init__(self, folder: PartFolder, about: Mapping[str, Any], size: int, work: Path) -> None:
        """Take over a folder that is locked."""
        self.target, self.size, self.work = folder.target, size, work
        self.parts = _parts(folder)
        self._folder, self._about = folder, dict(about)

    def finish(self, shards: Sequence[Shard], shape: tuple[int, ...]) -> Written:
        """Give the folder its name; shards in it that are not listed belong to inputs that no longer exist."""
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
def opened(
    target: str | os.PathLike[str], about: Mapping[str, Any], *, mode: Mode = "new", size: int | None = None
) -> Iterator[ShardFolder | Written]:
    """Begin or resume a folder. If :meth:`ShardFolder.finish` is not called, complete shards are kept."""
    path = Path(target)
    # Nothing can be made beside "." under its name.
    path = path if path.name not in ("", "..") else path.resolve()
    if path.suffix.lower() in FORMATS:
        raise UsageError(f"Shards are written to a folder; leave out the {path.suffix} of its name. Received: {path}")
    if mode == "update":
        raise UsageError(f"A folder of shards cannot be updated; name another one than {path}, or --overwrite.")
    _check_existing(path, mode)
    folder = PartFolder(path)
    folder.hold()
    with contextlib.ExitStack() as closing:
        closing.callback(folder.release)
        try:
            found = _begin(folder, dict(about), mode, size)
        except OSError as error:
            raise unwritable(error, path) from error
        if isinstance(found, ShardFolder):
            closing.callback(_leave, folder, found)
        yield found


def file_name(number: int) -> str:
    """The file of a shard."""
    return f"part-{number:05d}.h5"


def _begin(folder: PartFolder, about: dict[str, Any], mode: Mode, size: int | None) -> ShardFolder | Written:
    """Begin or resume in a folder that is locked."""
    if mode == "new" and folder.begun:
        raise UsageError(f"{folder.target} was begun and not finished; use --resume to continue it, or --overwrite.")
    if mode == "resume":
        if folder.begun:
            state = folder.read()
            check_settings(folder.target, state.about, about)
            if state.files:
                # It was complete; only the name was missing.
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
    size_file.write_text(json.dumps(size or SHARD_SIZE))
    for work in folder.path.glob(f"{_WORK}*"):
        remove(work)
    if not begun:
        folder.save(State(about))
    work = Path(tempfile.mkdtemp(prefix=_WORK, dir=folder.path)).absolute()
    return ShardFolder(folder, about, size or SHARD_SIZE, work)


def _finished(target: Path, about: Mapping[str, Any]) -> Written:
    shards, made = read_manifest(target)
    check_settings(target, made, about)
    with open_vectors(target) as vectors:
        return Written(target, vectors.count, sum(shard.failed for shard in shards), vectors.shape, folder_size(target))


def _leave(folder: PartFolder, shards: ShardFolder) -> None:
    """Remove what cannot be resumed; everything, if no shard is complete."""
    # What cannot be removed now is removed by the next run.
    with contextlib.suppress(OSError):
        remove(shards.work)
        if shards.parts.is_dir() and not any(shards.parts.iterdir()):
            folder.clear()


def _parts(folder: PartFolder) -> Path:
    return (folder.path / OUTPUT / folder.target.name).absolute()


def _check_existing(path: Path, mode: Mode) -> None:
    """Refuse to replace anything but vectors, such as images if the wrong folder was named."""
    if not os.path.lexists(path):
        return
    there = {entry.name for entry in path.iterdir()} if path.is_dir() else {""}
    if mode == "new" and there:
        raise UsageError(f"{path} exists; name another folder, or use --overwrite to replace it.")
    if MANIFEST in there:
        there -= {MANIFEST, *(shard.file for shard in read_manifest(path)[0])}
    if there:
        raise UsageError(f"{path} is no folder of vectors, or holds other things too; name another one.")
