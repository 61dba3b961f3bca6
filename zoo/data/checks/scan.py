"""One look at many images: each file is opened once, decoded at a small size, and its properties are recorded."""

from __future__ import annotations

import hashlib
import io
import os
from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import ExifTags, Image

from zoo.core.errors import ImageError
from zoo.core.hardware import processors
from zoo.core.progress import Progress
from zoo.core.spec import Resize
from zoo.data.duplicates.near_duplicates import Fingerprints
from zoo.data.duplicates.phash import SIDE, hashes, thumbnails
from zoo.images.decode import load
from zoo.images.header import check_cost, identify
from zoo.images.source import Source

#: How an image is decoded: all of it, whatever that does to the aspect.
_RESIZE = Resize(SIDE, SIDE, "squash", 1.0)
#: A JPEG is decoded at a reduced size if that leaves so many pixels a side.
_DRAFT_SIDE = 48
#: Bytes of the largest file that is held in memory.
_LARGEST = 1 << 24
_CHUNK = 128
#: Grey levels by which channels of a grey image differ at most; a JPEG of one has none, a scan some.
_GREY_LEVELS = 4

#: Formats that are so similar that either suffix will do.
_FAMILIES = ({"JPEG", "MPO"}, {"BMP", "DIB"}, {"ICO", "CUR"}, {"HEIF", "AVIF"})


@dataclass(frozen=True, slots=True)
class ImageFacts:
    """What is known of one image: upright (width, height), BLAKE2b of its bytes; nothing but a ``problem``, if any."""

    problem: str | None = None
    size: tuple[int, int] | None = None
    format: str | None = None
    mode: str = ""
    turned: bool = False
    animated: bool = False
    deep: bool = False
    digest: bytes | None = None


@dataclass(frozen=True, eq=False)
class Scan:
    """What is known of n images; rows of ``prints`` and ``grey`` of unreadable ones are undefined."""

    facts: list[ImageFacts]
    prints: Fingerprints
    grey: np.ndarray

    @property
    def readable(self) -> np.ndarray:
        """Which images can be read: bool (n,)."""
        return np.array([fact.problem is None for fact in self.facts], bool)


def scan_images(sources: Sequence[Source], *, threads: int | None = None, progress: Progress | None = None) -> Scan:
    """Open images and record what is known of them."""
    count = len(sources)
    # Of arrays with one channel no more is kept.
    is_grey = count > 0 and all(source.pixels is not None and source.pixels.ndim == 2 for source in sources)
    facts: list[ImageFacts] = []
    thumbs = np.empty((count, SIDE // 2, SIDE // 2, *(() if is_grey else (3,))), np.uint8)
    plain, mirrored, grey = np.empty(count, np.uint64), np.empty(count, np.uint64), np.zeros(count, bool)

    def work(begin: int) -> list[ImageFacts]:
        part = sources[begin : begin + _CHUNK]
        end = begin + len(part)
        pixels = np.zeros((len(part), SIDE, SIDE, *thumbs.shape[3:]), np.uint8)
        known = [scan_image(source, pixels[number]) for number, source in enumerate(part)]
        plain[begin:end], mirrored[begin:end] = hashes(pixels)
        thumbs[begin:end] = thumbnails(pixels)
        grey[begin:end] = is_grey or np.ptp(pixels, axis=-1).max(axis=(1, 2)) <= _GREY_LEVELS
        return known

    waiting: deque[Future[list[ImageFacts]]] = deque()
    with ThreadPoolExecutor(threads or processors(), thread_name_prefix="scan") as pool:
        try:
            waiting += (pool.submit(work, begin) for begin in range(0, count, _CHUNK))
            while waiting:
                facts += waiting.popleft().result()
                if progress is not None:
                    progress(len(facts), count)
        finally:
            # Interrupted: what has not begun need not begin.
            pool.shutdown(wait=False, cancel_futures=True)
    return Scan(facts, Fingerprints(plain, mirrored, thumbs), grey)


def scan_image(source: Source, out: np.ndarray) -> ImageFacts:
    """Open one image, and write its pixels to ``out``, uint8 (32, 32, 3), or (32, 32) for a grey one in memory."""
    if source.pixels is not None:
        image = Image.fromarray(source.pixels)
        resized = image if image.size == (SIDE, SIDE) else image.resize((SIDE, SIDE), Image.Resampling.BILINEAR)
        out[...] = np.asarray(resized if out.ndim == source.pixels.ndim else resized.convert("RGB"))
        digest = hashlib.blake2b(source.pixels.tobytes(), digest_size=16).digest()
        return ImageFacts(size=image.size, mode=image.mode, digest=digest)
    try:
        return _scan_file(source, out)
    except Exception:  # Files can be damaged in any way; load() has the error messages for all of them.
        try:
            out[...] = load(source, _RESIZE)
        except ImageError as error:
            return ImageFacts(problem=str(error))
        return ImageFacts()


def is_named_after(path: str, format: str | None) -> bool:
    """Whether a file's suffix is one of its format, or of none that Pillow knows."""
    named = Image.registered_extensions().get(os.path.splitext(path)[1].lower())
    return named is None or format is None or named == format or any({named, format} <= family for family in _FAMILIES)


def _scan_file(source: Source, out: np.ndarray) -> ImageFacts:
    with source.open() as opened:
        file, digest = _held(opened)
        image: Any = identify(file)
        check_cost(image, file)
        # Pillow reads colours of 16 bits as 8; only the raw mode tells, as long as nothing is decoded.
        deep = image.mode.startswith("I;16") or any(";16" in str(tile[3]) for tile in image.tile)
        orientation = image.getexif().get(ExifTags.Base.Orientation, 1)
        facts = ImageFacts(
            # From 5 on, rows are columns.
            size=image.size[::-1] if orientation in range(5, 9) else image.size,
            format=image.format,
            mode=image.mode,
            turned=orientation in range(2, 9),
            # MPO is a photo with a preview or a depth map.
            animated=image.format != "MPO" and getattr(image, "is_animated", False),
            deep=deep,
            digest=digest,
        )
        if image.format in ("JPEG", "MPO"):
            step = next((step for step in (8, 4, 2) if min(image.size) // step >= _DRAFT_SIDE), 1)
            if step > 1:
                image.draft(None, (image.width // step, image.height // step))
        out[...] = load(image, _RESIZE)
        return facts


def _held(file: Any) -> tuple[Any, bytes]:
    """A file at its beginning, in memory if it is small, and the digest of its bytes."""
    data = file.read(_LARGEST + 1)
    if len(data) <= _LARGEST:
        return io.BytesIO(data), hashlib.blake2b(data, digest_size=16).digest()
    file.seek(0)
    digest = hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=16)).digest()
    file.seek(0)
    return file, digest
