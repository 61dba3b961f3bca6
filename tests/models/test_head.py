"""Both ends of a network: its input, its classifier, and what is left without one."""

import keras
import numpy as np
import pytest

from zoo.models import head
from zoo.models.alexnet import AlexNet
from zoo.models.capsnet import CapsNet
from zoo.models.cifar_resnet import CifarResNet
from zoo.models.fractional import FractionalNet
from zoo.models.inputs import network_input
from zoo.models.resnet9 import ResNet9
from zoo.models.squeezenet import SqueezeNet

#: Builders with little to build.
BUILDERS = {
    "alexnet": (AlexNet, (67, 67, 3), {}),
    "capsnet": (CapsNet, (28, 28, 1), {"filters": 16}),
    "cifar_resnet": (CifarResNet, (16, 16, 3), {"depth": 8}),
    "fractional": (FractionalNet, (9, 9, 1), {"stages": 3, "filters": 2}),
    "fractional of two passes": (FractionalNet, (9, 9, 1), {"stages": 3, "filters": 2, "passes": 2}),
    "resnet9": (ResNet9, (16, 16, 3), {"width": 4}),
    "squeezenet": (SqueezeNet, (64, 64, 3), {}),
}


def test_a_new_input_is_called_image():
    source, inputs = network_input((8, 6, 3), None)
    assert source is inputs
    assert (inputs.name, inputs.shape) == ("image", (None, 8, 6, 3))


def test_upon_a_tensor_the_inputs_are_those_it_comes_from():
    raw = keras.Input((8, 6, 3), name="raw")
    prepared = keras.layers.Rescaling(0.5)(raw)
    source, inputs = network_input((1, 1, 1), prepared)
    assert inputs is prepared
    assert [tensor.name for tensor in source] == ["raw"]


def test_probabilities_are_float32_also_in_mixed_precision():
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        x = keras.layers.Dense(4)(keras.Input((5,)))
        assert keras.backend.standardize_dtype(x.dtype) == "bfloat16"
        x = head.classifier(3, "softmax")(x)
    finally:
        keras.config.set_dtype_policy("float32")
    assert (keras.backend.standardize_dtype(x.dtype), x.shape) == ("float32", (None, 3))


def test_pooling_without_the_top():
    inputs = keras.Input((2, 3, 4))
    model = keras.Model(inputs, [head.pool(inputs, "avg"), head.pool(inputs, "max"), head.pool(inputs, None)])
    x = np.random.default_rng(0).random((2, 2, 3, 4), np.float32)
    mean, most, same = model.predict(x, verbose=0)
    np.testing.assert_allclose(mean, x.mean((1, 2)), rtol=1e-5)
    np.testing.assert_array_equal(most, x.max((1, 2)))
    np.testing.assert_array_equal(same, x)


@pytest.mark.parametrize("pooling", ["avg", "max"])
@pytest.mark.parametrize("name", BUILDERS)
def test_every_network_can_be_pooled(name, pooling):
    builder, shape, options = BUILDERS[name]
    model = builder(shape, include_top=False, pooling=pooling, **options)
    assert len(model.output_shape) == 2
    assert all(layer.name != "predictions" for layer in model.layers)
