"""What is frozen is computed once: the same numbers as the network gives, for every view, and no stale ones."""

from __future__ import annotations

import os

import numpy as np
import pytest

from tests.training.finetuning.toys import NETWORK
from zoo.catalog import registry
from zoo.core.errors import UnavailableError
from zoo.core.spec import Cut, Resize
from zoo.data import dataset
from zoo.data.augment.config import Augment
from zoo.engines import devices
from zoo.images import decode
from zoo.pretrained import weights
from zoo.training.finetuning import trunk as trunks
from zoo.training.finetuning.cached_features import CachedFeatures
from zoo.training.finetuning.trunk import Trunk
from zoo.training.finetuning.views import Views

pytestmark = pytest.mark.usefixtures("plain_engine")


@pytest.fixture
def split(images):
    return dataset.read_for_training(images, val_split=0.0).splits["train"]


def trunk(cut=None):
    spec = registry.get(NETWORK)
    return Trunk(spec, weights.fetch(spec, include_top=False), cut or Cut(pool="avg"), devices.select("cpu"))


def test_outputs_are_those_of_the_network(split):
    import zoo

    outputs = trunk().outputs(split, Views())
    model = zoo.create_model(NETWORK, include_top=False, pooling="avg")
    pixels = np.stack([decode.load(source, registry.get(NETWORK).resize) for source in split.sources])
    np.testing.assert_allclose(outputs.values[:, 0], model.predict(pixels, verbose=0), atol=1e-4)
    assert outputs.values.dtype == np.float32


def test_maps_are_kept_in_half_the_bytes(split):
    import zoo

    model = zoo.create_model(NETWORK, include_top=False)
    outputs = trunk(Cut(model.operations[-1].name)).outputs(split, Views())
    assert outputs.values.dtype == np.float16
    assert outputs.values.shape == (60, 1, *model.output_shape[1:])
    assert trunks.nbytes(60, 1, model.output_shape[1:]) == outputs.values.nbytes


def test_unreadable_images_have_no_row(split, images):
    broken = images / "blue" / "1.png"
    broken.write_bytes(b"nothing")
    outputs = trunk().outputs(split, Views(2, Augment(flip="horizontal")))
    index = [source.path for source in split.sources].index(str(broken))
    assert list(outputs.failed) == [index]
    assert index not in outputs.kept
    assert len(outputs.kept) == 59
    batches = CachedFeatures(outputs, split, classes=3, batch_size=8)
    assert batches.failed[0][0] == str(broken)
    assert sum(len(x) for x, _ in batches.epoch(0)) == 59


def test_nothing_readable_is_said(split, images):
    for file in images.glob("*/*.png"):
        file.write_bytes(b"nothing")
    with pytest.raises(UnavailableError, match="None of the 60 images can be read; the first is"):
        trunk().outputs(split, Views())


def test_what_changed_is_computed_again(split, images):
    one = trunk()
    assert one.find(split, Views()) is None
    one.outputs(split, Views())
    assert one.find(split, Views()) is not None
    assert one.find(split, Views(2, Augment(flip="horizontal"))) is None
    assert trunk(Cut(pool="max")).find(split, Views()) is None
    file = images / "red" / "0.png"
    os.utime(file, ns=(1, 1))
    assert one.find(split, Views()) is None


def test_a_full_disk_is_said_and_leaves_nothing(split, monkeypatch):
    def full(folder, size):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("zoo.core.atomic.need_space", full)
    with pytest.raises(UnavailableError, match=r"No space left on device.*ZOO_CACHE"):
        trunk().outputs(split, Views())
    assert not [path for path in trunks.folder().iterdir() if not path.name.startswith(".")]
    assert not list(trunks.folder().iterdir())


def test_the_first_view_is_the_image_and_the_second_its_mirror_image(split):
    resize = Resize(32, 32)
    read = Views(2, Augment(flip="horizontal")).read
    views = read(split.sources[0], resize)
    np.testing.assert_array_equal(views[0], decode.load(split.sources[0], resize))
    np.testing.assert_array_equal(views[1], views[0][:, ::-1])


def test_four_views_of_both_ways_are_all_four():
    image = np.random.default_rng(0).integers(0, 256, (16, 16, 3), np.uint8)
    from zoo.images.source import Source

    views = Views(4, Augment(flip="both")).read(Source.from_array(image, name="it"), Resize(16, 16, fraction=1.0))
    expected = [image, image[:, ::-1], image[::-1], image[::-1, ::-1]]
    for view, image in zip(views, expected, strict=True):
        np.testing.assert_array_equal(view, image)


def test_views_depend_on_seed_and_path_alone(split):
    augment = Augment(flip="horizontal", crop=(0.5, 1.0), brightness=0.3)
    resize = Resize(24, 24)
    one, two, other = (Views(3, augment, seed).read(split.sources[4], resize) for seed in (0, 0, 1))
    np.testing.assert_array_equal(one, two)
    assert not np.array_equal(one[1], other[1])
    assert not np.array_equal(one[1], Views(3, augment, 0).read(split.sources[5], resize)[1])


class TestBatches:
    """Batches of what was computed."""

    @pytest.fixture
    def outputs(self, split):
        return trunk().outputs(split, Views(2, Augment(flip="horizontal")))

    def test_every_image_once_an_epoch_and_each_epoch_another_order(self, outputs, split):
        batches = CachedFeatures(outputs, split, classes=3, batch_size=7, shuffle=True, seed=1)
        assert batches.steps == 8
        first, again, second = (np.concatenate([y for _, y in batches.epoch(n)]) for n in (0, 0, 1))
        np.testing.assert_array_equal(first, again)
        assert not np.array_equal(first, second)
        seen = {tuple(row) for x, _ in batches.epoch(0) for row in x}
        assert len(seen) == 56

    def test_an_epoch_begins_where_it_is_told_to(self, outputs, split):
        batches = CachedFeatures(outputs, split, classes=3, batch_size=7, shuffle=True, mixup=0.4)
        whole, part = list(batches.epoch(3)), list(batches.epoch(3, start=5))
        for (x, y), (p, q) in zip(whole[5:], part, strict=True):
            np.testing.assert_array_equal(x, p)
            np.testing.assert_array_equal(y, q)

    def test_both_views_are_taken(self, outputs, split):
        batches = CachedFeatures(outputs, split, classes=3, batch_size=60, shuffle=True)
        rows = np.concatenate([x for n in range(3) for x, _ in batches.epoch(n)])
        plain = {tuple(row) for row in outputs.values[:, 0]}
        share = np.mean([tuple(row) in plain for row in rows])
        assert 0.3 < share < 0.7

    def test_judging_takes_the_first_view_in_order(self, outputs, split):
        batches = CachedFeatures(outputs, split, classes=3, batch_size=60)
        ((x, y),) = batches.epoch(0)
        np.testing.assert_array_equal(x, outputs.values[:, 0])
        np.testing.assert_array_equal(y.argmax(1), split.labels)

    def test_mixed_labels_are_shares(self, outputs, split):
        batches = CachedFeatures(outputs, split, classes=3, batch_size=30, shuffle=True, mixup=1.0)
        for _, y in batches.epoch(0):
            np.testing.assert_allclose(y.sum(1), 1, atol=1e-6)
            assert y.dtype == np.float32
        assert any(((y > 0.01) & (y < 0.99)).any() for _, y in batches.epoch(0))
