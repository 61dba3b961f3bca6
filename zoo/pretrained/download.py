"""Download one file: resumed, retried, checked, and complete when it appears under its name."""

from __future__ import annotations

import contextlib
import errno
import logging
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from zoo.core import atomic
from zoo.core.errors import WeightsError
from zoo.core.spec import WeightFile
from zoo.pretrained import digests
from zoo.pretrained.http import ATTEMPTS, Part, Progress, RefusedError, TryAgainError, session, shown, transfer

#: Tries in a row that do not reach the server.
ATTEMPTS_TO_CONNECT = 2
#: A try that brings this many new bytes is no failure, so that a bad connection succeeds in the end.
ENOUGH = 1 << 20
#: Seconds before the second try, doubled before each further one.
BACK_OFF = 0.5

LOCK = ".zoo.lock"

#: How weight files begin, by the suffix.
SIGNATURES = {".h5": b"\x89HDF\r\n\x1a\n", ".hdf5": b"\x89HDF\r\n\x1a\n", ".keras": b"PK\x03\x04"}

log = logging.getLogger(__name__)


def download(urls: Sequence[str], target: Path, expected: WeightFile, *, progress: Progress | None = None) -> None:
    """Download a file from the first of ``urls`` that gives it, unless it is there already.

    Only one process at a time downloads a file; the others wait for it. After an interruption of any kind the next
    call resumes.

    Args:
        urls: addresses, tried in order.
        target: final name; its folder exists and can be written.
        expected: the digests and the size in bytes, if they are known. Without a digest only the file's length and
            first bytes are checked.
        progress: called for every 16 KiB.

    Raises:
        WeightsError: no address gives the file, or the disk is full; the message has the reason of each.
    """
    part = Part(target)
    reasons = []
    with _lock(target):
        if target.is_file():
            return
        for url in urls:
            try:
                found = _fetch(url, part, expected, progress)
                atomic.publish(part.path, target)
                part.state.unlink(missing_ok=True)
                digests.remember(target, found)
                return
            except RefusedError as refused:
                reasons.append(f"{shown(url)}: {refused}")
                log.debug("%s cannot be downloaded from %s: %s", target.name, shown(url), refused)
            except OSError as error:
                raise disk_error(error, target.parent) from error
    raise WeightsError(f"{target.name} could not be fetched ({'; '.join(reasons) or 'no address is known'}).")


def writable(folder: Path) -> bool:
    """Whether files can be created in a folder, which is created if it is missing."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return True
    except OSError:
        return False


def is_busy(target: Path) -> bool:
    """Whether a process is downloading ``target`` now."""
    lock = target.with_name(target.name + LOCK)
    if not lock.exists():
        return False
    import filelock

    try:
        with filelock.FileLock(lock, timeout=0):
            return False
    except filelock.Timeout:
        return True
    except OSError:
        return False


def disk_error(error: OSError, folder: Path) -> WeightsError:
    """The message for a folder that could not be written."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return WeightsError(
            f"The disk of {folder} is full ({error.strerror}); make room and try again, "
            "or set KERAS_HOME and ZOO_CACHE to folders on another disk."
        )
    return WeightsError(f"{folder} cannot be written: {error.strerror or error}.")


@contextlib.contextmanager
def _lock(target: Path) -> Iterator[None]:
    """Hold the lock of one file. It is unlinked while it is held; whoever waited then takes a new one."""
    import filelock

    lock = filelock.FileLock(target.with_name(target.name + LOCK))
    try:
        try:
            lock.acquire(timeout=0)
        except filelock.Timeout:
            log.info("another process is downloading %s; waiting for it", target.name)
            lock.acquire(poll_interval=0.2)
    except OSError as error:
        raise disk_error(error, target.parent) from error
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            Path(lock.lock_file).unlink()
        lock.release()


def _fetch(url: str, part: Part, expected: WeightFile, progress: Progress | None) -> digests.Digests:
    """Bring the whole file into ``part``, in as many tries as make sense, and check it."""
    failed, unreachable, furthest = 0, 0, part.size()
    with session(BACK_OFF) as opened:
        while True:
            offset = part.resumable(url, expected)
            try:
                transfer(opened, url, part, offset=offset, expected=expected, progress=progress)
                return _checked(part, expected)
            except RefusedError:
                # Older bytes may be why a file failed its check: once more, from the start.
                if not offset or part.size():
                    raise
            except TryAgainError as interrupted:
                failed = 1 if part.size() >= furthest + ENOUGH else failed + 1
                unreachable = 0 if interrupted.connected else unreachable + 1
                furthest = max(furthest, part.size())
                if failed >= ATTEMPTS or unreachable >= ATTEMPTS_TO_CONNECT:
                    raise RefusedError(str(interrupted)) from interrupted
                wait = BACK_OFF * 2 ** (failed - 1)
                log.debug("%s: %s; trying again in %.1f s", shown(url), interrupted, wait)
                time.sleep(wait)


def _checked(part: Part, expected: WeightFile) -> digests.Digests:
    """The digests of a complete part, which is removed if it is not the file."""
    found = digests.hash_file(part.path)
    problem = digests.compare(found, expected)
    signature = SIGNATURES.get(part.target.suffix, b"")
    with part.path.open("rb") as file:
        if file.read(len(signature)) != signature:
            problem = "the server sent something else than weights" + (f" ({problem})" if problem else "")
    if problem:
        part.discard()
        raise RefusedError(problem)
    return found
