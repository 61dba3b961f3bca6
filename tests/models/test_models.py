"""Built networks: raw pixels in, Keras's own answers out, for every family and from every kind of file."""

import inspect
import os
import subprocess
import sys

import keras
import numpy as np
import pytest
from keras import layers

from zoo.catalog import registry
from zoo.core.errors import UsageError, WeightsError
from zoo.core.spec import ModelSpec
from zoo.models import create_model, find_layer, load_weights

#: One of each kind of graph, as small as they come.
QUICK = [
    "vgg16",
    "resnet50",
    "inceptionv3",
    "xception",
    "mobilenet_0.25",
    "mobilenetv2_0.35",
    "mobilenetv3small",
    "densenet121",
    "nasnetmobile",
    "efficientnetb0",
    "efficientnetv2b0",
    "convnexttiny",
]
#: The largest are the same graphs, only wider and deeper; they are built where their figures are compared.
LARGEST = 26_000_000
SLOW = [
    spec.name
    for spec in registry.list_models()
    if str(spec.builder).startswith("keras.applications:")
    and (spec.params <= LARGEST or spec.name == "inceptionresnetv2")
    and spec.name not in QUICK
]
TOLERANCE = 1e-5


def images(shape, count=8):
    """Different brightness, colour and texture, so that different answers are due."""
    rng = np.random.default_rng(0)
    noise = rng.integers(0, 256, (count, *shape), dtype=np.uint8)
    tint = np.linspace([0.2, 0.5, 1.0], [1.0, 0.6, 0.1], count)[:, None, None]
    ramp = np.linspace(0, 255, shape[0])[None, :, None, None] * np.linspace(0.3, 1, count)[:, None, None, None]
    return (0.5 * noise * tint + 0.5 * ramp).astype(np.uint8)


def randomise(model, inputs):
    """Weights that leave nothing trivial, and activations that neither die out nor explode.

    Keras begins with flat statistics and ConvNeXt with scales of 1e-6, under which a network forgets its input.
    """
    rng = np.random.default_rng(1)
    ranges = {"gamma": (0.8, 1.2), "beta": (-0.1, 0.1), "mean": (0.4, 0.5), "variance": (0.05, 0.07)}
    for layer in [inner for outer in model.layers for inner in getattr(outer, "layers", [outer])]:
        for weight in layer.weights:
            low, high = ranges.get(weight.name, (None, None))
            if low is not None:
                weight.assign(rng.uniform(low, high, weight.shape))
        if isinstance(layer, layers.Normalization):
            layer.finalize_state()
    # One pass in training mode measures the statistics, all of which momentum 0 takes over.
    normalisations = [layer for layer in model.layers if isinstance(layer, layers.BatchNormalization)]
    for layer in normalisations:
        layer.momentum = 0.0
    for layer in model.layers:
        if isinstance(layer, layers.Dropout):
            layer.rate = 0.0
    if normalisations:
        model(inputs.astype("float32"), training=True)
    # A channel that hardly varies would be blown up, and its rounding errors with it.
    for layer in normalisations:
        variance = keras.ops.convert_to_numpy(layer.moving_variance)
        layer.moving_variance.assign(np.maximum(variance, np.median(variance)))
    # Logits with a spread of 1.5 are far from uniform probabilities.
    last = [layer for layer in model.layers if layer.weights][-1]
    logits = np.log(predict(model, inputs) + 1e-30)
    kernel, bias = last.get_weights()
    last.set_weights([kernel * 1.5 / max(logits.std(), 1e-6), bias])


def predict(model, inputs):
    return keras.ops.convert_to_numpy(model(keras.ops.convert_to_tensor(inputs), training=False))


def keras_s_own(spec, shape):
    """The bare network of keras.applications and its preprocess_input."""
    builder = getattr(keras.applications, spec.builder.partition(":")[2])
    module = sys.modules[builder.__module__]
    taken = inspect.signature(builder).parameters
    options = {"weights": None, "input_shape": shape, **spec.arguments}
    return builder(**{key: value for key, value in options.items() if key in taken}), module.preprocess_input


@pytest.fixture(autouse=True)
def same_weights_every_time():
    keras.utils.set_random_seed(0)


@pytest.mark.parametrize("name", [*QUICK, *(pytest.param(name, marks=pytest.mark.slow) for name in SLOW)])
def test_same_output_as_keras_after_its_preprocessing(name, tmp_path):
    spec = registry.get(name)
    # Three pixels a side must be left at the end, or there are no statistics.
    shape = (128, 128, 3) if spec.min_size > 32 else (96, 96, 3)
    inputs = images(shape)
    own, preprocess_input = keras_s_own(spec, shape)
    prepared = preprocess_input(inputs.astype("float32"))
    randomise(own, prepared)
    own.save_weights(tmp_path / "own.weights.h5")
    expected = predict(own, prepared)

    model = create_model(name, tmp_path / "own.weights.h5", input_shape=shape)

    assert expected.max() > 10 / expected.shape[1], "answers are near uniform: nothing is compared"
    assert np.ptp(expected, axis=0).max() > 50 * TOLERANCE, "answers do not depend on the image"
    np.testing.assert_allclose(predict(model, inputs), expected, atol=TOLERANCE, rtol=0)
    assert model.count_params() == own.count_params()


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """A network, its weights in Keras 3's layout, in the legacy one, and in an archive."""
    from keras.src.legacy.saving import legacy_h5_format

    keras.utils.set_random_seed(0)
    model = create_model("mobilenet_0.25", None, input_shape=(64, 64, 3))
    randomise(model, images((64, 64, 3)))
    folder = tmp_path_factory.mktemp("weights")
    model.save_weights(folder / "new.weights.h5")
    model.save(folder / "archive.keras")
    import h5py

    with h5py.File(folder / "legacy.h5", "w") as file:
        legacy_h5_format.save_weights_to_hdf5_group(file, model)
    return model, folder


@pytest.mark.parametrize("file", ["new.weights.h5", "legacy.h5", "archive.keras"])
def test_every_layout_loads(small, file):
    model, folder = small
    inputs = images((64, 64, 3))
    loaded = create_model("mobilenet_0.25", folder / file, input_shape=(64, 64, 3))
    np.testing.assert_allclose(predict(loaded, inputs), predict(model, inputs), atol=1e-7)


@pytest.mark.parametrize(("file", "name"), [("new.weights.h5", "a.h5"), ("legacy.h5", "b.weights.h5")])
def test_the_layout_is_read_from_the_file_not_from_its_name(small, file, name, tmp_path):
    model, folder = small
    (tmp_path / name).write_bytes((folder / file).read_bytes())
    loaded = create_model("mobilenet_0.25", tmp_path / name, input_shape=(64, 64, 3))
    assert all(map(np.array_equal, loaded.get_weights(), model.get_weights()))


@pytest.mark.parametrize("file", ["new.weights.h5", "legacy.h5"])
def test_a_new_classifier_keeps_the_trunk(small, file):
    model, folder = small
    fresh = create_model("mobilenet_0.25", folder / file, input_shape=(64, 64, 3), num_classes=5)
    assert fresh.output_shape == (None, 5)
    assert all(map(np.array_equal, fresh.get_weights()[:-2], model.get_weights()[:-2]))


@pytest.mark.parametrize("file", ["new.weights.h5", "legacy.h5"])
@pytest.mark.parametrize(("pooling", "shape"), [(None, (2, 2, 256)), ("avg", (256,)), ("max", (256,))])
def test_features(small, file, pooling, shape):
    model, folder = small
    inputs = images((64, 64, 3))
    features = create_model(
        "mobilenet_0.25", folder / file, input_shape=(64, 64, 3), include_top=False, pooling=pooling
    )
    assert features.output_shape[1:] == shape
    cut = keras.Model(model.input, find_layer(model, "conv_pw_13_relu").output)
    reduce = {None: lambda x: x, "avg": lambda x: x.mean((1, 2)), "max": lambda x: x.max((1, 2))}[pooling]
    np.testing.assert_allclose(predict(features, inputs), reduce(predict(cut, inputs)), atol=1e-4, rtol=1e-5)


def test_bytes_and_floats_are_the_same_image(small):
    model, _ = small
    inputs = images((64, 64, 3))
    expected = predict(model, inputs)
    for dtype in ("uint8", "int32", "int64", "float16", "float32", "float64"):
        np.testing.assert_allclose(model.predict(inputs.astype(dtype), verbose=0), expected, atol=1e-6)
    finer = inputs.astype("float32") + 0.5
    assert np.abs(model.predict(finer, verbose=0) - expected).max() > 1e-5, "fractions of a grey level are cut off"


def test_the_bare_network_takes_prepared_pixels(small):
    model, folder = small
    inputs = images((64, 64, 3))
    bare = create_model("mobilenet_0.25", folder / "new.weights.h5", input_shape=(64, 64, 3), preprocessing=False)
    prepared = keras.applications.mobilenet.preprocess_input(inputs.astype("float32"))
    np.testing.assert_allclose(predict(bare, prepared), predict(model, inputs), atol=TOLERANCE)


def test_logits(small):
    model, folder = small
    inputs = images((64, 64, 3))
    logits = create_model("mobilenet_0.25", folder / "legacy.h5", input_shape=(64, 64, 3), classifier_activation=None)
    values = np.exp(predict(logits, inputs))
    np.testing.assert_allclose(values / values.sum(1, keepdims=True), predict(model, inputs), atol=1e-6)


# EfficientNet's hidden factor


def test_official_efficientnet_weights_mean_what_they_mean_in_keras(tmp_path, monkeypatch):
    """Keras scales the input once more, but only when it fetches the weights itself."""
    import h5py
    from keras.src.legacy.saving import legacy_h5_format

    donor = keras.applications.EfficientNetB0(weights=None)
    inputs = images((224, 224, 3))
    randomise(donor, inputs)
    layer = next(layer for layer in donor.layers if isinstance(layer, layers.Normalization))
    # These are the published files' numbers: the deviation stands where the variance belongs.
    layer.set_weights([np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225]), np.array(0)])
    layer.finalize_state()
    with h5py.File(tmp_path / "official.h5", "w") as file:
        legacy_h5_format.save_weights_to_hdf5_group(file, donor)
    monkeypatch.setattr("keras.src.utils.file_utils.get_file", lambda *_, **__: str(tmp_path / "official.h5"))
    official = predict(keras.applications.EfficientNetB0(weights="imagenet"), inputs)

    model = create_model("efficientnetb0", tmp_path / "official.h5")
    assert np.abs(official - predict(donor, inputs)).max() > 100 * TOLERANCE, "the factor makes no difference here"
    np.testing.assert_allclose(predict(model, inputs), official, atol=TOLERANCE, rtol=0)

    # What was corrected once is not corrected again.
    model.save_weights(tmp_path / "saved.weights.h5")
    again = create_model("efficientnetb0", tmp_path / "saved.weights.h5")
    np.testing.assert_allclose(predict(again, inputs), official, atol=TOLERANCE, rtol=0)


# The graph


@pytest.mark.parametrize("name", ["mobilenet_0.25", "mobilenetv3small", "inceptionv3"])
def test_the_graph_is_flat_and_its_names_are_settled(name):
    first, second = (create_model(name, None) for _ in range(2))
    assert [op.name for op in first.operations] == [op.name for op in second.operations]
    assert len({op.name for op in first.operations}) == len(first.operations)
    assert not any(isinstance(layer, keras.Model) for layer in first.layers)
    assert first.layers[0].name == "image"
    for stage in registry.get(name).stages:
        assert find_layer(first, stage.layer).output.shape[-1] == stage.width


def test_find_layer_suggests():
    model = create_model("mobilenet_0.25", None)
    with pytest.raises(UsageError, match=r"no layer 'conv_pw_13_rel'. Did you mean .*conv_pw_13_relu"):
        find_layer(model, "conv_pw_13_rel")


def test_the_caller_s_specs_and_images_are_left_alone():
    inputs = images((64, 64, 3))
    before = inputs.copy()
    predict(create_model("mobilenet_0.25", None, input_shape=(64, 64, 3)), inputs)
    assert np.array_equal(before, inputs)


READ_BACK = """
import sys, keras, numpy as np

def predict(model, images):
    if keras.backend.backend() != "openvino":
        return np.asarray(model.predict(images, verbose=0))
    # Keras leaves OpenVINO the choice of precision, which is bfloat16 where the processor has it.
    import openvino
    model.export("network.xml", format="openvino", verbose=False)
    network = openvino.Core().compile_model("network.xml", "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    return np.concatenate([network(image[None].astype("float32"))[0] for image in images])

for name in sys.argv[1:]:
    model = keras.models.load_model(name + ".keras")
    got, expected = predict(model, np.load(name + ".x.npy")), np.load(name + ".y.npy")
    assert expected.max() > 10 / expected.shape[1]
    assert np.abs(got - expected).max() < 1e-5, np.abs(got - expected).max()
assert "zoo" not in sys.modules
"""


@pytest.mark.parametrize("backend", ["tensorflow", "openvino", "torch", "jax"])
def test_saved_networks_open_in_plain_keras(backend, tmp_path):
    """One of each convention, and every operation that is not a plain layer; in a process without zoo."""
    if backend in ("torch", "jax"):
        pytest.importorskip(backend)
    caffe = ModelSpec("caffenet", "test", builder=tiny, preprocessing=registry.PREPROCESSING["caffe"])
    torch = ModelSpec("torchnet", "test", builder=tiny, preprocessing=registry.PREPROCESSING["torch"])
    files = []
    for model in (caffe, torch, "mobilenet_0.25", "mobilenetv3small"):
        network = create_model(model, None, input_shape=(64, 64, 3))
        inputs = images((64, 64, 3))
        randomise(network, inputs)
        files.append(str(tmp_path / f"{len(files)}"))
        network.save(files[-1] + ".keras")
        np.save(files[-1] + ".x.npy", inputs)
        np.save(files[-1] + ".y.npy", predict(network, inputs))
    environment = {**os.environ, "KERAS_BACKEND": backend}
    done = subprocess.run(
        [sys.executable, "-c", READ_BACK, *files],
        check=False,
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-2000:]


@pytest.mark.slow
def test_other_families_open_in_plain_keras(tmp_path):
    names = ("convnexttiny", "efficientnetb0", "nasnetmobile")
    for name in names:
        network = create_model(name, None)
        inputs = images(network.input_shape[1:])
        randomise(network, inputs)
        network.save(tmp_path / f"{name}.keras")
        np.save(tmp_path / f"{name}.x.npy", inputs)
        np.save(tmp_path / f"{name}.y.npy", predict(network, inputs))
    files = [str(tmp_path / name) for name in names]
    subprocess.run([sys.executable, "-c", READ_BACK, *files], cwd=tmp_path, check=True)


# A person's own builders


def tiny(input_shape, classes=1000, classifier_activation="softmax"):
    """A builder that takes few options, and no input_tensor."""
    inputs = keras.Input(input_shape)
    x = layers.Conv2D(4, 3, strides=2, activation="relu", name="first")(inputs)
    x = layers.GlobalAveragePooling2D()(x)
    return keras.Model(inputs, layers.Dense(classes, activation=classifier_activation, name="last")(x), name="tiny")


def sequential(input_shape, classes=1000, **_):
    return keras.Sequential([keras.Input(input_shape), layers.Flatten(), layers.Dense(classes, name="last")])


class Subclassed(keras.Model):
    def __init__(self, classes):
        super().__init__()
        self.pool, self.last = layers.GlobalAveragePooling2D(), layers.Dense(classes)

    def call(self, x):
        return self.last(self.pool(x))


def subclassed(input_shape, classes=1000):
    return Subclassed(classes)


@pytest.mark.parametrize("builder", [tiny, sequential, subclassed])
def test_own_builders(builder):
    spec = ModelSpec("own", "test", builder=builder, classes=10, preprocessing=registry.PREPROCESSING["caffe"])
    inputs = images((40, 48, 3))
    model = create_model(spec, None, input_shape=(40, 48, 3))
    bare = create_model(spec, None, input_shape=(40, 48, 3), preprocessing=False)
    bare(np.zeros((1, 40, 48, 3), "float32"))
    bare.set_weights(model.get_weights())
    prepared = inputs[..., ::-1].astype("float32") - np.array([103.939, 116.779, 123.68], "float32")
    np.testing.assert_allclose(predict(model, inputs), predict(bare, prepared), rtol=1e-4, atol=1e-4)
    assert model.output_shape == (None, 10)
    if builder is not subclassed:
        assert model.get_layer("last").output is model.output or model.get_layer("last").output.shape == (None, 10)
        keras.Model(model.input, model.get_layer("last").output)


def test_a_builder_that_brings_weights_keeps_them():
    def trained(input_shape, classes=3):
        model = tiny(input_shape, classes)
        model.get_layer("last").bias.assign([1.0, 2.0, 3.0])
        return model

    model = create_model(ModelSpec("trained", "test", builder=trained, classes=3), None, input_shape=(40, 40, 3))
    assert list(model.get_weights()[-1]) == [1.0, 2.0, 3.0]


# What goes wrong


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"pooling": "mean"}, "pooling is 'avg', 'max' or None. Received: 'mean'"),
        ({"num_classes": 0}, "num_classes is at least 1. Received: 0"),
        ({"num_classes": 3, "include_top": False}, "num_classes belongs to the classifier"),
        ({"input_shape": (16, 64, 3)}, "at least 32 pixels a side. Received: \\(16, 64, 3\\)"),
        ({"input_shape": (64, 64)}, "input_shape is \\(height, width, 3\\)"),
        ({"input_shape": (64, 64, 1)}, "input_shape is \\(height, width, 3\\)"),
        ({"input_shape": (None, None, 3), "include_top": False}, "in whole numbers"),
    ],
)
def test_arguments_that_make_no_sense(options, message):
    with pytest.raises(UsageError, match=message):
        create_model("mobilenet_0.25", None, **options)


@pytest.mark.parametrize("name", ["inceptionv3", "inceptionresnetv2", "xception", "vgg16", "nasnetmobile"])
def test_min_size_is_what_keras_demands(name):
    spec = registry.get(name)
    with pytest.raises(UsageError, match=f"at least {spec.min_size} pixels"):
        create_model(name, None, input_shape=(spec.min_size - 1,) * 2 + (3,))
    with pytest.raises(ValueError, match=f"at least {spec.min_size}x"):
        keras_s_own(spec, (spec.min_size - 1,) * 2 + (3,))


@pytest.mark.parametrize("file", ["new.weights.h5", "legacy.h5"])
def test_a_file_that_does_not_fit(small, file):
    _, folder = small
    with pytest.raises(WeightsError, match=rf"{file} does not fit mobilenet_0.50 as it was asked for"):
        create_model("mobilenet_0.50", folder / file, input_shape=(64, 64, 3))
    with pytest.raises(WeightsError, match=rf"{file} does not fit mobilenetv2"):
        create_model("mobilenetv2", folder / file, input_shape=(64, 64, 3))


def test_a_file_that_is_none(tmp_path):
    with pytest.raises(WeightsError, match=r"There is no file nothing.h5"):
        create_model("mobilenet_0.25", "nothing.h5")
    (tmp_path / "text.h5").write_text("hello")
    with pytest.raises(WeightsError, match=r"text\.h5"):
        create_model("mobilenet_0.25", tmp_path / "text.h5")


def test_an_unknown_tag():
    with pytest.raises(UsageError, match=r"mobilenet_0.25 has no weights 'cifar'"):
        create_model("mobilenet_0.25", "cifar")


def test_a_builder_that_is_not_there():
    with pytest.raises(UsageError.__mro__[1], match="builder of x, nowhere:Net, cannot be imported"):
        create_model(ModelSpec("x", "test", builder="nowhere:Net"), None)


def test_weights_are_found_in_the_cache(small, monkeypatch):
    """By the tag, from Keras's own folder, with the trunk alone from the file that has everything."""
    _, folder = small
    spec = registry.get("mobilenet_0.25")
    models = os.path.join(os.environ["KERAS_HOME"], "models")
    os.makedirs(models)
    os.symlink(folder / "legacy.h5", os.path.join(models, spec.weights["imagenet"].top.file))
    full = create_model("mobilenet_0.25", input_shape=(64, 64, 3))
    trunk = create_model("mobilenet_0.25", "imagenet", input_shape=(64, 64, 3), include_top=False)
    assert all(map(np.array_equal, full.get_weights()[:-2], trunk.get_weights()))


def test_load_weights_into_a_bare_network(small):
    model, folder = small
    spec = registry.get("mobilenet_0.25")
    bare, _ = keras_s_own(spec, (64, 64, 3))
    load_weights(bare, spec, folder / "legacy.h5")
    assert all(map(np.array_equal, bare.get_weights(), model.get_weights()))


@pytest.mark.real
def test_real_files(real_data):
    """The genuine files, in both layouts, say what the photograph shows."""
    import csv

    from PIL import Image

    with open(real_data / "imagenet200" / "labels.csv") as file:
        row = next(csv.DictReader(file))
    photo = Image.open(real_data / "imagenet200" / row["file"]).convert("RGB").resize((224, 224))
    files = {"mobilenet_0.25": "mobilenet_2_5_224_tf.h5", "mobilenetv2": "mobilenetv2_1.0_224.weights.h5"}
    for name, file in files.items():
        scores = predict(create_model(name, real_data / "weights" / file), np.asarray(photo)[None])[0]
        assert int(row["index"]) in scores.argsort()[-5:]
