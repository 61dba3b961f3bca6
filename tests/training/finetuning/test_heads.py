"""Heads: the published counts, graphs that come apart and fit together, and what may learn."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from zoo import models
from zoo.catalog import registry
from zoo.training.finetuning import heads
from zoo.training.finetuning import recipe as recipes
from zoo.training.finetuning.recipe import Head


def learning(model):
    return sum(int(np.prod(variable.shape)) for variable in model.trainable_variables)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("network", "recipe", "classes", "count"),
    [("vgg16", "bottleneck", 133, 68_229), ("alexnet", "alexnet-fc7", 43, 176_171)],
)
def test_the_published_heads_have_their_parameters(network, recipe, classes, count):
    joined = heads.attach(registry.get(network), None, classes, recipes.load(recipe).head)
    above = heads.upper_part(joined.model, joined.features)
    assert learning(above) == count


@pytest.mark.slow
def test_the_published_parts_that_learn():
    vgg = heads.attach(registry.get("vgg16"), None, 2, recipes.load("vgg16-block5").head).model
    heads.freeze(vgg, "block5_conv1")
    layers = [layer for layer in vgg.layers if layer.weights]
    # All but the first 15 layers, of which ten have weights.
    assert [layer.name for layer in layers if layer.trainable][:3] == ["block5_conv1", "block5_conv2", "block5_conv3"]
    assert sum(not layer.trainable for layer in layers) == 10


@pytest.mark.parametrize(("pool", "hidden"), [("avg", ()), ("max", (7,)), ("flatten", (7, 5))])
def test_pieces_and_whole_say_the_same(pool, hidden):
    joined = heads.attach(registry.get("cifar10-resnet9"), None, 4, Head(pool, hidden, 0.5))
    images = np.random.default_rng(0).integers(0, 256, (3, 32, 32, 3), np.uint8)
    whole = keras.ops.convert_to_numpy(joined.model(images))
    assert whole.shape == (3, 4)
    waists = models.split_points(joined.model)[1:-1]
    assert len(waists) > 10
    for waist in waists[::3]:
        below = keras.Model(joined.model.input, waist.output)
        above = heads.upper_part(joined.model, waist.name)
        np.testing.assert_allclose(keras.ops.convert_to_numpy(above(below(images))), whole, atol=1e-5)


def test_waists_are_where_everything_passes():
    inputs = keras.Input((8, 8, 3))
    a = keras.layers.Conv2D(4, 3, padding="same", name="a")(inputs)
    b = keras.layers.Conv2D(4, 3, padding="same", name="b")(a)
    c = keras.layers.Add(name="c")([a, b])
    d = keras.layers.Conv2D(4, 1, name="d")(c)
    e = keras.layers.Concatenate(name="e")([c, d])
    model = keras.Model(inputs, keras.layers.Flatten(name="f")(e))
    assert [waist.name for waist in models.split_points(model)][1:] == ["a", "c", "e", "f"]
    assert heads.split_point_below(model, "d") == "c"
    assert heads.split_point_below(model, "b") == "a"


def test_freezing_leaves_batchnorm_alone_everywhere():
    model = heads.attach(registry.get("cifar10-resnet9"), None, 3, Head()).model
    first = next(layer.name for layer in model.layers[len(model.layers) // 2 :] if layer.weights)
    heads.freeze(model, first)
    names = [operation.name for operation in model.operations]
    for layer in model.layers:
        norm = isinstance(layer, keras.layers.BatchNormalization)
        assert layer.trainable == (names.index(layer.name) >= names.index(first) and not norm), layer.name
    assert learning(model) > 0


def test_rates_fall_stage_by_stage():
    spec = registry.get("cifar10-resnet9")
    model = heads.attach(spec, None, 3, Head()).model
    heads.freeze(model, model.operations[0].name)
    scales = heads.rate_scales(model, model, spec, 0.5)
    assert scales == sorted(scales)
    assert scales[-1] == 1.0
    assert scales[0] == 0.5 ** len(heads.stage_ends([op.name for op in model.operations], spec))
    assert heads.rate_scales(model, model, spec, 1.0) is None


def test_a_head_on_a_head_has_names_of_its_own(tmp_path):
    from zoo.pretrained import keras_file

    first = heads.attach(registry.get("cifar10-resnet9"), None, 3, Head(hidden=(6,))).model
    first.save(tmp_path / "first.keras")
    keras_file.write_metadata(tmp_path / "first.keras", {"classes": ["a", "b", "c"]})
    joined = heads.attach(keras_file.read_spec(tmp_path / "first.keras"), None, 5, Head(hidden=(6,)))
    assert joined.model.output_shape == (None, 5)
    names = [layer.name for layer in joined.model.layers]
    assert len(set(names)) == len(names)
