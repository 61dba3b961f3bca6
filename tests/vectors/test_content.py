"""What is written, before any format has it."""

import os

import numpy as np
import pytest

from tests.vectors.array_content import ArrayContent
from zoo.images.source import Source
from zoo.vectors import Column
from zoo.vectors.content import Entry, batched, norms, stamp


@pytest.mark.parametrize("shape", [(7, 5), (3, 1280), (2, 7, 7, 512), (2, 300_000), (4, 0), (0, 6)])
@pytest.mark.parametrize("dtype", ["float16", "float32"])
def test_norms(shape, dtype):
    block = np.random.default_rng(0).standard_normal(shape).astype(dtype)
    lengths = norms(block)
    assert (lengths.dtype, lengths.shape) == (np.float32, shape[:1])
    exact = np.sqrt((block.astype(np.float64) ** 2).sum(tuple(range(1, len(shape)))))
    np.testing.assert_allclose(lengths, exact, rtol=2e-7)


def test_norms_do_not_depend_on_the_block():
    block = np.random.default_rng(0).standard_normal((50, 333)).astype(np.float32)
    parts = [norms(block[start : start + 7]) for start in range(0, 50, 7)]
    np.testing.assert_array_equal(np.concatenate(parts), norms(block))


def test_stamps(tmp_path):
    path = tmp_path / "a.jpg"
    path.write_bytes(b"12345")
    os.utime(path, ns=(1, 1_700_000_000_123_456_789))
    assert stamp(Source(str(path))) == (5, 1_700_000_000_123_456_789)
    # A moment of a video has what its video has.
    assert stamp(Source(f"{path}#t=12.000", "frame")) == stamp(Source(f"{path}#t=1.5")) == stamp(Source(str(path)))
    for source in (
        Source(str(tmp_path / "no.jpg")),
        Source(str(tmp_path / "no.mp4#t=1.000"), "frame"),
        Source("a\0b"),
        Source(str(path), "url"),
        Source.from_array(np.zeros((2, 2), np.uint8), name=str(path)),
    ):
        assert stamp(source) == (-1, -1)


def test_arrays_that_do_not_fit():
    columns, entries = [Column("features", (3,), "float32")], [Entry("a"), Entry("b")]
    with pytest.raises(ValueError, match=r"'features' is \(3,\) for 2 images, not \(2, 4\)"):
        ArrayContent({}, columns, [np.zeros((2, 4))], entries)
    with pytest.raises(ValueError):
        ArrayContent({}, columns, [], entries)
    content = ArrayContent({}, columns, [np.zeros((2, 3))], entries)
    assert [block.dtype for block in content.blocks(columns[0], 1)] == [np.float32] * 2


def test_batches():
    entries = [Entry(str(number)) for number in range(7)]
    assert [len(batch) for batch in batched(iter(entries), 3)] == [3, 3, 1]
    assert list(batched(iter(()), 3)) == []
