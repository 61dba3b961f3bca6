"""Vectors to be written, and images that they could be of."""

import os
import time

import numpy as np

from tests.vectors.array_content import ArrayContent
from zoo.images.source import Source
from zoo.vectors import Column, Journal
from zoo.vectors.content import Entry
from zoo.vectors.formats import hdf5, registry
from zoo.vectors.formats.shards import Shard

ABOUT = {"model": "resnet50", "layer": "", "pool": "avg", "further_layers": ["b/x"], "normalized": False, "none": None}

#: Names that a format may stumble over.
NAMES = [
    "a.jpg",
    "with, comma.jpg",
    'a "quoted" one.jpg',
    '"starts so',
    "two\nlines.jpg",
    "carriage\rreturn\r\n.jpg",
    "tab\tin it",
    " spaces ",
    "caf\udce9.jpg",
    "日本.jpg",
    "\u2028\x85\x0b\x0c\x1c.png",
    "'=1+1",
    "-",
    "\\n",
    "𝒂.jpg",
]


def content(count, *, shapes=((5,),), dtype="float32", names=NAMES, failed=(("bad\n.jpg", "no\tway"), ("x", "y"))):
    """So many rows, the same each time."""
    numbers = np.random.default_rng(count)
    columns = [Column("features", shapes[0], dtype, {"layer": "top"})]
    columns += [
        Column(f"features_b_x{number}", shape, dtype, {"layer": f"b/x{number}"})
        for number, shape in enumerate(shapes[1:])
    ]
    arrays = [numbers.standard_normal((count, *column.shape)).astype(column.dtype) for column in columns]
    paths = [names[row] if row < len(names) else f"folder/{row}.jpg" for row in range(count)]
    entries = [Entry(path, row, 1_700_000_000_000_000_000 + row) for row, path in enumerate(paths)]
    return ArrayContent(ABOUT, columns, arrays, entries, list(failed))


def write(made, path):
    """Write content in the format of the name."""
    return registry.format_of(path).load().write(made, path)


def check(made, path):
    """See that a file has this content, in every column."""
    for number, column in enumerate(made.columns):
        with registry.open_column(path, lambda columns, number=number: columns[number]) as vectors:
            array = made.arrays[number]
            assert (vectors.count, vectors.shape, vectors.dtype) == (made.count, column.shape, column.dtype)
            assert list(vectors.columns) == list(made.columns)
            assert vectors.about == {**made.about, **column.attributes}
            np.testing.assert_array_equal(vectors.read(0, made.count), array)
            mixed = np.random.default_rng(0).integers(0, max(1, made.count), 2 * made.count)
            np.testing.assert_array_equal(vectors.take(mixed), array[mixed])
            blocks = list(vectors.blocks(7))
            assert [first for first, _ in blocks] == list(range(0, made.count, 7))
            flat = np.concatenate([np.empty((0, vectors.dim), np.float32), *(block for _, block in blocks)])
            np.testing.assert_array_equal(flat, array.reshape(flat.shape).astype(np.float32))
            assert list(vectors.paths) == [entry.path for entry in made.images]
            assert vectors.paths[:] == [vectors.paths[row] for row in range(made.count)]
            sizes, times = vectors.stamps(0, made.count)
            assert [*zip(sizes, times, strict=True)] == [(entry.size, entry.mtime_ns) for entry in made.images]
            assert list(vectors.failed()) == list(made.failed)
            if number == 0:
                lengths = np.linalg.norm(flat.astype(np.float64), axis=1)
                assert vectors.norms.dtype == np.float32
                np.testing.assert_allclose(vectors.norms, lengths, rtol=1e-6)
            else:
                assert vectors.norms is None


def vector(path, size=6):
    """What a network makes of an image, as far as these tests care: numbers that depend on its name and content."""
    try:
        with open(path, "rb") as file:
            data = file.read()
    except OSError:
        data = b""
    seed = np.frombuffer(f"{path}{data}".encode("utf-8", "surrogateescape"), np.uint8)
    return np.random.default_rng(seed).standard_normal(size).astype(np.float32)


def extract(target, sources, *, mode="new", about=ABOUT, stop=None, size=6, pause=0.0, done=None):
    """Make a file of vectors as ``zoo features`` does; ``stop`` inputs are done and then it ends without finishing.

    An input with ``bad`` in its name fails. ``done`` is the descriptor of a file that gets a byte for each input.
    """
    with Journal.open(target, about, mode=mode) as journal:
        for number, source in enumerate(journal.pending(sources)):
            if stop is not None and number == stop:
                return journal
            if done is not None:
                os.write(done, b".")
            if "bad" in source.path:
                journal.fail(source, f"cannot be read: {source.path}")
            else:
                values = vector(source.path, size)
                if not journal.declared:
                    journal.declare(
                        [
                            Column("features", (size,), "float32", {"layer": ""}),
                            Column("features_b", (2,), "float16", {"layer": "b"}),
                        ]
                    )
                journal.add(source, [values, values[:2]])
            if pause:
                time.sleep(pause)
        return journal.finish()


def images(folder, count, *, bad=5):
    """Files, every fifth of them one that fails, as sources."""
    folder.mkdir(exist_ok=True)
    sources = []
    for number in range(count):
        path = folder / f"{'bad' if number % bad == 3 else 'good'}{number:03}.jpg"
        if not path.exists():
            path.write_text(f"image {number}")
        sources.append(Source(str(path)))
    return sources


def everything(folder):
    """The names and bytes of all files below a folder."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def shard(path, about, columns, arrays, images, failed=()):
    """One shard of a folder, and what the manifest has to say of it."""
    hdf5.write(ArrayContent(about, columns, arrays, images, failed), path)
    return Shard(path.name, len(images), len(failed))
