"""Dreams: of any size, at the image's own, and more of what a layer sees."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import layers
from PIL import Image

from tests.drawn import detailed
from tests.visualize.networks import fine_tuned, of_quadrants, quadrant
from zoo.core.errors import ImageError, UsageError
from zoo.visualize import dream
from zoo.visualize.network.inspected_model import InspectedModel
from zoo.visualize.synthesis.dream import Dreamer, octave_shapes, smoothed


@pytest.fixture(scope="module")
def subject():
    return InspectedModel(fine_tuned(nested=True))


@pytest.mark.parametrize("shape", [(32, 32), (97, 61), (20, 70), (18, 18)])
def test_a_image_keeps_its_size(subject, shape):
    dreamed = Dreamer(subject, ["head"]).run(detailed(*shape), steps=2, octaves=3)
    assert dreamed.shape == (*shape, 3) and dreamed.dtype == np.uint8
    assert (dreamed != detailed(*shape)).any()


def test_what_the_layer_sees_grows(subject):
    image = detailed(32, 32)
    before, after = (
        np.square(subject.activations("head", pixels[None])).mean()
        for pixels in (image, Dreamer(subject, ["head"]).run(image, octaves=1))
    )
    assert after > 1.2 * before


def test_the_detail_of_the_image_is_kept(subject):
    """Octaves that change next to nothing give the image back, whatever is lost on the way down."""
    image = detailed(80, 90)
    dreamed = Dreamer(subject, ["head"]).run(image, steps=1, octaves=5, strength=1e-3)
    assert np.abs(dreamed.astype(int) - image).max() <= 1


def test_the_network_sees_tiles_of_its_own_size_only(subject, monkeypatch):
    dreamer = Dreamer(subject, ["head"])
    seen, inner = [], dreamer._gradient
    monkeypatch.setattr(dreamer, "_gradient", lambda tiles, scales: seen.append(tiles.shape) or inner(tiles, scales))
    dreamer.run(detailed(150, 130), steps=1, octaves=2)
    assert {shape[1:] for shape in seen} == {(32, 32, 3)} and max(shape[0] for shape in seen) == 8


def test_tiles_meet_without_a_seam():
    """A network that sees single pixels must change all equal ones alike, also where tiles overlap."""
    pixels = keras.Input((32, 32, 3))
    point = layers.Conv2D(2, 1, name="point", kernel_initializer="ones")(layers.Rescaling(1 / 255)(pixels))
    network = InspectedModel(keras.Model(pixels, layers.Dense(2)(layers.GlobalAveragePooling2D()(point))))
    dreamed = Dreamer(network, ["point"]).run(np.full((75, 50, 3), 90, np.uint8), steps=3, octaves=1)
    assert np.ptp(dreamed) <= 1 and dreamed.min() > 90


def test_all_layers_have_a_say(subject):
    image = detailed(40, 40)
    dreams = [Dreamer(subject, names).run(image, steps=3) for names in (["head"], ["stem_relu"], ["head", "stem_relu"])]
    assert (dreams[0] != dreams[2]).any() and (dreams[1] != dreams[2]).any()


def test_the_seed_decides(subject):
    first, same, other = (Dreamer(subject).run(detailed(60, 40), steps=2, seed=seed) for seed in (1, 1, 2))
    assert (first == same).all() and (first != other).any()


def test_progress_ends_with_all_tiles(subject):
    calls: list[tuple[int, int]] = []
    Dreamer(subject).run(detailed(70, 40), steps=2, octaves=2, progress=lambda done, total: calls.append((done, total)))
    assert calls[-1][0] == calls[-1][1] == len(calls)


def test_octaves_grow_to_the_image():
    assert octave_shapes(100, 200, 3, 2.0) == [(50, 100), (100, 200)]
    assert octave_shapes(300, 200, 3, 2.0) == [(75, 50), (150, 100), (300, 200)]
    assert octave_shapes(9, 9, 4, 1.4) == [(9, 9)]
    for octaves, scale in ((0, 2.0), (3, 1.0)):
        with pytest.raises(UsageError, match="at least one octave"):
            octave_shapes(9, 9, octaves, scale)


def test_fine_patterns_are_held_back():
    x = np.arange(64)
    waves = {
        cycles: np.tile(np.cos(2 * np.pi * cycles * x / 64), (64, 1))[..., None].astype("float32") for cycles in (2, 32)
    }
    slow, fast = (np.abs(smoothed(wave)).max() for wave in waves.values())
    assert slow / fast == pytest.approx(4, rel=0.05)


def test_from_python(subject, tmp_path):
    Image.fromarray(detailed(40, 50)).save(tmp_path / "photo.png")
    assert dream(subject, tmp_path / "photo.png", layers=["head"], steps=1).shape == (40, 50, 3)
    with pytest.raises(ImageError, match="no such file"):
        dream(subject, tmp_path / "none.png")
    with pytest.raises(UsageError, match="takes 1 channels"):
        dream(InspectedModel(of_quadrants(quadrant(0, 0, 32), channels=1)), detailed(40, 50))
