"""Making a file of vectors: begun, interrupted, gone on with, added to, refused."""

import json
import os
import resource
import signal
import subprocess
import sys
import time
import traceback

import numpy as np
import pytest

from tests.vectors import made
from tests.vectors.made import ABOUT, everything, extract, images
from zoo.core.errors import UnavailableError, UsageError
from zoo.images.source import Source
from zoo.vectors import Column, Journal, open_vectors
from zoo.vectors.journal import journal


def paths(target):
    with open_vectors(target) as vectors:
        return [os.path.basename(path) for path in vectors.paths]


def failures(target):
    with open_vectors(target) as vectors:
        return [os.path.basename(path) for path, _ in vectors.failed()]


def rows(target):
    """Vectors by name."""
    with open_vectors(target) as vectors:
        return dict(zip(vectors.paths, vectors.read(0, vectors.count), strict=True))


def expect_right(target):
    """That each row is of its image as it is now, in both columns."""
    for path, row in rows(target).items():
        np.testing.assert_array_equal(row, made.vector(path))
    with open_vectors(target, layer="b") as further:
        for path, row in zip(further.paths, further.read(0, further.count), strict=True):
            np.testing.assert_array_equal(row, made.vector(path)[:2].astype(np.float16))
    with open_vectors(target) as vectors:
        sizes, times = vectors.stamps(0, vectors.count)
        for path, size, time_ns in zip(vectors.paths, sizes, times, strict=True):
            if os.path.exists(path):
                assert (size, time_ns) == (os.stat(path).st_size, os.stat(path).st_mtime_ns)


def test_a_new_file(tmp_path):
    sources = images(tmp_path / "p", 12)
    written = extract(tmp_path / "f.h5", sources)
    assert (written.path, written.count, written.failed, written.shape) == (tmp_path / "f.h5", 10, 2, (6,))
    assert written.bytes == (tmp_path / "f.h5").stat().st_size
    assert paths(tmp_path / "f.h5") == [f"good{number:03}.jpg" for number in range(12) if number not in (3, 8)]
    assert failures(tmp_path / "f.h5") == ["bad003.jpg", "bad008.jpg"]
    expect_right(tmp_path / "f.h5")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["f.h5", "p"]
    with open_vectors(tmp_path / "f.h5") as vectors:
        assert vectors.about == {**ABOUT, "layer": ""}


def test_a_file_that_exists_is_not_touched(tmp_path):
    extract(tmp_path / "f.npy", images(tmp_path / "p", 3))
    before = everything(tmp_path)
    with pytest.raises(UsageError, match=r"f\.npy exists; --update adds new images to it, --overwrite replaces it\."):
        extract(tmp_path / "f.npy", images(tmp_path / "p", 3))
    assert everything(tmp_path) == before


def test_what_was_begun_is_not_begun_again(tmp_path):
    extract(tmp_path / "f.npy", images(tmp_path / "p", 8), stop=5)
    before = everything(tmp_path)
    with pytest.raises(UsageError, match=r"begun and not finished; --resume continues it, --overwrite starts over"):
        extract(tmp_path / "f.npy", images(tmp_path / "p", 8))
    assert everything(tmp_path) == before


@pytest.mark.parametrize("name", ["f.h5", "f.npy", "f.npz", "f.csv", "f.projector"])
def test_resuming_gives_the_same_bytes(name, tmp_path):
    sources = images(tmp_path / "p", 11)
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    extract(tmp_path / "a" / name, sources)
    done = os.open(tmp_path / "done", os.O_CREAT | os.O_WRONLY)
    for stop in (0, 4, 1, 2):
        extract(tmp_path / "b" / name, sources, mode="resume", stop=stop, done=done)
    assert not (tmp_path / "b" / name).exists()
    extract(tmp_path / "b" / name, sources, mode="resume", done=done)
    assert everything(tmp_path / "a") == everything(tmp_path / "b")
    assert (tmp_path / "done").stat().st_size == 11, "nothing is done twice"
    os.close(done)


def test_resuming_what_is_finished(tmp_path):
    written = extract(tmp_path / "f.h5", images(tmp_path / "p", 4))
    before = everything(tmp_path)
    with Journal.open(tmp_path / "f.h5", ABOUT, mode="resume") as again:
        assert again.complete
        assert again.declared
        assert list(again.pending(images(tmp_path / "p", 4))) == []
        assert again.finish() == written
    assert everything(tmp_path) == before


def test_resuming_nothing_begins(tmp_path):
    assert extract(tmp_path / "f.h5", images(tmp_path / "p", 4), mode="resume").count == 3


def test_resuming_in_a_folder_that_has_changed(tmp_path):
    """Files came, went and changed places: what is done is not done again, what is new comes behind it."""
    sources = images(tmp_path / "p", 10)
    extract(tmp_path / "f.npy", sources, stop=6)
    new = Source(str(tmp_path / "p" / "early.jpg"))
    (tmp_path / "p" / "early.jpg").write_text("new")
    changed = [new, sources[9], *sources[5:0:-1], *sources[6:9]]
    with Journal.open(tmp_path / "f.npy", ABOUT, mode="resume") as going:
        pending = list(going.pending(changed))
        assert pending == [new, sources[9], *sources[6:9]]
        assert going.vanished == 1
    extract(tmp_path / "f.npy", changed, mode="resume")
    order = [0, 1, 2, 4, 5, 9, 6, 7]
    expected = [f"good{number:03}.jpg" for number in order]
    expected.insert(5, "early.jpg")
    assert paths(tmp_path / "f.npy") == expected
    assert sorted(failures(tmp_path / "f.npy")) == ["bad003.jpg", "bad008.jpg"]
    expect_right(tmp_path / "f.npy")


def test_a_image_that_is_asked_for_twice_has_two_rows(tmp_path):
    first, second = images(tmp_path / "p", 2)
    extract(tmp_path / "f.npy", [first, first, second, first], stop=2)
    written = extract(tmp_path / "f.npy", [first, first, second, first], mode="resume")
    assert written.count == 4
    written = extract(tmp_path / "f.npy", [first, first, second, first, first], mode="update")
    assert written.count == 5
    assert written.vanished == 0


@pytest.mark.parametrize("mode", ["resume", "update"])
@pytest.mark.parametrize("finished", [True, False])
def test_another_network_is_refused(mode, finished, tmp_path):
    sources = images(tmp_path / "p", 4)
    extract(tmp_path / "f.npy", sources, about={**ABOUT, "zoo_version": "1.0"}, stop=None if finished else 2)
    before = everything(tmp_path)
    for change, words in (
        ({"model": "vgg16"}, "was made with model resnet50 and not vgg16; name another file, or --overwrite."),
        ({"layer": "block4"}, "was made with layer none and not block4;"),
        ({"further_layers": []}, "was made with further layers b/x and not none;"),
        ({"more": "x" * 64}, "does not say with which more it was made;"),
    ):
        with pytest.raises(UsageError) as caught:
            extract(tmp_path / "f.npy", sources, mode=mode, about={**ABOUT, **change})
        assert str(caught.value).startswith(f"{tmp_path / 'f.npy'} {words}")
        assert everything(tmp_path) == before
    extract(tmp_path / "f.npy", sources, mode=mode, about={**ABOUT, "zoo_version": "2.0"})


def test_other_columns_are_refused(tmp_path):
    extract(tmp_path / "f.npy", images(tmp_path / "p", 4), stop=2)
    with Journal.open(tmp_path / "f.npy", ABOUT, mode="resume") as going:
        with pytest.raises(
            UsageError, match=r"with features of 6 \(float32\), features_b of 2 \(float16\) and not with"
        ):
            going.declare([Column("features", (7, 7, 2), "float32", {"layer": ""})])
        going.declare(going.columns)


def test_overwriting(tmp_path):
    extract(tmp_path / "f.npy", images(tmp_path / "p", 4))
    extract(tmp_path / "f.npy", images(tmp_path / "p", 9), mode="overwrite", about={"model": "vgg16"}, stop=3)
    assert len(paths(tmp_path / "f.npy")) == 3, "the old file is there until the new one is whole"
    extract(tmp_path / "f.npy", images(tmp_path / "p", 9), mode="resume", about={"model": "vgg16"})
    assert len(paths(tmp_path / "f.npy")) == 7
    extract(tmp_path / "f.npy", images(tmp_path / "p", 4), mode="overwrite", stop=3)
    extract(tmp_path / "f.npy", images(tmp_path / "p", 4), mode="overwrite", about={"model": "lenet5"})
    with open_vectors(tmp_path / "f.npy") as vectors:
        assert vectors.about["model"] == "lenet5"


def test_files_that_the_new_one_has_not_go(tmp_path):
    extract(tmp_path / "f.npy", images(tmp_path / "p", 4))
    assert (tmp_path / "f.features_b.npy").exists()
    (tmp_path / "f.other.npy").write_text("a stranger's")
    with Journal.open(tmp_path / "f.npy", ABOUT, mode="overwrite") as making:
        making.declare([Column("features", (2,), "float32")])
        making.add(Source("x"), [np.zeros(2)])
        making.finish()
    assert sorted(path.name for path in tmp_path.glob("f.*")) == [
        "f.about.json",
        "f.npy",
        "f.other.npy",
        "f.paths.txt",
        "f.rows.npy",
    ]


@pytest.mark.parametrize("name", ["f.h5", "f.npy", "f.npz", "f.csv", "f.projector", "f.parquet"])
def test_updating(name, tmp_path):
    if name == "f.parquet":
        pytest.importorskip("pyarrow")
    target = tmp_path / name
    sources = images(tmp_path / "p", 10)
    assert extract(target, sources, mode="update").count == 8, "where there is nothing it begins"
    # One more, one changed, one that failed and is good now, one gone, and one that cannot be read any more.
    late = Source(str(tmp_path / "p" / "0early.jpg"))
    (tmp_path / "p" / "0early.jpg").write_text("new")
    (tmp_path / "p" / "good002.jpg").write_text("changed, and of another size")
    os.unlink(tmp_path / "p" / "good005.jpg")
    now = [late, *(source for number, source in enumerate(sources) if number != 5)]
    written = extract(target, now, mode="update")
    assert (written.count, written.failed, written.changed, written.vanished) == (9, 2, 1, 1)
    numbers = [0, 1, 2, 4, 5, 6, 7, 9]
    assert paths(target) == [*(f"good{number:03}.jpg" for number in numbers), "0early.jpg"]
    assert failures(target) == ["bad003.jpg", "bad008.jpg"], "tried again, and failed again"
    os_gone = tmp_path / "p" / "good005.jpg"
    with open_vectors(target) as vectors:
        for path, row in zip(vectors.paths, vectors.read(0, 9), strict=True):
            if path != str(os_gone):
                np.testing.assert_array_equal(row, made.vector(path))
    # What failed is tried again, and fails again: the same bytes.
    before = everything(tmp_path)
    written = extract(target, now, mode="update")
    assert (written.count, written.failed, written.changed, written.vanished) == (9, 2, 0, 1)
    assert everything(tmp_path) == before


def test_updating_where_nothing_has_changed(tmp_path):
    sources = images(tmp_path / "p", 3)
    extract(tmp_path / "f.h5", sources)
    inode = (tmp_path / "f.h5").stat().st_ino
    written = extract(tmp_path / "f.h5", sources[:2], mode="update")
    assert (written.count, written.failed, written.shape, written.vanished) == (3, 0, (6,), 1)
    assert written.bytes == (tmp_path / "f.h5").stat().st_size
    assert (tmp_path / "f.h5").stat().st_ino == inode, "the file was not written again"
    assert not (tmp_path / "f.h5.part").exists()


def test_updating_with_a_image_that_cannot_be_read_any_more(tmp_path):
    sources = images(tmp_path / "p", 5)
    extract(tmp_path / "f.npy", sources)
    os.truncate(tmp_path / "p" / "good001.jpg", 0)
    with Journal.open(tmp_path / "f.npy", ABOUT, mode="update") as updating:
        for source in updating.pending(sources):
            updating.fail(source, "empty")
        written = updating.finish()
    assert (written.count, written.failed) == (3, 2)
    assert failures(tmp_path / "f.npy") == ["good001.jpg", "bad003.jpg"]
    expect_right(tmp_path / "f.npy")


def test_a_image_that_is_named_and_gone_keeps_its_row(tmp_path):
    sources = images(tmp_path / "p", 3)
    extract(tmp_path / "f.npy", sources)
    os.unlink(sources[1].path)
    gone = Source(sources[1].path, problem="no such file or folder")
    written = extract(tmp_path / "f.npy", [sources[0], gone, sources[2]], mode="update")
    assert (written.count, written.failed, written.vanished) == (3, 0, 1)


def test_what_failed_before_and_is_good_now(tmp_path):
    first, second = images(tmp_path / "p", 2)
    with Journal.open(tmp_path / "f.npy", ABOUT) as making:
        for source in making.pending([first, second]):
            making.fail(source, "not yet")
        assert making.finish().count == 0
    written = extract(tmp_path / "f.npy", [second], mode="update")
    assert (written.count, written.failed) == (1, 1)
    assert failures(tmp_path / "f.npy") == [os.path.basename(first.path)]
    assert paths(tmp_path / "f.npy") == [os.path.basename(second.path)]


def test_an_update_that_is_interrupted(tmp_path):
    sources = images(tmp_path / "p", 6)
    extract(tmp_path / "f.npy", sources)
    (tmp_path / "p" / "good001.jpg").write_text("changed, and of another size")
    sources = images(tmp_path / "p", 12)
    before = everything(tmp_path)
    for stop in (1, 2, 1):
        extract(tmp_path / "f.npy", sources, mode="update", stop=stop)
        assert {name: data for name, data in everything(tmp_path).items() if ".part/" not in name} == before
    written = extract(tmp_path / "f.npy", sources, mode="resume")
    assert (written.count, written.failed, written.changed) == (10, 2, 1)
    assert paths(tmp_path / "f.npy") == [f"good{number:03}.jpg" for number in range(12) if number not in (3, 8)]
    expect_right(tmp_path / "f.npy")


def test_an_update_whose_file_was_replaced_meanwhile(tmp_path):
    extract(tmp_path / "f.npy", images(tmp_path / "p", 3))
    extract(tmp_path / "f.npy", images(tmp_path / "p", 8), mode="update", stop=2)
    for change in (lambda: os.utime(tmp_path / "f.npy"), lambda: os.unlink(tmp_path / "f.npy")):
        change()
        with pytest.raises(UsageError, match=r"has changed since --update began; remove .*f\.npy\.part"):
            extract(tmp_path / "f.npy", images(tmp_path / "p", 8), mode="resume")


def test_a_strangers_file_is_not_added_to(tmp_path):
    np.save(tmp_path / "f.npy", np.zeros((3, 6), np.float32))
    with pytest.raises(UsageError, match="does not say what it was made with; name another file, or --overwrite"):
        extract(tmp_path / "f.npy", images(tmp_path / "p", 3), mode="update")
    assert [path.name for path in tmp_path.glob("f.*")] == ["f.npy"]


def test_nothing_can_be_read(tmp_path):
    sources = images(tmp_path / "p", 3, bad=1)
    for name in ("f.h5", "f.npy", "f.csv"):
        with Journal.open(tmp_path / name, ABOUT) as making:
            for source in making.pending(sources):
                making.fail(source, "no")
            written = making.finish()
        assert (written.count, written.failed, written.shape) == (0, 3, (0,))
        assert len(failures(tmp_path / name)) == 3
        # What a row is was not known then, and is now.
        written = extract(tmp_path / name, images(tmp_path / "q", 3), mode="update")
        assert (written.count, written.failed, written.shape) == (3, 3, (6,))


def test_nothing_at_all(tmp_path):
    assert extract(tmp_path / "f.h5", []).count == 0
    assert paths(tmp_path / "f.h5") == []


def test_an_exception_keeps_what_is_done(tmp_path):
    sources = images(tmp_path / "p", 4)
    for error in (RuntimeError("boom"), KeyboardInterrupt()):
        with (
            pytest.raises(type(error)),
            Journal.open(tmp_path / "f.npy", ABOUT, mode="overwrite") as making,
        ):
            making.declare([Column("features", (6,), "float32")])
            for source in making.pending(sources):
                making.add(source, [np.zeros(6)])
                if source is sources[2]:
                    raise error
        lines = (tmp_path / "f.npy.part" / "rows.jsonl").read_text().splitlines()
        assert [json.loads(line)["path"] for line in lines] == [source.path for source in sources[:3]]


def test_where_nothing_was_done_nothing_is_left(tmp_path):
    with pytest.raises(RuntimeError), Journal.open(tmp_path / "f.npy", ABOUT) as making:
        making.declare([Column("features", (6,), "float32")])
        raise RuntimeError("boom")
    assert list(tmp_path.iterdir()) == []
    extract(tmp_path / "f.npy", images(tmp_path / "p", 3))
    extract(tmp_path / "f.npy", images(tmp_path / "p", 9), mode="update", stop=0)
    assert not (tmp_path / "f.npy.part").exists()


def test_rows_of_another_shape_or_number(tmp_path):
    with Journal.open(tmp_path / "f.npy", ABOUT) as making:
        making.declare([Column("features", (6,), "float32")])
        for values in ([np.zeros(5)], [np.zeros((6, 1))], [], [np.zeros(6), np.zeros(6)]):
            with pytest.raises(ValueError):
                making.add(Source("x"), values)
        making.add(Source("y"), [np.arange(6)])
        assert making.finish().count == 1
    assert rows(tmp_path / "f.npy")["y"].tolist() == [0, 1, 2, 3, 4, 5]


def test_numbers_that_float16_cannot_hold(tmp_path):
    with Journal.open(tmp_path / "f.npy", ABOUT) as making:
        making.declare([Column("features", (2,), "float16")])
        with pytest.raises(UnavailableError, match=r"'features' of big\.jpg goes up to 7e\+04, which float16 cannot"):
            making.add(Source("big.jpg"), [np.array([1.0, 70000], np.float32)])
        making.add(Source("infinite.jpg"), [np.array([np.inf, np.nan], np.float32)])
        assert making.finish().count == 1


def test_maps_are_refused_before_anything_is_computed_for_long(tmp_path):
    with (
        Journal.open(tmp_path / "f.csv", ABOUT) as making,
        pytest.raises(UsageError, match=r"'features' are maps of 7 × 7 × 2; name a \.h5, \.npy or \.npz file"),
    ):
        making.declare([Column("features", (7, 7, 2), "float32")])


@pytest.mark.parametrize(
    ("name", "error", "words"),
    [
        ("f.txt", UsageError, "A file of vectors ends in"),
        ("nowhere/f.h5", UnavailableError, r"nowhere/f\.h5 cannot be made: there is no such folder\."),
        ("file/f.h5", UnavailableError, r"file/f\.h5 cannot be written: not a directory\."),
    ],
)
def test_where_nothing_can_be_written(name, error, words, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(error, match=words):
        extract(tmp_path / name, [])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file"]


def test_a_folder_that_may_not_be_written(tmp_path, monkeypatch):
    from pathlib import Path

    def forbidden(self, *arguments, **settings):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "mkdir", forbidden)
    with pytest.raises(UnavailableError, match=r"f\.h5 cannot be written: permission denied\."):
        extract(tmp_path / "f.h5", [])


@pytest.mark.parametrize("mode", ["new", "resume", "update", "overwrite"])
def test_what_is_somebody_elses_is_never_replaced(mode, tmp_path):
    """A folder where a file is to be, a file where a folder is, a folder with other things in it."""
    extract(tmp_path / "f.projector", images(tmp_path / "p", 3))
    (tmp_path / "f.projector" / "notes.txt").write_text("mine")
    (tmp_path / "g.h5.part").mkdir()
    for folder in ("f.h5", "g.h5.part", "h.projector"):
        (tmp_path / folder).mkdir(exist_ok=True)
        (tmp_path / folder / "photo.jpg").write_text("mine")
    (tmp_path / "file.projector").write_text("mine")
    before = everything(tmp_path)
    for name, words in (
        ("f.h5", r"f\.h5 is a folder; name another one\."),
        ("file.projector", r"file\.projector is a file; name another one\."),
        ("f.projector", r"f\.projector holds something else, notes\.txt; name another folder\."),
        ("h.projector", r"h\.projector holds something else, photo\.jpg; name another folder\."),
        ("g.h5", r"g\.h5\.part holds something else; remove it, or name another file than .*g\.h5\."),
    ):
        with pytest.raises(UsageError, match=words):
            extract(tmp_path / name, images(tmp_path / "p", 3), mode=mode)
    assert everything(tmp_path) == before


def test_an_unknown_mode(tmp_path):
    with pytest.raises(UsageError, match="new, resume, update, overwrite"):
        Journal.open(tmp_path / "f.h5", ABOUT, mode="append")


def test_a_damaged_folder(tmp_path):
    extract(tmp_path / "f.npy", images(tmp_path / "p", 3), stop=2)
    about = tmp_path / "f.npy.part" / "about.json"
    for damage in ("", "{", "[]", '{"format": 99}', '{"format": 1, "odd": 2}'):
        about.write_text(damage)
        with pytest.raises(UsageError, match=r"f\.npy\.part is damaged, or of another version of zoo; --overwrite"):
            extract(tmp_path / "f.npy", images(tmp_path / "p", 3), mode="resume")
    assert extract(tmp_path / "f.npy", images(tmp_path / "p", 3), mode="overwrite").count == 3


def test_two_processes(tmp_path):
    code = (
        "import sys\nfrom zoo.vectors import Journal\n"
        "with Journal.open(sys.argv[1], {'a': 1}):\n print('open', flush=True)\n sys.stdin.readline()\n"
    )
    child = subprocess.Popen(
        [sys.executable, "-c", code, tmp_path / "f.h5"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert child.stdout.readline() == b"open\n"
    for mode in ("new", "resume", "update", "overwrite"):
        with pytest.raises(UnavailableError, match=r"f\.h5 is being made by another process; wait for it, or name"):
            Journal.open(tmp_path / "f.h5", {"a": 1}, mode=mode)
    child.communicate(b"\n", timeout=60)
    with Journal.open(tmp_path / "f.h5", {"a": 1}, mode="resume") as going:
        assert going.finish().count == 0


def test_rows_are_committed_every_second_or_so(tmp_path, monkeypatch):
    lines = tmp_path / "f.npy.part" / "rows.jsonl"
    monkeypatch.setattr(journal, "SECONDS", 0.05)
    with Journal.open(tmp_path / "f.npy", ABOUT) as making:
        making.declare([Column("features", (6,), "float32")])
        making.add(Source("a"), [np.zeros(6)])
        time.sleep(0.1)
        making.add(Source("b"), [np.zeros(6)])
        assert len(lines.read_text().splitlines()) == 2
        monkeypatch.setattr(journal, "SECONDS", 100)
        making.add(Source("c"), [np.zeros(6)])
        assert len(lines.read_text().splitlines()) == 2
        monkeypatch.setattr(journal, "BYTES", 100)
        making.add(Source("d"), [np.zeros(6)])
        assert len(lines.read_text().splitlines()) == 4


# What an end in the middle leaves


def limited(size, report, *arguments, **settings):
    """Extract where no file may be larger than so many bytes, as on a full disk, and write down what was said."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
    try:
        extract(*arguments, **settings)
        text = "done"
    except UnavailableError as error:
        text = str(error)
    os.write(report, text.encode())


@pytest.mark.parametrize("name", ["f.h5", "f.npy", "f.npz", "f.csv", "f.projector", "f.parquet"])
def test_a_full_disk(name, tmp_path):
    """One sentence; and when there is room, the same bytes as if there always had been."""
    if name == "f.parquet":
        pytest.importorskip("pyarrow")
    sources = images(tmp_path / "p", 40)
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    extract(tmp_path / "a" / name, sources)
    full = f"{tmp_path / 'b' / name} cannot be written: the disk is full"
    kept = f"; what is done is kept in {name}.part: free disk space, then use --resume."
    # Nothing can be begun; the lines of what is done do not fit; then some of the files that are made of it do not.
    for size, sentences in ((100, [f"{full}."]), (1200, [full + kept]), (8000, [full + kept, "done"])):
        report, write = os.pipe()
        child = forked(limited, size, write, tmp_path / "b" / name, sources, mode="resume")
        assert os.waitpid(child, 0)[1] == 0
        os.close(write)
        said = os.read(report, 10000).decode()
        os.close(report)
        assert said in sentences
        assert (tmp_path / "b" / name).exists() == (said == "done")
        if name == "f.h5":
            assert said != "done"
    extract(tmp_path / "b" / name, sources, mode="resume")
    assert everything(tmp_path / "a") == everything(tmp_path / "b")


def test_too_little_room_for_the_file(tmp_path, monkeypatch):
    import shutil

    monkeypatch.setattr(shutil, "disk_usage", lambda folder: shutil._ntuple_diskusage(10**9, 10**9, 0))
    with pytest.raises(UnavailableError, match=r"is full \(0\.0 MB are needed and 0\.0 MB are free\); what is"):
        extract(tmp_path / "f.h5", images(tmp_path / "p", 3))
    monkeypatch.undo()
    assert extract(tmp_path / "f.h5", images(tmp_path / "p", 3), mode="resume").count == 3


def test_killed_while_the_files_get_their_names(tmp_path, monkeypatch):
    from pathlib import Path

    sources = images(tmp_path / "p", 12)
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    for folder in ("a", "b"):
        extract(tmp_path / folder / "f.npy", sources[:5])
    extract(tmp_path / "a" / "f.npy", sources, mode="overwrite")
    real = Path.replace
    for moment in range(7):
        left = iter(range(100))

        def replace(self, target, moment=moment, left=left):
            if self.parent.name == "output" and next(left) == moment:
                raise KeyboardInterrupt
            return real(self, target)

        monkeypatch.setattr(Path, "replace", replace)
        try:
            mode = "resume" if (tmp_path / "b" / "f.npy.part").exists() else "overwrite"
            extract(tmp_path / "b" / "f.npy", sources, mode=mode)
        except KeyboardInterrupt:
            assert moment < 5
        monkeypatch.undo()
    assert everything(tmp_path / "a") == everything(tmp_path / "b")


def forked(function, *arguments, **settings):
    """Run a function in a process of its own, which can be killed; its id."""
    child = os.fork()
    if child == 0:
        try:
            function(*arguments, **settings)
            os._exit(0)
        except BaseException:
            # pytest shows what comes out of descriptor 2 where the test fails.
            os.write(2, traceback.format_exc().encode())
            os._exit(1)
    return child


@pytest.mark.slow
@pytest.mark.parametrize("name", ["f.h5", "f.npy", "f.projector"])
@pytest.mark.parametrize("mode", ["resume", "update"])
def test_killed_at_any_moment(mode, name, tmp_path, monkeypatch):
    """The same bytes as without, and nothing that was committed is computed again."""
    monkeypatch.setattr(journal, "SECONDS", 0)
    chance = np.random.default_rng(7)
    sources = images(tmp_path / "p", 60)
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        if mode == "update":
            extract(tmp_path / folder / name, sources[:25])
    if mode == "update":
        (tmp_path / "p" / "good002.jpg").write_text("changed, and of another size")
    # The second time everything is imported, and it takes as long as it will.
    for _ in range(2):
        started = time.monotonic()
        extract(tmp_path / name, sources, mode="overwrite", pause=0.001)
        seconds = time.monotonic() - started
    extract(tmp_path / "a" / name, sources, mode=mode)
    done = os.open(tmp_path / "done", os.O_CREAT | os.O_WRONLY | os.O_APPEND)
    kills = 0
    while True:
        child = forked(extract, tmp_path / "b" / name, sources, mode=mode, pause=0.001, done=done)
        # Longer each time, so that the end is reached, and finishing is killed too.
        time.sleep(float(chance.uniform(0, seconds * (kills + 1) / 15)))
        os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        if os.WIFEXITED(status):
            assert os.WEXITSTATUS(status) == 0
            break
        kills += 1
        assert kills < 500
    os.close(done)
    assert everything(tmp_path / "a") == everything(tmp_path / "b")
    # After an update that was killed when the file had its name already, the next one tries again what failed.
    if mode == "resume":
        assert (tmp_path / "done").stat().st_size <= 60 + kills


MANY = """
import resource, sys
import numpy as np
from zoo.images.source import Source
from zoo.vectors import Column, Journal

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

count, row, peaks = 1_000_000, np.ones(4, np.float32), []
with Journal.open(sys.argv[1], {"model": "m"}) as journal:
    journal.declare([Column("features", (4,), "float32")])
    for number, source in enumerate(journal.pending(Source(f"folder/{number}.jpg") for number in range(count))):
        journal.add(source, [row]) if number % 10 else journal.fail(source, "no such file")
        if number in (10_000, 100_000, count - 1):
            peaks.append(peak())
    journal.finish()
    print(*peaks, peak())
"""


@pytest.mark.slow
def test_memory_does_not_grow_with_the_rows(tmp_path):
    done = subprocess.run([sys.executable, "-c", MANY, tmp_path / "f.h5"], capture_output=True, text=True, check=True)
    first, second, last, end = map(int, done.stdout.split())
    assert last < 1.05 * first
    assert second < 1.05 * first
    assert end < last + (100 << 10), "kilobytes: a few blocks, and a few bytes for each of a million rows"
    with open_vectors(tmp_path / "f.h5") as vectors:
        assert (vectors.count, sum(1 for _ in vectors.failed())) == (900_000, 100_000)
