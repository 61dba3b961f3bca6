"""Reading rows from files, into memory that is used again."""

import threading

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zoo.core.errors import UnavailableError
from zoo.vectors.rows import Buffers, ByteFile, RawRows, Rows, block_rows, runs


@pytest.fixture(scope="module")
def rows(tmp_path_factory):
    """Fifty rows in three stretches, in another order than they are in the file."""
    values = np.arange(50 * 6, dtype=np.float32).reshape(50, 2, 3)
    parts, data, offsets = [(0, 17), (17, 18), (18, 50)], b"head", {}
    for start, stop in reversed(parts):
        offsets[start] = len(data)
        data += values[start:stop].tobytes() + b"gap"
    path = tmp_path_factory.mktemp("rows") / "f"
    path.write_bytes(data)
    file = ByteFile(path)
    starts = np.array([start for start, _ in parts])
    yield RawRows(file, values.dtype, (2, 3), 50, np.array([offsets[int(start)] for start in starts]), starts), values
    file.close()


@settings(deadline=None)
@given(data=st.data())
def test_any_part_of_several_stretches(rows, data):
    reader, values = rows
    start = data.draw(st.integers(0, 50))
    stop = data.draw(st.integers(start, 50))
    out = np.empty((stop - start, 2, 3), np.float32)
    reader.fill(start, out)
    np.testing.assert_array_equal(out, values[start:stop])


@settings(deadline=None)
@given(st.lists(st.integers(0, 49)))
def test_rows_in_any_order(rows, wanted):
    reader, values = rows
    np.testing.assert_array_equal(reader.take(np.array(wanted, np.int64)), values[wanted])


def test_each_row_is_read_once():
    class Counting(Rows):
        shape, dtype, count = (1,), np.dtype(np.float32), 100

        def __init__(self):
            self.asked = []

        def fill(self, start, out):
            self.asked.append((start, len(out)))
            out[:] = np.arange(start, start + len(out))[:, None]

    source = Counting()
    assert source.take(np.array([5, 9, 4, 5, 10, 5])).ravel().tolist() == [5, 9, 4, 5, 10, 5]
    assert source.asked == [(4, 2), (9, 2)]


def test_runs():
    assert list(runs(np.array([], np.int64))) == []
    assert list(runs(np.array([3]))) == [(0, 1)]
    assert list(runs(np.array([1, 2, 3, 7, 8, 10]))) == [(0, 3), (3, 5), (5, 6)]


def test_a_file_that_becomes_shorter(tmp_path):
    (tmp_path / "f").write_bytes(bytes(400))
    file = ByteFile(tmp_path / "f")
    reader = RawRows(file, np.dtype(np.float32), (10,), 10, 0)
    (tmp_path / "f").write_bytes(bytes(100))
    with pytest.raises(UnavailableError, match="shorter"):
        reader.fill(0, np.empty((10, 10), np.float32))


def test_threads_read_beside_one_another(tmp_path):
    values = np.arange(10000 * 4, dtype=np.int32).reshape(10000, 4)
    (tmp_path / "f").write_bytes(values.tobytes())
    reader = RawRows(ByteFile(tmp_path / "f"), values.dtype, (4,), 10000, 0)
    wrong = []

    def read(seed):
        for start in np.random.default_rng(seed).integers(0, 9900, 300):
            out = np.empty((100, 4), np.int32)
            reader.fill(int(start), out)
            if not (out == values[start : start + 100]).all():
                wrong.append(start)

    threads = [threading.Thread(target=read, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_memory_is_used_again_when_nobody_holds_it():
    buffers = Buffers((8, 3), np.dtype(np.float32))
    first = buffers.get(8)
    place = first.ctypes.data
    part = first[2:5].reshape(-1)
    del first
    second = buffers.get(8)
    assert second.ctypes.data != place, "a part of the first is still held"
    del part
    third = buffers.get(5)
    assert third.ctypes.data == place
    assert third.shape == (5, 3)


def test_what_is_held_is_never_written_over():
    buffers = Buffers((4,), np.dtype(np.int64))
    held = []
    for number in range(10):
        array = buffers.get(4)
        array[:] = number
        held.append(array[1:])
        del array
    assert [part.tolist() for part in held] == [[number] * 3 for number in range(10)]


def test_block_rows():
    assert block_rows((1280,)) == (32 << 20) // (4 * 1280)
    assert block_rows((1 << 30,)) == 1
    assert block_rows(()) == 8 << 20
    assert block_rows((0,)) == 32 << 20
