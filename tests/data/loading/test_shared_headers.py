from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from tests.drawn import broken_files, detailed, encoded, odd_files, stored_for, with_orientation
from zoo.core.errors import ImageError
from zoo.core.spec import Resize
from zoo.data.loading import shared_headers
from zoo.data.loading.shared_headers import SharedHeaderReader
from zoo.images.decode import load
from zoo.images.source import Source

RESIZE = Resize(32, 32, "squash")


@pytest.fixture
def write(tmp_path):
    def file(name, data):
        path = tmp_path / name
        path.write_bytes(data)
        return Source(str(path))

    return file


def outcome(read, *arguments):
    """The pixels as bytes, or the reason."""
    try:
        return read(*arguments).tobytes()
    except ImageError as error:
        return str(error)


@pytest.fixture
def ordinary(monkeypatch):
    """Names of the files that went the ordinary way."""
    seen = []
    monkeypatch.setattr(
        shared_headers, "load", lambda source, resize: seen.append(source.path[-5:]) or load(source, resize)
    )
    return seen


@pytest.mark.parametrize("resize", [RESIZE, Resize(32, 32), Resize(40, 24, "pad", interpolation="lanczos")])
@pytest.mark.parametrize("options", [{}, {"subsampling": 0, "quality": 95}, {"subsampling": 1, "dpi": (72, 72)}])
def test_pixels_are_the_same(write, ordinary, resize, options):
    files = [write(f"{n}.jpg", encoded(detailed(32, 32, n), "JPEG", **options)) for n in range(6)]
    reader = SharedHeaderReader(resize)
    for file in files:
        assert np.array_equal(reader.load(file), load(file, resize))
    assert ordinary == ["0.jpg"]


def test_grey_images(write, ordinary):
    files = [write(f"{n}.jpg", encoded(detailed(32, 32, n)[..., 0], "JPEG")) for n in range(4)]
    reader = SharedHeaderReader(RESIZE)
    for file in files:
        assert np.array_equal(reader.load(file), load(file, RESIZE))
    assert ordinary == ["0.jpg"]


@pytest.mark.parametrize(
    "make",
    [
        lambda n: encoded(detailed(32, 32, n), "JPEG", progressive=True),
        lambda n: with_orientation(stored_for(detailed(32, 32, n), 6), 6, "JPEG"),
        lambda n: encoded(detailed(300, 300, n), "JPEG"),
        lambda n: encoded(detailed(32, 32, n), "PNG"),
        lambda n: encoded(np.random.default_rng(n).integers(0, 256, (32, 32, 4), np.uint8), "WEBP"),
    ],
    ids=["progressive", "turned", "large", "png", "webp"],
)
def test_what_is_not_ordinary_goes_the_ordinary_way(write, ordinary, make):
    files = [write(f"{n}.jpg", make(n)) for n in range(3)]
    reader = SharedHeaderReader(RESIZE)
    for file in files:
        assert np.array_equal(reader.load(file), load(file, RESIZE))
    assert ordinary == ["0.jpg", "1.jpg", "2.jpg"]


def test_headers_of_two_sorts_in_turn(write, ordinary):
    sizes = [(32, 32), (24, 30)]
    files = [write(f"{n}.jpg", encoded(detailed(*sizes[n % 2], n), "JPEG")) for n in range(6)]
    reader = SharedHeaderReader(RESIZE)
    for file in files:
        assert np.array_equal(reader.load(file), load(file, RESIZE))
    assert ordinary == ["0.jpg", "1.jpg"]


def test_headers_of_their_own_are_not_remembered_without_end(write):
    reader = SharedHeaderReader(RESIZE)
    for number in range(shared_headers.MOST_LENGTHS + 30):
        file = write(f"{number}.jpg", encoded(detailed(32, 32, number), "JPEG", comment=b"x" * number))
        assert np.array_equal(reader.load(file), load(file, RESIZE))
    assert len(reader._lengths) == shared_headers.MOST_LENGTHS
    assert len(reader._headers) <= shared_headers.MOST_HEADERS


def test_files_cut_at_every_place_give_the_same_reason_or_pixels(write):
    reader = SharedHeaderReader(RESIZE)
    whole = encoded(detailed(32, 32, 1), "JPEG")
    reader.load(write("whole.jpg", whole))
    assert reader._lengths
    for length in [*range(0, len(whole), 7), *range(len(whole) - 8, len(whole))]:
        file = write("cut.jpg", whole[:length])
        assert outcome(reader.load, file) == outcome(load, file, RESIZE), length


def test_files_damaged_anywhere_give_the_same_reason_or_pixels(write):
    reader = SharedHeaderReader(RESIZE)
    whole = encoded(detailed(32, 32, 1), "JPEG")
    reader.load(write("whole.jpg", whole))
    rng = np.random.default_rng(0)
    for _ in range(300):
        data = bytearray(whole)
        for place in rng.integers(0, len(data), 3):
            data[place] = rng.integers(0, 256)
        file = write("damaged.jpg", bytes(data))
        assert outcome(reader.load, file) == outcome(load, file, RESIZE)
    for tail in (b"junk", b"\xff\xd8\xff", whole):
        file = write("tail.jpg", whole + tail)
        assert outcome(reader.load, file) == outcome(load, file, RESIZE)


def test_odd_and_broken_files(tmp_path):
    reader = SharedHeaderReader(RESIZE)
    files = [*odd_files(tmp_path / "odd").values(), *broken_files(tmp_path / "broken").values(), tmp_path, "missing"]
    for path in files * 2:
        source = Source(str(path))
        assert outcome(reader.load, source) == outcome(load, source, RESIZE)


def test_a_pillow_that_works_in_another_way(write, ordinary, monkeypatch):
    files = [write(f"{n}.jpg", encoded(detailed(32, 32, n), "JPEG")) for n in range(3)]
    monkeypatch.delattr(shared_headers.Image, "_getdecoder")
    monkeypatch.setattr(shared_headers, "load", lambda source, resize: ordinary.append(source.path) or np.zeros(3))
    reader = SharedHeaderReader(RESIZE)
    for file in files:
        reader.load(file)
    assert ordinary == [file.path for file in files]


def test_an_array(write):
    source = Source.from_array(detailed(32, 32))
    assert np.array_equal(SharedHeaderReader(RESIZE).load(source), load(source, RESIZE))
    broken = dataclasses.replace(source, problem="none at all")
    with pytest.raises(ImageError, match="none at all"):
        SharedHeaderReader(RESIZE).load(broken)


@pytest.mark.slow
@pytest.mark.real
def test_real_images(real_data, tmp_path):
    import tarfile

    with tarfile.open(real_data / "cifar10.tar.xz") as archive:
        archive.extractall(tmp_path, [m for m in archive if "/test/" in m.name][:3000], filter="data")
    reader = SharedHeaderReader(RESIZE)
    files = sorted(tmp_path.rglob("*.jpg"))
    assert len(files) > 2000
    for path in files:
        source = Source(str(path))
        assert np.array_equal(reader.load(source), load(source, RESIZE))
    assert len(reader._headers) == 1
