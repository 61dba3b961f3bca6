"""Reading vectors: in blocks, in any order, in little memory."""

import os
import subprocess
import sys

import numpy as np
import pytest

from tests.vectors import made
from zoo.core.errors import UsageError
from zoo.vectors import Vectors, open_vectors
from zoo.vectors.formats import registry


@pytest.fixture(params=["f.h5", "f.npy"])
def target(request, tmp_path):
    made.write(made.content(500, shapes=((3, 4),), dtype="float16"), tmp_path / request.param)
    return tmp_path / request.param


def test_blocks_are_float32_in_one_line(target):
    with open_vectors(target) as vectors:
        assert (vectors.shape, vectors.dim, vectors.dtype) == ((3, 4), 12, np.float16)
        assert len(vectors) == vectors.count == 500
        for first, block in vectors.blocks(64):
            assert block.dtype == np.float32
            assert block.shape == (min(64, 500 - first), 12)
            stored = vectors.read(first, first + len(block))
            np.testing.assert_array_equal(block, stored.reshape(len(block), 12).astype(np.float32))
        assert [len(block) for _, block in vectors.blocks()] == [500]


@pytest.mark.parametrize("dtype", ["float16", "float32"])
def test_blocks_that_are_kept_stay_as_they_are(dtype, tmp_path):
    content = made.content(100, dtype=dtype)
    made.write(content, tmp_path / "f.npy")
    with open_vectors(tmp_path / "f.npy") as vectors:
        together = np.concatenate([block for _, block in vectors.blocks(9)])
    np.testing.assert_array_equal(together, content.arrays[0].astype(np.float32))


def test_a_loop_needs_two_blocks(tmp_path):
    made.write(made.content(100), tmp_path / "f.npy")
    with open_vectors(tmp_path / "f.npy") as vectors:
        places = set()
        for _, block in vectors.blocks(4):
            places.add(block.ctypes.data)
    assert len(places) <= 2


def test_reading_into_memory_of_ones_own(target):
    with open_vectors(target) as vectors:
        out = np.empty((20, 3, 4), np.float16)
        vectors.fill(30, out)
        np.testing.assert_array_equal(out, vectors.read(30, 50))


def test_names_and_vectors_must_be_as_many(tmp_path):
    from contextlib import ExitStack

    made.write(made.content(3), tmp_path / "f.npy")
    with open_vectors(tmp_path / "f.npy") as vectors, pytest.raises(UsageError, match="3 vectors and the names of 2"):
        Vectors("f", vectors._rows, ["a", "b"], ExitStack())


def test_a_column_by_its_place(tmp_path):
    made.write(made.content(3, shapes=((2,), (4,))), tmp_path / "f.h5")
    with registry.open_column(tmp_path / "f.h5", lambda columns: columns[-1]) as vectors:
        assert vectors.column.name == "features_b_x0"
        assert vectors.about["layer"] == "b/x0"
        assert vectors.file_about["layer"] == ""
        assert vectors.norms is None


MEASURE = """
import resource, sys
from zoo.vectors import open_vectors
with open_vectors(sys.argv[1]) as vectors:
    next(iter(vectors.paths)), vectors.read(0, 1), next(vectors.blocks())
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    total = sum(float(block[0, 0]) for _, block in vectors.blocks())
    names = sum(1 for _ in vectors.paths)
    print(names, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


@pytest.mark.slow
@pytest.mark.parametrize("name", ["f.h5", "f.npy"])
def test_reading_much_needs_little_memory(name, tmp_path):
    """150 MB on disk, in blocks of 32 MiB."""
    content = made.content(150_000, shapes=((256,),))
    made.write(content, tmp_path / name)
    assert os.stat(tmp_path / name).st_size > 150_000_000
    del content
    done = subprocess.run(
        [sys.executable, "-c", MEASURE, tmp_path / name], capture_output=True, text=True, check=True, timeout=300
    )
    names, kilobytes = map(int, done.stdout.split())
    assert names == 150_000
    assert kilobytes < 48 << 10, "one further block, and not the file"
