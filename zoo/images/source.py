"""A source: one image that was asked for, not read yet. Opening it gives the bytes of an image file."""

from __future__ import annotations

import io
import os
import stat
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, BinaryIO, Literal

from zoo.core.errors import ImageError, describe_os_error
from zoo.images import limits
from zoo.images.video.times import split_moment

if TYPE_CHECKING:
    import numpy as np

    from zoo.images.video.frame import Frame

_BLOCK = 1 << 16


@dataclass(frozen=True, slots=True)
class Source:
    """One image, not read yet; or an input that is known not to be one."""

    #: Its name in results: what was typed, or what was found below it.
    path: str
    kind: Literal["file", "url", "array", "frame"] = "file"
    #: Why it cannot be read, if that is known without reading it.
    problem: str | None = None
    #: The pixels of an array: uint8, (height, width), or (height, width, 1, 3 or 4).
    pixels: np.ndarray | None = field(default=None, repr=False, compare=False)
    #: The frame of a video, from :func:`zoo.images.frames.expand`.
    frame: Frame | None = field(default=None, repr=False, compare=False)

    @classmethod
    def from_array(cls, pixels: np.ndarray, *, name: str = "array") -> Source:
        """An image in memory; ``name`` stands in place of a path."""
        return cls(name, "array", pixels=pixels)

    @property
    def held(self) -> int:
        """Bytes of pixels in memory: 0 for a file, and for a frame that was read."""
        if self.pixels is not None:
            return self.pixels.nbytes
        return self.frame.held if self.frame is not None else 0

    def open(self) -> BinaryIO:
        """Open the bytes of the image file (of a video's moment: an uncompressed image), seekable."""
        if self.problem is not None:
            raise ImageError(self.problem)
        if self.kind == "url":
            return io.BytesIO(_fetch(self.path))
        if self.kind == "array":
            raise ImageError("an array in memory, not a file")
        if self.frame is not None:
            return self.frame.open()
        try:
            return _open_file(self.path)
        except (OSError, ValueError) as error:
            if isinstance(error, FileNotFoundError) and (moment := split_moment(self.path)):
                from zoo.images.video.frame import read_frame

                return read_frame(*moment)
            raise ImageError(describe_os_error(error)) from error


def _open_file(path: str) -> BinaryIO:
    file = open(path, "rb")  # noqa: SIM115 - the caller closes it
    if stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        return file
    with file:
        return read_pipe(file, "pipe")


def read_pipe(file: BinaryIO, what: str) -> io.BytesIO:
    """All bytes of a file that cannot be sought in."""
    data = file.read(limits.PIPE_LIMIT + 1)
    if not isinstance(data, bytes):
        raise ImageError("a file that is open for reading text, not bytes")
    if len(data) > limits.PIPE_LIMIT:
        raise ImageError(f"more than {limits.PIPE_LIMIT >> 20} MiB come out of the {what}")
    return io.BytesIO(data)


def _fetch(url: str) -> bytes:
    """The bytes at a URL."""
    # Imported here because it takes a tenth of a second.
    import requests

    deadline = time.monotonic() + limits.TOTAL_TIMEOUT
    data = bytearray()
    try:
        with requests.get(url, stream=True, timeout=(limits.CONNECT_TIMEOUT, limits.READ_TIMEOUT)) as response:
            if response.status_code != requests.codes.ok:
                raise ImageError(f"the server answers {response.status_code} {response.reason}".rstrip())
            for block in response.iter_content(_BLOCK):
                data += block
                if len(data) > limits.URL_LIMIT:
                    raise ImageError(f"larger than the {limits.URL_LIMIT >> 20} MiB that zoo downloads for one image")
                if time.monotonic() > deadline:
                    raise ImageError(f"not downloaded within {limits.TOTAL_TIMEOUT:.0f} seconds")
    except requests.Timeout as error:
        raise ImageError("the server does not answer in time") from error
    except requests.ConnectionError as error:
        raise ImageError("the server cannot be reached") from error
    except requests.exceptions.ChunkedEncodingError as error:
        raise ImageError(f"the connection was cut after {len(data):,} bytes") from error
    except (requests.RequestException, ValueError, OSError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise ImageError(f"cannot be downloaded: {reason}") from error
    return bytes(data)
