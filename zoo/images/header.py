"""Read an image's header, refuse what would cost too much, and say what is wrong with a file."""

from __future__ import annotations

import contextlib
import ctypes
import importlib
import logging
import struct
import warnings
from typing import Any, BinaryIO, cast

from PIL import Image, _imaging

from zoo.core.errors import ImageError, describe_os_error
from zoo.images import formats
from zoo.images.limits import MAX_PIXELS, MAX_PIXELS_IN_PYTHON, MAX_SCANNED, MAX_SIDE

# Pillow's warnings do not name the file; what matters becomes an error here. catch_warnings is not safe with threads.
warnings.filterwarnings("ignore", module=r"PIL\.")
# Without a handler, Python would print what Pillow logs.
logging.getLogger("PIL").addHandler(logging.NullHandler())
# Keep libtiff, where it can be reached, from writing to standard error; Pillow raises the same errors.
with contextlib.suppress(OSError, AttributeError):
    _library = ctypes.CDLL(_imaging.__file__)
    for _name in ("TIFFSetErrorHandler", "TIFFSetWarningHandler"):
        getattr(_library, _name)(ctypes.c_void_p(None))


def identify(file: BinaryIO) -> Image.Image:
    """Read the header as Pillow's ``open`` does, without its pixel limit and formats that start another program."""
    head = file.read(formats.HEAD)
    if not head:
        raise ImageError("the file is empty")
    found = formats.match(head)
    if found and found.plugin:
        _register(found)
    # A plugin reads only what the table gives it: the signatures of HEIF and AVIF overlap.
    tried = {row.name for row in formats.FORMATS if row.kind == "refused" or (row.plugin and row is not found)}
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
                # A text says that the library for this format is missing.
                if not accepted or isinstance(accepted, str):
                    continue
                file.seek(0)
                return cast("Image.Image", factory(file, ""))
            except Exception as error:
                # Formats without a signature are tried on every file, and their failure says nothing.
                if accept:
                    damaged = damaged or (name, error)
    if damaged:
        name, cause = damaged
        if _is_cut(cause) or isinstance(cause, OSError | MemoryError):
            raise ImageError(explain(cause, file)) from cause
        raise ImageError(f"damaged: it begins like a {name} image, and then makes no sense") from cause
    raise ImageError(f"not an image: {_nature(head)}")


def check_cost(image: Image.Image, file: BinaryIO | None = None, *, max_pixels: int = MAX_PIXELS) -> None:
    """Refuse an image that would take too much memory or time, or is known to be cut short (EOFError)."""
    width, height = image.size
    tiles: Any = getattr(image, "tile", ())
    in_python = bool(tiles) and tiles[0][0] in Image.DECODERS
    limit = min(max_pixels, MAX_PIXELS_IN_PYTHON) if in_python else max_pixels
    if width * height > limit:
        of_format = f" for {image.format}" if in_python else ""
        raise ImageError(f"too large: {width}×{height} pixels, and the limit{of_format} is {limit / 1e6:g} million")
    if max(width, height) > MAX_SIDE:
        raise ImageError(f"too long: {width}×{height} pixels, and the limit for a side is {MAX_SIDE:,}")
    # Pillow decodes a truncated JPEG 2000 with a grey rest. These two bytes never stand within its pixels.
    if file and image.format == "JPEG2000" and not _count(file, b"\xff\xd9"):
        raise EOFError
    if file and image.info.get("progressive") and image.format in ("JPEG", "MPO"):
        scans = _count(file, b"\xff\xda")
        if scans * width * height > MAX_SCANNED:
            raise ImageError(f"made to take long: {scans:,} passes over {width}×{height} pixels")


def explain(error: Exception, file: BinaryIO | None = None) -> str:
    """The message of an ImageError for an exception of Pillow or a library below it."""
    if isinstance(error, MemoryError):
        return "not enough memory to decode it"
    if isinstance(error, Image.DecompressionBombError):
        return "too large: it holds more pixels than its header says, or than Pillow allows for its format"
    if isinstance(error, OSError) and error.errno:
        return describe_os_error(error)
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


def _register(row: formats.Format) -> None:
    """Add a format to Pillow from its own package."""
    module, _, function = row.plugin.partition(":")
    try:
        getattr(importlib.import_module(module), function)()
    except ImportError as error:
        package = module.replace("_", "-")
        raise ImageError(f"a {row.name} image, which needs the package {package} (pip install {package})") from error


def _nature(head: bytes) -> str:
    """What a file that is not an image seems to be."""
    found = formats.match(head)
    if found and found.called:
        return f"it is {found.called}"
    if not any(head):
        return "it begins with zeros"
    # The last character may be cut.
    text = head.decode(errors="ignore")
    if len(text.encode()) >= len(head) - 3 and all(char.isprintable() or char in "\t\n\r\f\ufeff" for char in text):
        return "it begins with text"
    if found and found.kind == "video":
        return "it is a video"
    return "its format is unknown"


def _count(file: BinaryIO, marker: bytes) -> int:
    """How often two bytes occur in a file; its position stays."""
    position = file.tell()
    file.seek(0)
    count, last = 0, b""
    while block := file.read(1 << 20):
        count += (last + block).count(marker)
        last = block[-1:]
    file.seek(position)
    return count
