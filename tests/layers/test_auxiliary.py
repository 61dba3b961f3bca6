"""The loss of a reconstruction: what is added, when, and what goes through."""

import keras
import numpy as np
import pytest
from keras import layers

from zoo.layers.auxiliary import ReconstructionLoss


def network(weight=0.25):
    image = keras.Input((3, 2))
    scores = layers.Dense(2, kernel_initializer="zeros", name="scores")(layers.Flatten()(image))
    drawn = layers.Rescaling(1.0, offset=0.5)(image)
    return keras.Model(image, ReconstructionLoss(weight)([scores, drawn, image]))


def test_the_sum_of_squares_is_added_in_training_alone():
    model = network()
    model.compile("sgd", "mse")
    x, y = np.random.default_rng(0).normal(size=(8, 3, 2)), np.ones((8, 2))
    # Six pixels, each half a grey level off: 6 x 0.25, a quarter of it; the labels' loss is 1.
    assert model.evaluate(x, y, verbose=0) == pytest.approx(1.0)
    assert model.train_on_batch(x, y) == pytest.approx(1.0 + 0.25 * 6 * 0.25)


def test_what_goes_through_is_unchanged():
    model = network()
    model.get_layer("scores").set_weights([np.ones((6, 2)), np.zeros(2)])
    x = np.arange(12, dtype="float32").reshape(2, 3, 2)
    assert model.output_shape == (None, 2)
    np.testing.assert_array_equal(model.predict(x, verbose=0), x.sum((1, 2))[:, None].repeat(2, 1))


def test_it_is_saved_and_loaded(tmp_path):
    network(0.125).save(tmp_path / "a.keras")
    assert keras.models.load_model(tmp_path / "a.keras").layers[-1].weight == 0.125
