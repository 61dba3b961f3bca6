"""Digests of files, computed once and trusted until size or modification time change.

Each file has a record of its own in ``$ZOO_CACHE/verified``, replaced atomically, so that processes need no lock. If
that folder cannot be written, records live as long as the process.
"""

from __future__ import annotations

import contextlib
import json
import os
import zlib
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from zoo.core import atomic, paths
from zoo.core.errors import WeightsError
from zoo.core.spec import WeightFile

#: Bytes read at a time.
CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class Digests:
    """Both digests of one file, in hexadecimal."""

    sha256: str
    md5: str


@dataclass(frozen=True, slots=True)
class _Record:
    """What is known of one file. ``accepted`` is the sha256 that was trusted when no other digest was known."""

    path: str
    size: int
    mtime_ns: int
    sha256: str
    md5: str
    accepted: str | None = None


# Records of this process, by path.
_memory: dict[str, _Record] = {}


def digest(path: str | os.PathLike[str]) -> str:
    """The sha256 of a file in hexadecimal, from its record if the file has not changed.

    Raises:
        WeightsError: the file cannot be read.
    """
    return digests(path).sha256


def digests(path: str | os.PathLike[str], *, again: bool = False) -> Digests:
    """The sha256 and md5 of a file, from its record unless it has changed or ``again`` is true.

    Raises:
        WeightsError: the file cannot be read.
    """
    name = Path(path).absolute()
    try:
        if not again and (unchanged := known(name)):
            return unchanged
        before = name.stat()
        found = hash_file(name)
        after = name.stat()
    except OSError as error:
        raise WeightsError(f"{name} cannot be read: {error.strerror or error}.") from error
    # A file that changed while it was read has no digest worth remembering.
    if (before.st_size, before.st_mtime_ns) == (after.st_size, after.st_mtime_ns):
        record = _load(name)
        _store(name, after, found, record.accepted if record else None)
    return found


def known(path: str | os.PathLike[str]) -> Digests | None:
    """The recorded digests of a file; ``None``, without reading it, if it has changed or is missing."""
    name = Path(path).absolute()
    record = _load(name)
    with contextlib.suppress(OSError):
        status = name.stat()
        if record and (record.size, record.mtime_ns) == (status.st_size, status.st_mtime_ns):
            return Digests(record.sha256, record.md5)
    return None


def verify(path: str | os.PathLike[str], expected: WeightFile, *, advice: str, again: bool = False) -> str:
    """Check a file against its official digests and return its sha256.

    A file without official digests is compared with the sha256 that it had when it was first verified.

    Args:
        path: the file.
        expected: its official digests.
        advice: what to do if it fails, as the end of a sentence.
        again: read the file even if its record says that it has not changed.

    Raises:
        WeightsError: the file cannot be read, or is another one.
    """
    name = Path(path).absolute()
    found = digests(name, again=again)
    problem = compare(found, expected)
    if problem:
        raise WeightsError(f"{name} is damaged or another file: {problem}; {advice}.")
    record = _load(name)
    if expected.md5 or expected.sha256 or record is None:
        return found.sha256
    if record.accepted and record.accepted != found.sha256:
        raise WeightsError(
            f"{name} has changed since it was first used: its sha256 was {record.accepted} "
            f"and is now {found.sha256}; {advice}."
        )
    if not record.accepted:
        _store(name, name.stat(), found, found.sha256)
    return found.sha256


def compare(found: Digests, expected: WeightFile) -> str | None:
    """How the digests differ from the official ones, as half a sentence; ``None`` if they do not."""
    for name, wanted, got in (("md5", expected.md5, found.md5), ("sha256", expected.sha256, found.sha256)):
        if wanted and wanted != got:
            return f"{name} {wanted} was expected, and {got} was found"
    return None


def remember(path: str | os.PathLike[str], found: Digests) -> None:
    """Record the digests of a file that zoo has just written."""
    name = Path(path).absolute()
    _store(name, name.stat(), found, found.sha256)


def hash_file(path: str | os.PathLike[str], *, progress: Callable[[int], None] | None = None) -> Digests:
    """Both digests in one reading; ``progress`` is called with the number of bytes read so far."""
    # Imported here because a command that meets only records needs neither.
    import hashlib

    sha256, md5 = hashlib.sha256(), hashlib.md5(usedforsecurity=False)
    done = 0
    with Path(path).open("rb", buffering=0) as file:
        while block := file.read(CHUNK):
            sha256.update(block)
            md5.update(block)
            done += len(block)
            if progress:
                progress(done)
    return Digests(sha256.hexdigest(), md5.hexdigest())


def orphans() -> Iterator[Path]:
    """Records of files that are no longer there, and records that cannot be read."""
    for record in sorted(_folder().glob("*.json")):
        try:
            path = Path(json.loads(record.read_text(encoding="utf-8"))["path"])
        except (OSError, ValueError, KeyError, TypeError):
            yield record
            continue
        if not path.exists():
            yield record


def _folder() -> Path:
    return paths.cache_root() / "verified"


def _record_file(name: Path) -> Path:
    """The record's own file. Two paths that meet in one checksum only cost each other their record."""
    checksum = zlib.crc32(os.fsencode(name.parent))
    return _folder() / f"{name.name[:120]}-{checksum:08x}.json"


def _load(name: Path) -> _Record | None:
    try:
        record = _Record(**json.loads(_record_file(name).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return _memory.get(str(name))
    return record if record.path == str(name) else _memory.get(str(name))


def _store(name: Path, status: os.stat_result, found: Digests, accepted: str | None) -> None:
    record = _Record(str(name), status.st_size, status.st_mtime_ns, found.sha256, found.md5, accepted)
    _memory[record.path] = record
    target = _record_file(name)
    with contextlib.suppress(OSError):
        target.parent.mkdir(parents=True, exist_ok=True)
        atomic.write(target, json.dumps(asdict(record)))
