"""Images drawn for the tests: plain ones, odd ones that can be read, and files that cannot."""

from __future__ import annotations

import io
import os
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image


def drawing(height: int = 48, width: int = 64) -> np.ndarray:
    """Four quarters of different colours with a gradient over them: no two orientations look the same.

    Returns:
        uint8 (height, width, 3).
    """
    y, x = np.mgrid[:height, :width]
    top, left = y < height / 2, x < width / 2
    red = np.where(top, 220, 40) - 20 * x // width
    green = np.where(left, 200, 30) + 20 * y // height
    blue = np.where(top == left, 60, 180) + 30 * (x + y) // (height + width)
    return np.stack([red, green, blue], axis=-1).astype(np.uint8)


def detailed(height: int, width: int, seed: int = 0) -> np.ndarray:
    """Sharp edges and fine noise, harder on a resizer than photographs are; uint8 (height, width, 3)."""
    rng = np.random.default_rng(seed)
    pixels = np.full((height, width, 3), 128.0, np.float32)
    for _ in range(300):
        y, x = rng.integers(0, height), rng.integers(0, width)
        pixels[y : y + rng.integers(2, height // 6), x : x + rng.integers(2, width // 6)] = rng.integers(0, 256, 3)
    pixels += rng.normal(0, 12, (height, width, 1)).astype(np.float32)
    return np.clip(pixels, 0, 255).astype(np.uint8)


def encoded(img: Image.Image | np.ndarray, format: str, **options: object) -> bytes:
    """The bytes of a file."""
    image = Image.fromarray(img) if isinstance(img, np.ndarray) else img
    stream = io.BytesIO()
    image.save(stream, format, **options)
    return stream.getvalue()


def with_orientation(img: np.ndarray, orientation: int, format: str = "PNG", **options: object) -> bytes:
    """A file that holds the pixels as they are, and an EXIF orientation that says how to turn them."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    return encoded(img, format, exif=exif.tobytes(), **options)


def stored_for(upright: np.ndarray, orientation: int) -> np.ndarray:
    """The pixels that a camera stores with an orientation for a scene that looks like ``upright``."""
    turns: dict[int, Callable[[np.ndarray], np.ndarray]] = {
        1: lambda a: a,
        2: lambda a: a[:, ::-1],
        3: lambda a: a[::-1, ::-1],
        4: lambda a: a[::-1],
        5: lambda a: a.swapaxes(0, 1),
        6: lambda a: np.rot90(a, 1),
        7: lambda a: a[::-1, ::-1].swapaxes(0, 1),
        8: lambda a: np.rot90(a, -1),
    }
    return np.ascontiguousarray(turns[orientation](upright))


def png_chunk(name: bytes, data: bytes) -> bytes:
    """One chunk of a PNG file."""
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def png_of_size(width: int, height: int, data: bytes = b"") -> bytes:
    """A PNG file that says it has a size, and holds ``data`` as its compressed pixels."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + png_chunk(b"IHDR", header) + png_chunk(b"IDAT", data) + png_chunk(b"IEND", b"")


def jpeg_of_many_scans(side: int = 4000, scans: int = 20_000) -> bytes:
    """A progressive JPEG of a few hundred kilobytes that would keep a processor busy for minutes."""
    data = encoded(np.full((side, side), 128, np.uint8), "JPEG", progressive=True)
    end = data.rindex(b"\xff\xda")
    return data[:end] + data[end:-2] * scans + data[-2:]


def broken_files(folder: Path) -> dict[str, Path]:
    """Write files that are no readable images, each in its own way, all with an image's suffix.

    Each gives one row and one reason when the folder is classified.

    Returns:
        kind to path.
    """
    folder.mkdir(parents=True, exist_ok=True)
    pixels = detailed(60, 80)
    jpeg, png = encoded(pixels, "JPEG"), encoded(pixels, "PNG")
    deflated = encoded(pixels, "TIFF", compression="tiff_adobe_deflate")
    # The entry for the samples of a pixel: tag 277, one short, 3.
    samples = b"\x15\x01\x03\x00\x01\x00\x00\x00\x03\x00"
    assert samples in deflated
    contents = {
        "empty": b"",
        "text": b"Dear Sir,\nplease find the image attached.\n" * 20,
        "web_page": b"<!DOCTYPE html><html><body>404 Not Found</body></html>",
        "svg": b'<svg xmlns="http://www.w3.org/2000/svg" width="10" height="10"/>',
        "pdf": b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n",
        "zip": b"PK\x03\x04\x14\x00" + bytes(60),
        "postscript": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n",
        "zeros": bytes(5000),
        "noise": b"\xf1\xf2" + np.random.default_rng(1).bytes(3000),
        "cut_jpeg": jpeg[: len(jpeg) // 2],
        "cut_jpeg_header": jpeg[:100],
        "cut_progressive_jpeg": encoded(pixels, "JPEG", progressive=True)[: len(jpeg) // 2],
        "cut_png": png[: len(png) // 2],
        "cut_png_header": png[:20],
        "cut_gif": encoded(pixels, "GIF")[:2000],
        "cut_bmp": encoded(pixels, "BMP")[:5000],
        "cut_tiff": encoded(pixels, "TIFF")[:5000],
        "cut_tiff_lzw": encoded(pixels, "TIFF", compression="tiff_lzw")[:5000],
        "tiff_damaged_pixels": deflated[:200] + bytes(300) + deflated[500:],
        "tiff_too_many_samples": deflated.replace(samples, samples[:-2] + b"\x00\x08"),
        "cut_jpeg2000": encoded(pixels, "JPEG2000")[:212],
        "cut_webp": encoded(pixels, "WEBP")[:1000],
        "cut_ppm": encoded(pixels, "PPM")[:5000],
        "signature_only": b"\xff\xd8\xff\xe0",
        "png_wrong_checksum": png[:20] + bytes([png[20] ^ 1]) + png[21:],
        "png_damaged_pixels": png[:60] + b"\xff" * 400 + png[460:],
        "png_without_pixels": png_of_size(8, 8, zlib.compress(b"")),
        "png_of_no_size": png_of_size(0, 0),
        "bomb": png_of_size(60_000, 60_000, zlib.compress(bytes(1000))),
        "ribbon": png_of_size(100_000_000, 1, zlib.compress(bytes(1000))),
        "many_scans": jpeg_of_many_scans(),
        "film": b"\x00\x00\x00\x20ftypisom\x00\x00\x02\x00isomiso2mp41" + bytes(100),
        "heic_damaged": b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic" + bytes(100),
    }
    paths = {kind: folder / f"{kind}.jpg" for kind in contents}
    for kind, data in contents.items():
        paths[kind].write_bytes(data)
    for kind, target in (("broken_link", "nowhere.jpg"), ("link_to_itself", "link_to_itself.jpg")):
        paths[kind] = folder / f"{kind}.jpg"
        paths[kind].symlink_to(target)
    return paths


def odd_files(folder: Path) -> dict[str, Path]:
    """Write images that can be read though many programs stumble over them.

    Returns:
        kind to path.
    """
    folder.mkdir(parents=True, exist_ok=True)
    pixels = drawing()
    img = Image.fromarray(pixels)
    deep = (pixels[..., 0].astype(np.uint16) << 8) | 0x5A
    alpha = np.dstack([pixels, pixels[..., 0]])
    frames = [Image.fromarray(np.roll(pixels, 8 * i, axis=1)) for i in range(3)]
    animated = {"save_all": True, "append_images": frames[1:], "duration": 50}
    contents = {
        "grey.jpg": encoded(img.convert("L"), "JPEG"),
        "grey_16_bits.png": encoded(deep, "PNG"),
        "grey_float.tif": encoded((pixels[..., 0] / 255).astype(np.float32), "TIFF"),
        "one_bit.png": encoded(img.convert("1"), "PNG"),
        "palette.png": encoded(img.quantize(16), "PNG"),
        "palette_transparent.gif": encoded(img.quantize(16), "GIF", transparency=0),
        "alpha.png": encoded(alpha, "PNG"),
        "grey_alpha.png": encoded(Image.fromarray(alpha).convert("LA"), "PNG"),
        "cmyk.jpg": encoded(img.convert("CMYK"), "JPEG"),
        "ycbcr.tif": encoded(img.convert("YCbCr"), "TIFF"),
        "animated.gif": encoded(frames[0], "GIF", **animated),
        "animated.png": encoded(frames[0], "PNG", **animated),
        "animated.webp": encoded(frames[0], "WEBP", **animated),
        "pages.tif": encoded(frames[0], "TIFF", save_all=True, append_images=frames[1:]),
        "turned.jpg": with_orientation(stored_for(pixels, 6), 6, "JPEG"),
        "progressive.jpg": encoded(img, "JPEG", progressive=True),
        "one_pixel.png": encoded(pixels[:1, :1], "PNG"),
        "really_a_png.jpg": encoded(img, "PNG"),
        "UPPER.JPG": encoded(img, "JPEG"),
        "with space, comma and 'quotes'.png": encoded(img, "PNG"),
        "line\nbreak.png": encoded(img, "PNG"),
        "grüße 照片.png": encoded(img, "PNG"),
        os.fsdecode(b"not utf-8 \xff\xfe.png"): encoded(img, "PNG"),
    }
    for name, data in contents.items():
        (folder / name).write_bytes(data)
    return {name: folder / name for name in contents}
