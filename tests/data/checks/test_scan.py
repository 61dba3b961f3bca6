from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from tests.data.trees import idx_folder
from tests.drawn import broken_files, detailed, drawing, encoded, odd_files, stored_for, with_orientation
from zoo.core.errors import ImageError
from zoo.core.spec import Resize
from zoo.data.checks import scan as module
from zoo.data.checks.scan import is_named_after, scan_image, scan_images
from zoo.data.duplicates.phash import SIDE
from zoo.data.sources import idx_folder as idx_folder_source
from zoo.images.decode import load
from zoo.images.source import Source

LOOK = Resize(SIDE, SIDE, "squash", 1.0)


def seen(path):
    pixels = np.zeros((SIDE, SIDE, 3), np.uint8)
    return scan_image(Source(str(path)), pixels), pixels


def test_what_cannot_be_read_has_the_reason_that_every_command_gives(tmp_path):
    paths = broken_files(tmp_path / "broken")
    for kind, path in paths.items():
        with pytest.raises(ImageError) as caught:
            load(str(path), LOOK)
        assert seen(path)[0].problem == str(caught.value), kind


def test_what_is_odd_can_be_read_and_looks_as_every_command_sees_it(tmp_path):
    for name, path in odd_files(tmp_path / "odd").items():
        fact, pixels = seen(path)
        assert fact.problem is None, name
        assert (pixels == load(str(path), LOOK)).all(), name


def test_what_is_noted_of_a_image(tmp_path):
    facts = {name: seen(path)[0] for name, path in odd_files(tmp_path / "odd").items()}
    assert {name for name, fact in facts.items() if fact.animated} >= {"animated.gif", "animated.png", "animated.webp"}
    assert not facts["alpha.png"].animated
    assert {name for name, fact in facts.items() if fact.mode == "CMYK"} == {"cmyk.jpg"}
    assert {name for name, fact in facts.items() if fact.turned} == {"turned.jpg"}
    assert facts["turned.jpg"].size == facts["progressive.jpg"].size == (64, 48)
    assert facts["grey_16_bits.png"].deep
    assert not facts["alpha.png"].deep
    assert facts["one_pixel.png"].size == (1, 1)
    assert facts["really_a_png.jpg"].format == "PNG"


def test_colours_of_16_bits_are_noted_though_pillow_hides_them(tmp_path):
    import struct
    import zlib

    from tests.drawn import png_chunk

    header = struct.pack(">IIBBBBB", 2, 2, 16, 2, 0, 0, 0)
    pixels = zlib.compress((b"\0" + bytes(12)) * 2)
    data = b"\x89PNG\r\n\x1a\n" + png_chunk(b"IHDR", header) + png_chunk(b"IDAT", pixels) + png_chunk(b"IEND", b"")
    (tmp_path / "deep.png").write_bytes(data)
    assert seen(tmp_path / "deep.png")[0].deep


@pytest.mark.parametrize("orientation", range(1, 9))
def test_turned_images_are_looked_at_upright(tmp_path, orientation):
    upright = drawing(480, 640)
    (tmp_path / "a.jpg").write_bytes(with_orientation(stored_for(upright, orientation), orientation, "JPEG"))
    fact, pixels = seen(tmp_path / "a.jpg")
    assert fact.size == (640, 480)
    assert fact.turned == (orientation > 1)
    assert np.abs(pixels.astype(int) - load(upright, LOOK)).mean() < 3


def test_a_large_jpeg_decoded_small_looks_the_same(tmp_path):
    image = detailed(600, 800)
    (tmp_path / "a.jpg").write_bytes(encoded(image, "JPEG", quality=95))
    assert np.abs(seen(tmp_path / "a.jpg")[1].astype(int) - load(image, LOOK)).mean() < 3


def test_only_the_contents_decide_on_the_digest(tmp_path, monkeypatch):
    data = encoded(drawing(), "PNG")
    for name in ("a.png", "b.png"):
        (tmp_path / name).write_bytes(data)
    (tmp_path / "c.png").write_bytes(data + b"\0")
    one, other, third = (seen(tmp_path / name)[0].digest for name in ("a.png", "b.png", "c.png"))
    assert one == other != third
    # A file too large for memory is read in pieces, with the same result.
    monkeypatch.setattr(module, "_LARGEST", 10)
    assert seen(tmp_path / "a.png")[0].digest == one


def test_all_images_in_order_with_the_progress(tmp_path):
    sources = []
    for number in range(300):
        path = tmp_path / f"{number}.png"
        if number % 50 == 7:
            path.write_bytes(b"")
        else:
            Image.fromarray(drawing(10 + number, 20)).save(path)
        sources.append(Source(str(path)))
    told = []
    found = scan_images(sources, threads=3, progress=lambda done, total: told.append((done, total)))
    assert [fact.problem is not None for fact in found.facts] == [number % 50 == 7 for number in range(300)]
    assert [fact.size for fact in found.facts if fact.size] == [(20, 10 + n) for n in range(300) if n % 50 != 7]
    assert told[-1] == (300, 300)
    assert told == sorted(told)
    assert found.prints.thumbs.shape == (300, 16, 16, 3)


def test_grey_is_seen_in_the_pixels_and_not_in_the_mode(tmp_path):
    grey = np.repeat(drawing()[..., :1], 3, axis=-1)
    Image.fromarray(grey).save(tmp_path / "grey.jpg")
    Image.fromarray(drawing()).save(tmp_path / "colour.jpg")
    found = scan_images([Source(str(tmp_path / name)) for name in ("grey.jpg", "colour.jpg")])
    assert found.grey.tolist() == [True, False]


def test_images_of_idx_files_have_one_channel(tmp_path):
    content = idx_folder(tmp_path, size=(28, 28))
    folder = idx_folder_source.open_folder(str(tmp_path))
    splits = folder.read(folder.parts).splits
    found = scan_images(splits["train"].sources)
    assert found.prints.thumbs.shape == (40, 16, 16)
    assert found.grey.all()
    assert {fact.size for fact in found.facts} == {(28, 28)}
    assert len({fact.digest for fact in found.facts}) == len(content["train"][0])


@pytest.mark.parametrize(
    ("name", "format", "right"),
    [
        ("a.jpg", "JPEG", True),
        ("a.JPEG", "MPO", True),
        ("a.jpg", "PNG", False),
        ("a.png", "JPEG", False),
        ("a.tif", "TIFF", True),
        ("a.webp", "WEBP", True),
        ("a.unknown", "PNG", True),
        ("a", "PNG", True),
        ("a.png", None, True),
    ],
)
def test_names_and_formats(name, format, right):
    assert is_named_after(name, format) is right
