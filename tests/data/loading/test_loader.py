from __future__ import annotations

import itertools
import os
import subprocess
import sys
import threading
import time

import numpy as np
import pytest
from PIL import Image

from tests.conftest import ROOT
from tests.data.trees import class_folders, idx_folder
from tests.drawn import broken_files, detailed, odd_files
from zoo.core.errors import ImageError, UnavailableError
from zoo.core.spec import Resize
from zoo.data import dataset
from zoo.data.augment.config import Augment
from zoo.data.loading import loader as loading
from zoo.data.loading.loader import Loader
from zoo.data.split import Split
from zoo.images.decode import load
from zoo.images.source import Source

SQUASH = Resize(12, 16, "squash")
STANDARD = Augment(flip="horizontal", shift=2, rotate=10, brightness=0.2, cutout=3, mixup=0.2)


@pytest.fixture
def split(tmp_path):
    """50 images of 3 classes."""
    class_folders(tmp_path / "set", {"a": 30, "b": 15, "c": 5})
    return dataset.read_for_training(tmp_path / "set", val_split=0).splits["train"]


@pytest.fixture
def make():
    """A loader that is closed at the end."""
    loaders = []

    def build(split, resize=SQUASH, **options):
        loaders.append(Loader(split, resize, **{"classes": 3, "batch_size": 8, **options}))
        return loaders[-1]

    yield build
    for loader in loaders:
        loader.close()


def all_of(batches):
    """Pixels and labels of all batches, one after the other."""
    x, y = zip(*batches, strict=True)
    return np.concatenate(x), np.concatenate(y)


def equal(first, second):
    first, second = list(first), list(second)
    assert len(first) == len(second)
    for (x, y), (other_x, other_y) in zip(first, second, strict=True):
        assert np.array_equal(x, other_x)
        assert np.array_equal(y, other_y)


# Pixels and labels


@pytest.mark.parametrize("memory", [None, 0])
@pytest.mark.parametrize("resize", [SQUASH, Resize(20, 20), Resize(9, 30, "pad", interpolation="bicubic")])
def test_pixels_are_those_of_every_other_command(split, make, resize, memory):
    loader = make(split, resize, memory=memory)
    x, y = all_of(loader.epoch(0))
    assert (loader._pixels is not None) == (memory is None)
    assert x.dtype == np.uint8
    assert y.dtype == np.float32
    assert np.array_equal(x, [load(source, resize) for source in split.sources])
    assert np.array_equal(y, np.eye(3)[split.labels])


@pytest.mark.parametrize("memory", [None, 0])
def test_odd_files_give_the_same_pixels_and_broken_ones_the_same_reasons(tmp_path, make, memory):
    paths = [*odd_files(tmp_path / "odd").values(), *broken_files(tmp_path / "broken").values()]
    sources = [Source(str(path)) for path in paths]
    labels = np.arange(len(sources)) % 3
    expected, failed = [], {}
    for source, label in zip(sources, labels, strict=True):
        try:
            expected.append((load(source, SQUASH), label))
        except ImageError as error:
            failed[source.path] = str(error)
    assert expected
    assert failed
    loader = make(Split(sources, labels), memory=memory, workers=2)
    x, y = all_of(loader.epoch(0))
    assert np.array_equal(x, [pixels for pixels, _ in expected])
    assert y.argmax(1).tolist() == [label for _, label in expected]
    list(loader.epoch(1))
    assert sorted(loader.failed) == sorted(failed.items())
    if memory is None:
        assert loader.failed == list(failed.items())
        assert loader.labels.tolist() == [label for _, label in expected]
        assert loader.steps == -(-len(expected) // 8)


def test_nothing_can_be_read(tmp_path, make):
    paths = [tmp_path / name for name in ("a.jpg", "b.jpg")]
    for path in paths:
        path.write_bytes(b"no image")
    split = Split([Source(str(path)) for path in paths], np.array([0, 1]))
    for memory in (None, 0):
        with pytest.raises(UnavailableError, match=r"None of the 2 images can be read; the first is .*a\.jpg: not a"):
            list(make(split, memory=memory).epoch(0))


def test_a_file_that_comes_back_broken(split, make):
    """What was there when the dataset was found need not be there when it is read."""
    loader = make(split, memory=0)
    os.unlink(split.sources[3].path)
    sizes = [len(x) for x, _ in loader.epoch(0)]
    assert sizes == [7, 8, 8, 8, 8, 8, 2]
    assert loader.failed == [(split.sources[3].path, "no such file")]


def test_grey_images_are_kept_with_one_channel(tmp_path, make):
    content = idx_folder(tmp_path)
    split = dataset.read_for_training(tmp_path, val_split=0).splits["train"]
    loader = make(split, Resize(8, 6, "squash"), classes=4)
    loader.prepare()
    assert loader.nbytes == 40 * 8 * 6
    x, y = all_of(loader.epoch(0))
    assert np.array_equal(x, np.repeat(content["train"][0][..., None], 3, -1))
    assert y.argmax(1).tolist() == content["train"][1].tolist()
    # Resized, in memory and not.
    for memory in (None, 0):
        x, _ = all_of(make(split, Resize(16, 16), classes=4, memory=memory).epoch(0))
        assert np.array_equal(x, [load(source, Resize(16, 16)) for source in split.sources])


# Order


def test_every_epoch_has_every_image_once_in_a_new_order(split, make):
    loader = make(split, shuffle=True)
    plain, _ = all_of(make(split).epoch(0))
    orders = []
    for number in range(3):
        x, y = all_of(loader.epoch(number))
        order = [int(np.flatnonzero((plain == image).all((1, 2, 3)))[0]) for image in x]
        assert sorted(order) == list(range(50))
        assert y.argmax(1).tolist() == split.labels[order].tolist()
        orders.append(order)
    assert orders[0] != orders[1] != orders[2]
    # Not in blocks, as with a shuffle buffer that is smaller than the dataset.
    assert np.mean([abs(place - index) for place, index in enumerate(orders[0])]) > 10


@pytest.mark.parametrize("memory", [None, 0])
def test_batches_depend_on_the_seed_the_epoch_and_the_step_alone(split, make, memory):
    options = {"shuffle": True, "augment": STANDARD, "seed": 3}
    first = list(make(split, workers=1, **options).epoch(2))
    equal(first, make(split, workers=4, memory=memory, **options).epoch(2))
    for start in (1, 4, 7):
        equal(first[start:], make(split, memory=memory, **options).epoch(2, start=start))
    other = next(make(split, shuffle=True, augment=STANDARD, seed=4).epoch(2))
    assert not np.array_equal(first[0][0], other[0])
    assert not np.array_equal(first[0][0], next(make(split, **options).epoch(3))[0])


def test_random_crops_do_not_depend_on_memory(split, make):
    options = {"augment": Augment(crop=(0.3, 1.0), flip="horizontal"), "shuffle": True}
    kept = list(make(split, **options).epoch(0))
    assert kept[0][0].shape == (8, 12, 16, 3)
    equal(kept, make(split, memory=0, **options).epoch(0))


def test_images_to_crop_are_kept_larger_and_whole(split, make):
    loader = make(split, Resize(28, 21), augment=Augment(crop=(0.5, 1.0)))
    loader.prepare()
    assert loader.nbytes == 50 * 32 * 24 * 3
    x, _ = all_of(make(split, Resize(28, 21), augment=Augment(crop=(1.0, 1.0))).epoch(0))
    # All of the image in the shape of the target, resampled twice, and not its central part.
    whole = np.array([load(source, Resize(28, 21, fraction=1.0)) for source in split.sources], np.int16)
    assert np.abs(x - whole).mean() < 8


def test_the_last_batch_may_be_dropped(split, make):
    assert make(split).steps == 7
    loader = make(split, drop_last=True)
    assert loader.steps == 6
    assert [len(x) for x, _ in loader.epoch(0)] == [8] * 6
    assert list(loader.epoch(0, start=6)) == []


def test_augmentation_is_for_those_who_ask(split, make):
    plain, labels = all_of(make(split).epoch(0))
    x, y = all_of(make(split, augment=Augment()).epoch(0))
    assert np.array_equal(x, plain)
    assert np.array_equal(y, labels)
    x, y = all_of(make(split, augment=STANDARD).epoch(0))
    assert not np.array_equal(x, plain)
    assert np.allclose(y.sum(1), 1)


# Work in the background


def test_progress_counts_to_the_end(split, make):
    seen = []
    make(split).prepare(lambda done, total: seen.append((done, total)))
    assert seen[-1] == (50, 50)
    assert seen == sorted(seen)


def test_batches_are_made_ahead_but_not_all_at_once(split, make, monkeypatch):
    made = []
    original = loading.augment_batch

    def watched(*arguments):
        made.append(threading.current_thread())
        return original(*arguments)

    monkeypatch.setattr(loading, "augment_batch", watched)
    batches = make(split, batch_size=1, augment=Augment(flip="horizontal")).epoch(0)
    next(batches)
    deadline = time.monotonic() + 10
    while len(made) < 4 and time.monotonic() < deadline:
        time.sleep(0.01)
    time.sleep(0.1)
    assert 4 <= len(made) <= 8
    assert threading.main_thread() not in made
    batches.close()


def test_an_epoch_that_is_left_leaves_nothing_behind(split, make):
    before = threading.active_count()
    loader = make(split, memory=0, workers=2)
    batches = loader.epoch(0)
    next(batches)
    assert loader._decoder is not None
    children = loader._decoder._children
    batches.close()
    loader.close()
    assert children
    assert all(child.process.poll() is not None for child in children)
    deadline = time.monotonic() + 10
    while threading.active_count() > before and time.monotonic() < deadline:
        time.sleep(0.01)
    assert threading.active_count() <= before
    # It can be used again.
    assert len(list(loader.epoch(0))) == 7


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="sends a signal")
def test_ctrl_c_ends_everything(tmp_path):
    import signal

    folder = tmp_path / "set"
    for name in ("a", "b"):
        (folder / name).mkdir(parents=True)
        Image.fromarray(detailed(600, 800)).save(folder / name / "0.jpg")
        for number in range(1, 400):
            os.link(folder / name / "0.jpg", folder / name / f"{number}.jpg")
    code = (
        "import sys\n"
        "from zoo.data import dataset\nfrom zoo.data.loading import loader\n"
        "from zoo.core.spec import Resize\n"
        f"split = dataset.read_for_training({str(folder)!r}).splits['train']\n"
        "one = loader.Loader(split, Resize(224, 224), classes=2, batch_size=8, workers=2)\n"
        "one.prepare(lambda done, total: print(done, flush=True))\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
        text=True,
    )
    assert process.stdout is not None
    lines = list(itertools.islice(process.stdout, 3))
    assert len(lines) == 3
    children = _children(process.pid)
    os.killpg(process.pid, signal.SIGINT)
    _, errors = process.communicate(timeout=20)
    assert process.returncode != 0
    assert errors.rstrip().endswith("KeyboardInterrupt")
    assert errors.count("Traceback") == 1
    assert children
    deadline = time.monotonic() + 10
    while any(_alive(child) for child in children) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not any(_alive(child) for child in children)


def _children(parent: int) -> list[int]:
    listed = subprocess.run(["ps", "-o", "pid=", "--ppid", str(parent)], capture_output=True, text=True, check=False)
    return [int(line) for line in listed.stdout.split()]


def _alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True
