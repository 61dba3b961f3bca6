"""Networks that end at layers instead of at their classifier."""

from __future__ import annotations

from dataclasses import replace

import keras
import numpy as np
import pytest
from keras import layers

from zoo import models
from zoo.catalog import registry
from zoo.core.errors import UsageError
from zoo.core.spec import Cut
from zoo.models.graph import as_functional, cut_at, with_trunk_output
from zoo.pretrained import keras_file

NETWORK = "lenet5"
IMAGES = np.random.default_rng(0).integers(0, 256, (2, 28, 28, 3)).astype("float32")


def create(cut, name=NETWORK, weights=None):
    keras.utils.set_random_seed(1)
    return models.create_model(replace(registry.get(name), cut=cut), weights)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A network with its classifier, and its weights in a file."""
    keras.utils.set_random_seed(7)
    network = models.create_model(NETWORK, None)
    file = tmp_path_factory.mktemp("weights") / "all.weights.h5"
    models.create_model(NETWORK, None, preprocessing=False).save_weights(file)
    models.load_weights(network, registry.get(NETWORK), file)
    return network, file


def outputs(network):
    found = network.predict_on_batch(IMAGES)
    return found if isinstance(found, list) else [found]


def at(network, layer):
    return keras.Model(network.inputs, models.find_layer(network, layer).output).predict_on_batch(IMAGES)


POOLED = {
    None: lambda x: x,
    "avg": lambda x: x.mean((1, 2)),
    "max": lambda x: x.max((1, 2)),
    "flatten": lambda x: x.reshape(len(x), -1),
}


@pytest.mark.parametrize("pool", POOLED)
def test_several_layers_and_the_probabilities(whole, pool):
    network, file = whole
    stages = {stage.name: stage.layer for stage in registry.get(NETWORK).stages}
    cut = Cut(stages["stage1"], pool, beside=(stages["stage2"],), probabilities=True)
    first, second, probabilities = outputs(create(cut, weights=file))
    np.testing.assert_allclose(first, POOLED[pool](at(network, stages["stage1"])), rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(second, POOLED[pool](at(network, stages["stage2"])), rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(probabilities, network.predict_on_batch(IMAGES), atol=1e-6)
    assert cut.fields == ("features", f"features_{stages['stage2']}", "probabilities")


def test_probabilities_change_nothing_about_the_features(whole):
    _, file = whole
    (alone,) = outputs(create(Cut(pool="avg"), weights=file))
    both, probabilities = outputs(create(Cut(pool="avg", probabilities=True), weights=file))
    np.testing.assert_allclose(both, alone, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(probabilities.sum(1), 1, atol=1e-5)


def test_only_what_is_wanted_is_there(whole):
    network, _ = whole
    assert [layer.name for layer in create(Cut("s2")).layers if layer.weights] == ["c1"]
    assert len(network.layers) > len(create(Cut("f6")).layers)


def test_a_layer_of_the_classifier(whole):
    network, file = whole
    for name in (network.layers[-1].name, network.layers[-2].name):
        np.testing.assert_allclose(outputs(create(Cut(name), weights=file))[0], at(network, name), rtol=1e-5, atol=1e-6)
    (features,) = outputs(create(Cut(top=True), weights=file))
    np.testing.assert_allclose(features, at(network, models.penultimate_layer(network)), rtol=1e-5, atol=1e-6)


def test_an_unknown_layer_is_a_sentence():
    with pytest.raises(UsageError, match=r"has no layer 'stge2'. Did you mean .*stage2"):
        create(Cut("stge2"))
    with pytest.raises(UsageError, match="Did you mean"):
        create(Cut(registry.get(NETWORK).stages[0].layer, beside=("predictons",)))


def test_a_layer_is_asked_for_once():
    one, two = (stage.layer for stage in registry.get(NETWORK).stages[:2])
    with pytest.raises(UsageError, match=f"asked for once. Received: {one}, {two}, {two}"):
        create(Cut(one, beside=(two, two)))
    # The first has a name of its own.
    assert len(create(Cut(one, beside=(one,))).outputs) == 2


def test_a_network_that_does_not_classify_has_no_probabilities():
    with pytest.raises(UsageError, match="has no probabilities"):
        create(Cut(probabilities=True), "conv-autoencoder")


def functional():
    image = keras.Input((8, 8, 3))
    x = layers.Conv2D(4, 3, name="conv")(image)
    wide = layers.Conv2D(6, 1, name="wide")(x)
    return image, x, wide


def test_the_end_without_a_classifier_may_stand_beside_it():
    image, _, wide = functional()
    trunk = keras.Model(image, layers.LayerNormalization(name="norm")(wide))
    trunk.get_layer("norm").set_weights([np.full(6, 2.0), np.ones(6)])
    classifier = layers.Dense(3, activation="softmax")(layers.GlobalAveragePooling2D()(wide))
    joined, end = with_trunk_output(keras.Model(image, classifier), trunk)
    pixels = np.random.default_rng(0).random((2, 8, 8, 3), np.float32)
    features, probabilities = cut_at(joined, Cut(end, probabilities=True)).predict_on_batch(pixels)
    np.testing.assert_allclose(features, trunk.predict_on_batch(pixels), rtol=1e-5, atol=1e-5)
    assert probabilities.shape == (2, 3)


def test_the_end_without_a_classifier_is_mostly_below_it():
    image, _, wide = functional()
    network = keras.Model(image, layers.Flatten()(wide))
    assert with_trunk_output(network, keras.Model(image, wide)) == (network, "wide")


def test_a_trunk_that_is_another_network_is_a_sentence():
    image, x, wide = functional()
    trunk = keras.Model(image, layers.Concatenate(name="both")([x, wide]))
    with pytest.raises(UsageError, match="name a layer"):
        with_trunk_output(keras.Model(image, layers.Flatten()(wide)), trunk)


def test_a_layer_with_several_outputs_is_a_sentence():
    image = keras.Input((8, 3))
    state = layers.LSTM(4, return_state=True, name="states")(image)
    with pytest.raises(UsageError, match=r"states of .* has several outputs"):
        cut_at(keras.Model(image, state[0]), Cut("states"))


def test_a_plain_file_can_be_cut(tmp_path):
    image, _, wide = functional()
    network = keras.Model(image, layers.Dense(3, activation="softmax")(layers.Flatten()(wide)))
    stack = [keras.Input((8, 8, 3)), layers.Conv2D(4, 3, name="conv"), layers.Flatten(name="flat"), layers.Dense(2)]
    pixels = np.random.default_rng(0).random((2, 8, 8, 3), np.float32)
    for number, one in enumerate((network, keras.Sequential(stack))):
        file = tmp_path / f"{number}.keras"
        one.save(file)
        cut = Cut("conv", "avg", probabilities=True)
        features, probabilities = models.create_model(replace(keras_file.read_spec(file), cut=cut)).predict_on_batch(
            pixels
        )
        expected = one.get_layer("conv")(pixels)
        np.testing.assert_allclose(features, np.asarray(expected).mean((1, 2)), rtol=1e-4, atol=1e-5)
        np.testing.assert_allclose(probabilities, one.predict_on_batch(pixels), rtol=1e-5, atol=1e-6)
        last = models.create_model(replace(keras_file.read_spec(file), cut=Cut()))
        assert last.output.shape == one.layers[-1].input.shape


def test_a_network_written_as_a_class_has_no_layers_to_cut_at():
    class Own(keras.Model):
        def call(self, inputs):
            return inputs

    with pytest.raises(UsageError, match="no functional network"):
        as_functional(Own(name="own"))
