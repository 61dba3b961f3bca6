"""A folder of shards: what is whole is kept, what is there is not replaced by mistake, and it appears when done."""

from __future__ import annotations

import os

import numpy as np
import pytest

from tests.vectors import made
from zoo.core.errors import UnavailableError, UsageError
from zoo.distributed import shard_folder
from zoo.vectors import Column, Written, open_vectors
from zoo.vectors.content import Entry
from zoo.vectors.part_folder import PartFolder

ABOUT = {"model": "lenet", "layer": "", "zoo_version": "1"}


def shard(folder, number, rows=3, failed=()):
    """A shard of which every row says where it stands."""
    names = [f"{number}-{row}.png" for row in range(rows)]
    vectors = np.array([[number, row] for row in range(rows)], np.float32).reshape(rows, 2)
    columns = [Column("features", (2,), np.float32)]
    return made.shard(
        folder.parts / shard_folder.file_name(number),
        ABOUT,
        columns,
        [vectors],
        [Entry(name) for name in names],
        failed,
    )


def make(target, numbers=(0, 1), **settings):
    with shard_folder.opened(target, ABOUT, **settings) as folder:
        return folder.finish([shard(folder, number) for number in numbers], (2,))


def test_the_folder_appears_when_it_is_whole(tmp_path):
    target = tmp_path / "f"
    with shard_folder.opened(target, ABOUT) as folder:
        assert (folder.size, folder.target) == (shard_folder.SHARD_SIZE, target)
        made = [shard(folder, 0), shard(folder, 1, failed=[("x.png", "no image")]), shard(folder, 2, rows=0)]
        assert not target.exists()
        with pytest.raises(UsageError, match="not finished"):
            open_vectors(target)
        written = folder.finish(made, (2,))
    assert (written.path, written.count, written.failed, written.shape) == (target, 6, 1, (2,))
    assert written.bytes == sum(file.stat().st_size for file in target.iterdir())
    assert os.listdir(tmp_path) == ["f"]
    with open_vectors(target) as vectors:
        assert list(vectors.paths) == [f"{number}-{row}.png" for number in (0, 1) for row in range(3)]
        np.testing.assert_array_equal(vectors.read(0, 6)[:, 0], [0, 0, 0, 1, 1, 1])
        assert list(vectors.failed()) == [("x.png", "no image")]
        assert vectors.about == ABOUT


def test_shards_without_a_row_are_a_folder_too(tmp_path):
    with shard_folder.opened(tmp_path / "f", ABOUT) as folder:
        written = folder.finish([shard(folder, 0, rows=0, failed=[("x.png", "no image")])], (0,))
    assert (written.count, written.failed) == (0, 1)
    with open_vectors(tmp_path / "f") as vectors:
        assert vectors.count == 0
        assert list(vectors.failed()) == [("x.png", "no image")]


def test_what_is_whole_is_kept_with_the_size_it_has(tmp_path):
    with shard_folder.opened(tmp_path / "f", ABOUT, size=3) as folder:
        first = shard(folder, 0)
        left = folder.work
        (left / "half").write_text("")
    assert not left.exists()
    with pytest.raises(UsageError, match="use --resume to continue"), shard_folder.opened(tmp_path / "f", ABOUT):
        pass
    with shard_folder.opened(tmp_path / "f", {**ABOUT, "zoo_version": "2"}, mode="resume") as folder:
        assert folder.size == 3
        assert [path.name for path in folder.parts.iterdir()] == [first.file]
        assert folder.finish([first, shard(folder, 1)], (2,)).count == 6


def test_another_size_can_be_asked_for_when_going_on(tmp_path):
    with shard_folder.opened(tmp_path / "f", ABOUT, size=3) as folder:
        shard(folder, 0)
    for size in (5, None):
        with shard_folder.opened(tmp_path / "f", ABOUT, mode="resume", size=size) as folder:
            assert folder.size == 5


def test_who_was_killed_leaves_nothing_that_counts(tmp_path):
    with shard_folder.opened(tmp_path / "f", ABOUT) as folder:
        shard(folder, 0)
        orphan = tmp_path / "f.part" / "work-of-one-that-was-killed"
        orphan.mkdir()
    with shard_folder.opened(tmp_path / "f", ABOUT, mode="resume") as folder:
        assert not orphan.exists()
        assert orphan != folder.work
        assert folder.work.is_dir()


def test_nothing_done_is_nothing_left(tmp_path):
    for mode in ("new", "resume", "overwrite"):
        with pytest.raises(KeyError), shard_folder.opened(tmp_path / "f", ABOUT, mode=mode):
            raise KeyError
        assert os.listdir(tmp_path) == []


def test_shards_of_inputs_that_are_gone_do_not_stay(tmp_path):
    with shard_folder.opened(tmp_path / "f", ABOUT) as folder:
        first = shard(folder, 0)
        shard(folder, 1)
    with shard_folder.opened(tmp_path / "f", ABOUT, mode="resume") as folder:
        assert folder.finish([first], (2,)).count == 3
    assert sorted(os.listdir(tmp_path / "f")) == ["manifest.json", "part-00000.h5"]


def test_a_finished_folder_is_left_or_replaced_as_a_whole(tmp_path):
    target = tmp_path / "f"
    make(target)
    with pytest.raises(UsageError, match="f exists"), shard_folder.opened(target, ABOUT):
        pass
    with shard_folder.opened(target, ABOUT, mode="resume") as found:
        assert isinstance(found, Written)
        assert (found.count, found.failed, found.shape) == (6, 0, (2,))
    assert os.listdir(tmp_path) == ["f"]
    with shard_folder.opened(target, ABOUT, mode="overwrite") as folder:
        new = shard(folder, 7)
        with open_vectors(target) as vectors:
            assert vectors.count == 6
        folder.finish([new], (2,))
    with open_vectors(target) as vectors:
        assert vectors.paths[0] == "7-0.png"
    assert os.listdir(tmp_path) == ["f"]


@pytest.mark.parametrize("finished", [True, False])
def test_another_network_does_not_go_on(tmp_path, finished):
    if finished:
        make(tmp_path / "f")
    else:
        with shard_folder.opened(tmp_path / "f", ABOUT) as folder:
            shard(folder, 0)
    other = {**ABOUT, "layer": "conv1"}
    with (
        pytest.raises(UsageError, match="was made with layer none and not conv1"),
        shard_folder.opened(tmp_path / "f", other, mode="resume"),
    ):
        pass
    with shard_folder.opened(tmp_path / "f", other, mode="overwrite") as folder:
        assert list(folder.parts.iterdir()) == []


def test_a_kill_at_the_very_end_costs_nothing(tmp_path, monkeypatch):
    def killed(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(PartFolder, "publish", killed)
        with pytest.raises(KeyboardInterrupt):
            make(tmp_path / "f")
    with shard_folder.opened(tmp_path / "f", ABOUT, mode="resume") as found:
        assert found.count == 6
    assert os.listdir(tmp_path) == ["f"]


def test_a_folder_of_other_things_is_never_replaced(tmp_path):
    photos = tmp_path / "photos"
    make(photos)
    (photos / "holiday.jpg").write_bytes(b"mine")
    for mode in ("new", "overwrite"):
        with pytest.raises(UsageError), shard_folder.opened(photos, ABOUT, mode=mode):
            pass
    (tmp_path / "file").write_text("mine")
    with (
        pytest.raises(UsageError, match="other things"),
        shard_folder.opened(tmp_path / "file", ABOUT, mode="overwrite"),
    ):
        pass
    assert (photos / "holiday.jpg").read_bytes() == b"mine"
    assert sorted(os.listdir(tmp_path)) == ["file", "photos"]


def test_an_empty_folder_is_taken(tmp_path, monkeypatch):
    (tmp_path / "f").mkdir()
    monkeypatch.chdir(tmp_path / "f")
    assert make(".").count == 6
    assert open_vectors(tmp_path / "f").count == 6


@pytest.mark.parametrize(
    ("name", "settings", "sentence"),
    [("f.h5", {}, "leave out the .h5"), ("f", {"mode": "update"}, "cannot be updated")],
)
def test_what_shards_cannot_be(tmp_path, name, settings, sentence):
    with pytest.raises(UsageError, match=sentence), shard_folder.opened(tmp_path / name, ABOUT, **settings):
        pass
    assert os.listdir(tmp_path) == []


def test_one_process_at_a_time(tmp_path):
    with (
        shard_folder.opened(tmp_path / "f", ABOUT),
        pytest.raises(UnavailableError, match="another process"),
        shard_folder.opened(tmp_path / "f", ABOUT, mode="resume"),
    ):
        pass


def test_there_must_be_a_folder_to_make_it_in(tmp_path):
    with pytest.raises(UnavailableError, match="no such folder"), shard_folder.opened(tmp_path / "none" / "f", ABOUT):
        pass
