"""A folder of shards is read as one file."""

import itertools
import json

import numpy as np
import pytest

from tests.vectors import made
from tests.vectors.array_content import ArrayContent
from zoo.core.errors import UnavailableError, UsageError
from zoo.vectors import Column, open_vectors
from zoo.vectors.formats import shards


def part(content, start, stop, failed=()):
    """Some rows of content."""
    arrays = [array[start:stop] for array in content.arrays]
    return ArrayContent(content.about, content.columns, arrays, content.images[start:stop], failed)


def write(folder, content, edges):
    """Content in several shards; the first one has what failed, and one has nothing."""
    folder.mkdir()
    written = []
    for number, (start, stop) in enumerate(itertools.pairwise(edges)):
        piece = part(content, start, stop, content.failed if number == 0 else ())
        path = folder / f"part-{number:05}.h5"
        written.append(made.shard(path, piece.about, piece.columns, piece.arrays, piece.images, piece.failed))
    shards.write_manifest(folder, written, content.about)
    return written


@pytest.mark.parametrize("edges", [[0, 40], [0, 13, 14, 40], [0, 0, 20, 20, 40], [0, 40, 40]])
@pytest.mark.parametrize("shapes", [((5,),), ((2, 3), (4,))])
def test_it_reads_as_one(edges, shapes, tmp_path):
    content = made.content(40, shapes=shapes)
    written = write(tmp_path / "f", content, edges)
    assert [shard.rows for shard in written] == np.diff(edges).tolist()
    assert [shard.failed for shard in written] == [2, *[0] * (len(written) - 1)]
    made.check(content, tmp_path / "f")


def test_more_shards_than_are_open_at_a_time(tmp_path, monkeypatch):
    monkeypatch.setattr(shards, "OPEN", 3)
    content = made.content(40)
    write(tmp_path / "f", content, range(0, 41, 4))
    made.check(content, tmp_path / "f")
    with open_vectors(tmp_path / "f") as vectors:
        list(vectors.blocks(7))
        assert len(vectors._rows._open) == 3


def test_a_shard_in_which_nothing_could_be_read(tmp_path):
    content = made.content(4, failed=[])
    write(tmp_path / "f", content, [0, 4])
    empty = made.shard(
        tmp_path / "f" / "part-00001.h5",
        content.about,
        [Column("features", (0,), "float32")],
        [np.empty((0, 0), np.float32)],
        [],
        [("bad", "no")],
    )
    shards.write_manifest(tmp_path / "f", [empty, shards.Shard("part-00000.h5", 4)], content.about)
    with open_vectors(tmp_path / "f", layer="top") as vectors:
        assert vectors.count == 4
        assert list(vectors.failed()) == [("bad", "no")]
        np.testing.assert_array_equal(vectors.read(0, 4), content.arrays[0])
    shards.write_manifest(tmp_path / "f", [empty], content.about)
    with open_vectors(tmp_path / "f") as vectors:
        assert (vectors.count, vectors.shape) == (0, (0,))


def test_the_manifest(tmp_path):
    write(tmp_path / "f", made.content(4), [0, 1, 4])
    assert json.loads((tmp_path / "f" / "manifest.json").read_text()) == {
        "format": 1,
        "shards": [
            {"file": "part-00000.h5", "rows": 1, "failed": 2},
            {"file": "part-00001.h5", "rows": 3, "failed": 0},
        ],
        "about": made.ABOUT,
    }
    names = ["manifest.json", "part-00000.h5", "part-00001.h5"]
    assert sorted(path.name for path in (tmp_path / "f").iterdir()) == names


@pytest.mark.parametrize("text", ["", "{", "[]", '{"format": 2, "shards": [], "about": {}}', '{"format": 1}'])
def test_a_damaged_manifest(text, tmp_path):
    (tmp_path / "manifest.json").write_text(text)
    with pytest.raises(UsageError, match=r"manifest\.json is damaged, or of another version of zoo"):
        open_vectors(tmp_path)


def test_shards_that_are_not_what_the_manifest_says(tmp_path):
    content = made.content(12)
    write(tmp_path / "f", content, [0, 4, 8, 12])
    made.write(part(content, 0, 3), tmp_path / "f" / "part-00001.h5")
    with open_vectors(tmp_path / "f") as vectors, pytest.raises(UsageError, match="has 3 vectors, and the manifest"):
        vectors.read(0, 12)
    made.write(made.content(4, shapes=((6,),)), tmp_path / "f" / "part-00001.h5")
    with open_vectors(tmp_path / "f") as vectors, pytest.raises(UsageError, match="other vectors than the other"):
        vectors.read(0, 12)
    (tmp_path / "f" / "part-00001.h5").unlink()
    with pytest.raises(UsageError, match=r"lacks part-00001\.h5, one of 3 shards that its manifest\.json names"):
        open_vectors(tmp_path / "f")
    shards.write_manifest(tmp_path / "f", [], {})
    with pytest.raises(UsageError, match="names no shards"):
        open_vectors(tmp_path / "f")


def test_a_manifest_that_cannot_be_written(tmp_path):
    with pytest.raises(UnavailableError, match=r"nowhere/manifest\.json cannot be written: no such file or directory"):
        shards.write_manifest(tmp_path / "nowhere", [], {})
