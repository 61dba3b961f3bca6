"""The folder in which a file is made: held by one, left by any at any moment."""

import os
from pathlib import Path

import pytest

from zoo.core.errors import UnavailableError, UsageError
from zoo.vectors.part_folder import PartFolder, State, folder_size, remove, unwritable


def test_held_and_released(tmp_path):
    folder = PartFolder(tmp_path / "f.h5")
    folder.hold()
    assert [path.name for path in tmp_path.iterdir()] == ["f.h5.part"]
    with pytest.raises(UnavailableError, match="made by another process"):
        PartFolder(tmp_path / "f.h5").hold()
    folder.release()
    folder.release()
    assert list(tmp_path.iterdir()) == []


def test_what_is_begun_stays(tmp_path):
    folder = PartFolder(tmp_path / "f.h5")
    folder.hold()
    state = State({"model": "m"}, columns=[{"name": "features"}], base={"size": 1})
    folder.save(state)
    folder.release()
    again = PartFolder(tmp_path / "f.h5")
    again.hold()
    assert again.begun
    assert again.read() == state
    again.clear()
    assert not again.begun
    again.release()
    assert list(tmp_path.iterdir()) == []


def clear_and_release(folder):
    folder.clear()
    folder.release()


@pytest.mark.parametrize("step", [clear_and_release, PartFolder.release])
def test_ended_at_any_moment_while_it_is_removed(step, tmp_path, monkeypatch):
    """Whatever is left, the next one can hold the folder, and takes nothing in it for what it is not."""
    for moment in range(20):
        folder = PartFolder(tmp_path / str(moment))
        folder.hold()
        if step is clear_and_release:
            folder.save(State({}))
        for name in ("a", "rows.jsonl", "z"):
            (folder.path / name).write_text("")
        (folder.path / "output").mkdir()
        (folder.path / "output" / "f").write_text("")
        steps = iter(range(100))
        with monkeypatch.context() as patch:
            for owner, name in ((Path, "unlink"), (Path, "rmdir"), (os, "unlink"), (os, "rmdir")):
                real = getattr(owner, name)

                def ending(*arguments, real=real, steps=steps, moment=moment, **settings):
                    if next(steps) == moment:
                        raise KeyboardInterrupt
                    return real(*arguments, **settings)

                patch.setattr(owner, name, ending)
            try:
                step(folder)
                ended = False
            except KeyboardInterrupt:
                ended = True
        if not ended:
            assert moment > 5
            break
        # What a process holds is free when it has ended.
        folder._lock.release()
        again = PartFolder(tmp_path / str(moment))
        again.hold()
        if again.begun:
            assert sorted(os.listdir(again.path)) == ["a", "about.json", "lock", "output", "rows.jsonl", "z"]
        again.clear()
        again.release()
        assert not again.path.exists()
    else:
        pytest.fail("it never came to an end")


def test_somebody_elses_folder(tmp_path):
    (tmp_path / "f.h5.part").mkdir()
    (tmp_path / "f.h5.part" / "photo.jpg").write_text("")
    with pytest.raises(UsageError, match=r"f\.h5\.part holds something else"):
        PartFolder(tmp_path / "f.h5").hold()
    assert (tmp_path / "f.h5.part" / "photo.jpg").exists()


def test_publishing_can_be_repeated(tmp_path):
    folder = PartFolder(tmp_path / "f.npy")
    folder.hold()
    output = folder.output()
    (output / "f.paths.txt").write_text("new")
    (output / "f.npy").write_text("new")
    (tmp_path / "f.npy").write_text("old")
    (tmp_path / "f.old").write_text("old")
    state = State({}, files=["f.paths.txt", "f.npy"], obsolete=["f.old"])
    folder.save(state)
    os.replace(output / "f.paths.txt", tmp_path / "f.paths.txt")
    folder.publish(state)
    folder.publish(state)
    folder.release()
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"f.paths.txt": "new", "f.npy": "new"}


def test_sizes_and_removing(tmp_path):
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "b" / "c").write_bytes(bytes(10))
    (tmp_path / "link").symlink_to(tmp_path / "a")
    assert folder_size(tmp_path / "a") == folder_size(tmp_path / "a" / "b" / "c") == 10
    remove(tmp_path / "link")
    assert (tmp_path / "a").exists()
    remove(tmp_path / "a")
    remove(tmp_path / "a")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (OSError(28, "No space left on device"), "the disk is full"),
        (OSError(28, "5 MB are needed and 2 MB are free"), "the disk is full (5 MB are needed and 2 MB are free)"),
        (RuntimeError("Unable to flush (No space left on device)\nand more"), "the disk is full"),
        (OSError(13, "Permission denied"), "permission denied"),
        (OSError("odd."), "odd"),
        (RuntimeError(), "runtimeError"),
    ],
)
def test_what_a_disk_says(error, words):
    assert str(unwritable(error, Path("d/f.h5"))) == f"d/f.h5 cannot be written: {words}."
    kept = str(unwritable(error, Path("d/f.h5"), Path("d/f.h5.part")))
    assert kept.startswith(f"d/f.h5 cannot be written: {words}; what is done is kept in f.h5.part: ")
    assert kept.endswith(", then use --resume.")
