"""Which format a file has, whether it may be decoded, and what is wrong with it, in a person's words."""

from __future__ import annotations

import contextlib
import functools
import logging
import struct
import warnings
from typing import Any, BinaryIO, cast

from PIL import Image

from zoo.core.errors import ImageError
from zoo.images.sources import reason

#: Pixels of the largest image that is decoded, 4 bytes each in memory; the largest phone cameras give 200 million.
MAX_PIXELS = 210_000_000
#: The same for formats that Pillow decodes in Python, which takes about a second for each million.
MAX_PIXELS_IN_PYTHON = 16_000_000
#: Pixels of the longest side. Resizing needs memory in proportion to it.
MAX_SIDE = 1_000_000
#: Scans times pixels of a progressive JPEG. Each scan goes over the whole image and may take ten bytes of the file,
#: so that a small file could keep a processor busy for hours. Ordinary ones have ten scans.
MAX_SCANNED = 20_000_000_000

#: Formats that Pillow would hand to another program, or knows by name only.
_NOT_DECODED = frozenset({"BUFR", "EPS", "GRIB", "HDF5", "MPEG", "WMF"})

#: What a file in the same container as HEIC calls itself; the last two may also be AVIF.
_HEIF_BRANDS = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"})

#: How files begin that are often taken for images.
_OTHERS = (
    (b"%pdf", "a PDF document"),
    (b"%!ps", "a PostScript document"),
    (b"\xc5\xd0\xd3\xc6", "a PostScript document"),
    (b"pk\x03\x04", "a ZIP archive or an office document"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"\x89hdf", "an HDF5 file"),
    (b"<svg", "an SVG drawing"),
    (b"<!doctype html", "a web page"),
    (b"<html", "a web page"),
)

# Pillow warns of what is odd in a file on standard error, where nobody can tell which file it was; what matters becomes
# an error here. The filter is set once because Python's own way to set it for a while is not safe with threads.
warnings.filterwarnings("ignore", module=r"PIL\.")
# Without a handler, Python itself would print what Pillow logs.
logging.getLogger("PIL").addHandler(logging.NullHandler())


def identify(file: BinaryIO) -> Image.Image:
    """Find out the format and read the header, as Pillow's ``open`` does.

    Two things are different: there is no global pixel limit, and no format that would start another program.

    Args:
        file: open at its beginning, can be sought in, stays open.

    Returns:
        The image, not decoded yet.

    Raises:
        ImageError: empty, no image, or an image whose header is damaged.
    """
    head = file.read(64)
    if not head:
        raise ImageError("the file is empty")
    # AVIF images may carry a brand that HEIF has too.
    is_avif = head[4:8] == b"ftyp" and b"avif" in head
    if head[4:8] == b"ftyp" and head[8:12] in _HEIF_BRANDS and not is_avif:
        _register_heif()
    if head.startswith((b"II", b"MM")):
        _silence_libtiff()
    tried = {*_NOT_DECODED, "HEIF"} if is_avif else {*_NOT_DECODED}
    damaged: tuple[str, Exception] | None = None
    # The common formats first, then all.
    for register in (Image.preinit, Image.init):
        register()
        for name, (factory, accept) in tuple(Image.OPEN.items()):
            if name in tried:
                continue
            tried.add(name)
            try:
                accepted = accept(head[:16]) if accept else True
                # A text says that the format is known and the library for it missing.
                if not accepted or isinstance(accepted, str):
                    continue
                file.seek(0)
                return cast("Image.Image", factory(file, ""))
            except Exception as error:
                # Formats without a signature are tried on everything, and their failure says nothing.
                if accept:
                    damaged = damaged or (name, error)
    if damaged:
        name, cause = damaged
        if _is_cut(cause) or isinstance(cause, OSError | MemoryError):
            raise ImageError(explain(cause, file)) from cause
        raise ImageError(f"damaged: it begins like a {name} image, and then makes no sense") from cause
    raise ImageError(f"not an image: {_nature(file)}")


def check_cost(image: Image.Image, file: BinaryIO | None = None, *, max_pixels: int = MAX_PIXELS) -> None:
    """Refuse what would take too much memory or time, or end in grey, before it does.

    Raises:
        ImageError: too many pixels, for what decodes them, or too many scans.
        EOFError: the file can be seen to be cut short.
    """
    width, height = image.size
    tiles: Any = getattr(image, "tile", ())
    in_python = bool(tiles) and tiles[0][0] in Image.DECODERS
    limit = min(max_pixels, MAX_PIXELS_IN_PYTHON) if in_python else max_pixels
    if width * height > limit:
        of_format = f" for {image.format}" if in_python else ""
        raise ImageError(f"too large: {width}×{height} pixels, and the limit{of_format} is {limit / 1e6:g} million")
    if max(width, height) > MAX_SIDE:
        raise ImageError(f"too long: {width}×{height} pixels, and the limit for a side is {MAX_SIDE:,}")
    # What ends early is decoded as if the rest were grey. Within the pixels these two bytes never stand together.
    if file and image.format == "JPEG2000" and not _count(file, b"\xff\xd9"):
        raise EOFError
    if file and image.info.get("progressive") and image.format in ("JPEG", "MPO"):
        scans = _count(file, b"\xff\xda")
        if scans * width * height > MAX_SCANNED:
            raise ImageError(f"made to take long: {scans:,} passes over {width}×{height} pixels")


def explain(error: Exception, file: BinaryIO | None = None) -> str:
    """The reason of an ImageError for whatever Pillow and the libraries below it raise."""
    if isinstance(error, MemoryError):
        return "not enough memory to decode it"
    if isinstance(error, Image.DecompressionBombError):
        return "too large: it holds more pixels than its header says, or than Pillow allows for its format"
    if isinstance(error, OSError) and error.errno:
        return reason(error)
    if _is_cut(error):
        if file is None:
            return "cut short"
        return f"cut short: the file ends after {file.seek(0, 2):,} bytes, and the image does not"
    if "decoder error" in str(error):
        return "damaged: its pixels cannot be decoded"
    lines = str(error).splitlines()
    return f"damaged: {lines[0][:200] if lines else type(error).__name__}"


def _is_cut(error: Exception) -> bool:
    text = str(error).lower()
    return isinstance(error, EOFError | struct.error) or any(
        sign in text
        for sign in ("truncated", "reached eof", "end of file", "unexpected eof", "not enough", "end of data")
    )


@functools.cache
def _silence_libtiff() -> None:
    """Keep libtiff from writing on standard error; Pillow raises what it says, and leaves its printing on."""
    import ctypes

    from PIL import _imaging

    # Where libtiff is part of Pillow's own library and cannot be reached, its lines are only untidy.
    with contextlib.suppress(OSError, AttributeError):
        library = ctypes.CDLL(_imaging.__file__)
        for name in ("TIFFSetErrorHandler", "TIFFSetWarningHandler"):
            getattr(library, name)(ctypes.c_void_p(None))


def _register_heif() -> None:
    try:
        from pillow_heif import register_heif_opener
    except ImportError as error:
        raise ImageError("a HEIC image, which needs the package pillow-heif (pip install pillow-heif)") from error
    register_heif_opener()


def _nature(file: BinaryIO) -> str:
    """What a file that is no image seems to be."""
    file.seek(0)
    head = file.read(512)
    start = head.lstrip().lower()
    for signature, name in _OTHERS:
        if start.startswith(signature):
            return f"it is {name}"
    if head[4:8] == b"ftyp":
        return "it is a film, or in a format that Pillow does not know"
    if not any(head):
        return "it begins with zeros"
    return "it begins with text" if _is_text(head) else "no known format begins like this"


def _is_text(head: bytes) -> bool:
    # The last character may be cut.
    text = head.decode(errors="ignore")
    return len(text.encode()) >= len(head) - 3 and all(char.isprintable() or char in "\t\n\r\f\ufeff" for char in text)


def _count(file: BinaryIO, marker: bytes) -> int:
    """How often two bytes occur in a file, which is left where it was."""
    position = file.tell()
    file.seek(0)
    count, last = 0, b""
    while block := file.read(1 << 20):
        count += (last + block).count(marker)
        last = block[-1:]
    file.seek(position)
    return count
