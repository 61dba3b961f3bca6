"""Style: the content stays, the Gram matrices of another image come."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import layers, ops

from tests.drawn import detailed
from tests.visualize.networks import fine_tuned, of_quadrants, quadrant, randomised
from zoo.core.errors import UsageError
from zoo.models import create_model
from zoo.visualize import style
from zoo.visualize.network.inspected_model import InspectedModel
from zoo.visualize.synthesis.style import Painted, Painter, gram, read, variation


@pytest.fixture(scope="module")
def subject():
    return InspectedModel(fine_tuned(nested=True))


def stripes(height=64, width=80):
    image = np.zeros((height, width, 3), np.uint8)
    image[:, ::4] = (250, 120, 20)
    return image


@pytest.fixture(scope="module")
def painter(subject):
    return Painter(subject, style_layers=["stem_relu", "add"], content_layer="head")


def grams(subject, pixels):
    return ops.convert_to_numpy(gram(ops.convert_to_tensor(subject.activations("add", pixels[None, :32, :32]))))


def test_the_style_comes_and_the_size_stays(subject, painter):
    content = read(detailed(48, 60), 60)
    painted: list[Painted] = []
    last = painter.run(content, stripes(), steps=30, after_step=painted.append)
    assert last.pixels.shape == (48, 60, 3) and [one.step for one in painted] == list(range(1, last.step + 1))
    assert last.loss < 0.5 * painted[0].loss
    goal = grams(subject, stripes())
    before, after = (np.linalg.norm(grams(subject, pixels) - goal) for pixels in (content, last.pixels))
    assert after < 0.6 * before


def test_with_the_content_alone_the_content_stays(painter):
    content = np.clip(detailed(48, 60), 12, 243)
    painted: list[Painted] = []
    painter.run(content, stripes(), steps=5, style_weight=0, smooth_weight=0, after_step=painted.append)
    assert all(np.abs(one.pixels.astype(int) - content).mean() < 3 for one in painted)


def test_more_smoothness_is_smoother(painter):
    def rough(weight):
        last = painter.run(detailed(48, 60), stripes(), steps=8, smooth_weight=weight)
        return float(variation(ops.convert_to_tensor(last.pixels[None].astype("float32"))))

    assert rough(1000) < 0.7 * rough(0)


def test_a_gram_matrix_is_a_mean_over_places():
    features = np.random.default_rng(0).standard_normal((1, 3, 5, 4)).astype("float32")
    flat = features.reshape(15, 4)
    assert ops.convert_to_numpy(gram(ops.convert_to_tensor(features))) == pytest.approx(flat.T @ flat / 15, abs=1e-5)


def test_variation_is_that_of_neighbours():
    pixels = np.zeros((1, 2, 2, 3), "float32")
    pixels[0, 1] = 255
    assert float(variation(ops.convert_to_tensor(pixels))) == pytest.approx(1)


def test_the_layers_of_gatys_in_vgg_and_stages_elsewhere(subject):
    vgg = Painter(InspectedModel(create_model("vgg19", None, include_top=False, input_shape=(32, 32, 3))))
    assert vgg.style_layers == [f"block{number}_conv1" for number in range(1, 6)]
    assert vgg.content_layer == "block4_conv2"
    painter = Painter(subject)
    assert painter.style_layers == ["base/add", "base/out_relu"] and painter.content_layer == "base/out_relu"


def test_what_makes_no_sense_is_a_sentence(subject):
    with pytest.raises(UsageError, match=r"pool of fine_tuned gives \(12,\), which has no rows and columns"):
        Painter(subject, style_layers=["pool"])
    with pytest.raises(UsageError, match="takes 1 channels"):
        Painter(InspectedModel(of_quadrants(quadrant(0, 0, 32), channels=1)))
    pixels = keras.Input((16, 16, 3))
    x = layers.Conv2D(4, 3, padding="same", name="conv")(layers.Reshape((16, 16, 3))(pixels))
    fixed = InspectedModel(randomised(keras.Model(pixels, layers.Dense(2)(layers.Flatten()(x)), name="fixed")))
    with pytest.raises(UsageError, match="fixed takes images of 16×16 only, up to conv; use a fully"):
        Painter(fixed, style_layers=["conv"], content_layer="conv").run(detailed(40, 40), stripes())


def test_from_python(subject):
    assert style(subject, detailed(50, 100), stripes(), size=64, steps=2).shape == (32, 64, 3)
