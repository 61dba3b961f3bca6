"""Decoding many images at once, in threads, each with a process of its own if that is faster.

Pillow releases the GIL while it decodes, but images of 32×32 take their time in Python, so processes help. They are
connected by pipes: unlike ``multiprocessing`` they do not run the main script again, and end with their input.
"""

from __future__ import annotations

import contextlib
import logging
import os
import pickle
import subprocess
import sys
import threading
import weakref
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np

from zoo.core.spec import Resize
from zoo.data.loading.shared_headers import SharedHeaderReader
from zoo.data.loading.worker import HEADER, READY, decode
from zoo.images.source import Source

#: Bytes of pixels decoded at a time: so many that the cost of a message is small, so few that all workers have some.
CHUNK = 1 << 20

log = logging.getLogger(__name__)

_COMMAND = "from zoo.data.loading.worker import main; main()"


class EndedError(Exception):
    """A process ended before it answered."""


class Decoder:
    """Decodes images in ``workers`` threads, or in as many processes if ``processes``."""

    def __init__(self, resize: Resize, workers: int, *, processes: bool) -> None:
        """Threads and processes are started when they are needed."""
        self.resize = resize
        self.processes = processes
        self._reader = SharedHeaderReader(resize)
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="decode")
        self._children: list[Child] = []
        self._local = threading.local()
        self._finalizer = weakref.finalize(self, _stop, self._children)

    @property
    def chunk(self) -> int:
        """How many images to submit together."""
        return max(1, min(256, CHUNK // (self.resize.height * self.resize.width * 3)))

    def submit(self, sources: Sequence[Source], out: np.ndarray) -> Future[list[tuple[int, str]]]:
        """Decode n images into ``out``, uint8 (n, h, w[, 3]); gives number and error of each that cannot be read."""
        return self._pool.submit(self._decode, sources, out)

    def close(self) -> None:
        """Cancel what has not begun, and end the processes."""
        self._pool.shutdown(wait=False, cancel_futures=True)
        self._finalizer()
        self._pool.shutdown(wait=True)

    def _decode(self, sources: Sequence[Source], out: np.ndarray) -> list[tuple[int, str]]:
        if not self.processes or out.ndim == 3 or any(source.kind != "file" or source.problem for source in sources):
            return decode(sources, self._reader, out)
        child = self._child()
        if child is None:
            return decode(sources, self._reader, out)
        try:
            return child.decode([source.path for source in sources], self.resize, out)
        except EndedError:
            child.stop()
            if not self._finalizer.alive:
                raise
            self._children.remove(child)
            self._local.child = None
        # One image ended the process, or the system did; each half is tried in a new one.
        if len(sources) == 1:
            return [(0, "the process that decodes it crashes")]
        middle = len(sources) // 2
        first = self._decode(sources[:middle], out[:middle])
        return first + [(middle + at, why) for at, why in self._decode(sources[middle:], out[middle:])]

    def _child(self) -> Child | None:
        """This thread's process, started if need be; ``None`` if that fails, which costs only speed."""
        child: Child | None = getattr(self._local, "child", None)
        if child is None:
            try:
                child = self._local.child = Child()
            except OSError as error:
                log.info("images are decoded in threads: %s", error)
                self.processes = False
                return None
            self._children.append(child)
            if not self._finalizer.alive:
                child.stop()
        return child


class Child:
    """A process that decodes, and the pipes to it."""

    def __init__(self) -> None:
        """Start the process, and wait until it is ready."""
        environment = {
            **os.environ,
            # What can be imported here can be imported there; an empty entry means this folder.
            "PYTHONPATH": os.pathsep.join(map(os.path.abspath, sys.path)),
            # It needs no threads for linear algebra.
            "OPENBLAS_NUM_THREADS": "1",
        }
        # In a session of its own, so that Ctrl-C reaches only the parent, which then ends it.
        self.process = subprocess.Popen(
            [sys.executable, "-c", _COMMAND],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment,
            start_new_session=True,
        )
        assert self.process.stdin is not None and self.process.stdout is not None
        self._pipes = self.process.stdin, self.process.stdout
        answers = self._pipes[1]
        # A pipe holds a whole answer where the system can: each read has to wait for the GIL.
        with contextlib.suppress(ImportError, AttributeError, OSError):
            import fcntl

            fcntl.fcntl(answers, fcntl.F_SETPIPE_SZ, CHUNK)
        if answers.read(len(READY)) != READY:
            self.stop()
            raise OSError("a decoding process ended at once")

    def decode(self, paths: list[str], resize: Resize, out: np.ndarray) -> list[tuple[int, str]]:
        """As :meth:`Decoder.submit`, but waits."""
        requests, answers = self._pipes
        try:
            pickle.dump((paths, resize), requests)
            requests.flush()
            header = answers.read(HEADER.size)
            if len(header) < HEADER.size:
                raise EndedError
            failures, size = HEADER.unpack(header)
            pickled = answers.read(failures)
            if len(pickled) < failures:
                raise EndedError
            failed: list[tuple[int, str]] = pickle.loads(pickled)
            view = out.data.cast("B")
            assert size == view.nbytes
            while view:
                count = answers.readinto(view)  # type: ignore[attr-defined]
                if not count:
                    raise EndedError
                view = view[count:]
        except (OSError, ValueError) as error:
            # A pipe is closed at its other end or, by stop(), at this one.
            raise EndedError from error
        return failed

    def stop(self) -> None:
        """Kill the process."""
        self.process.kill()
        self.process.wait()
        for pipe in self._pipes:
            # What was not sent yet cannot be any more.
            with contextlib.suppress(OSError):
                pipe.close()


def _stop(children: list[Child]) -> None:
    for child in children:
        child.stop()
