"""From a file to a Keras model: shapes, options, names, and Keras's objections as sentences with a line."""

import json

import numpy as np
import pytest
from hypothesis import given, settings

from tests.catalog.declarative.test_fuzz import GOOD
from zoo.catalog import declarative, registry
from zoo.catalog.declarative import signatures
from zoo.core.errors import UsageError

NET = """\
name: little
input: 12
classes: 4
preprocessing: {order: grey, mean: 100, std: 50}
variables: {width: 8}
layers:
  - stage:
      name: stage1
      layers:
        - Conv2D: {filters: $width, kernel_size: 3, padding: same, kernel_initializer: {HeNormal: {seed: 1}}}
        - BatchNormalization
        - ReLU
        - MaxPooling2D
  - residual:
      layers: [Conv2D: {filters: $width, kernel_size: 3, padding: same, kernel_regularizer: {L2: 0.5}}]
      shortcut: [Conv2D: [$width, 1]]
  - parallel: [[Conv2D: [2, 1]], [], [AveragePooling2D: [3, 1, same]]]
  - LocalResponseNormalization: {depth_radius: 2, name: norm}
  - head:
      - GlobalAveragePooling2D: {name: avg_pool}
      - Dense: {units: $classes, activation: softmax}
"""


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "little.yaml"
    path.write_text(NET)
    return path


@pytest.fixture
def create():
    from zoo.models import create_model

    return create_model


def test_a_network_by_its_path(file, create):
    model = create(file, None)
    assert model.input_shape == (None, 12, 12, 3)
    assert model.output_shape == (None, 4)
    assert model.name == "little"
    convolutions = 8 * 9 + 8 + 8 * 4 + (8 * 8 * 9 + 8) + (8 * 8 + 8) + (8 * 2 + 2)
    assert model.count_params() == convolutions + (2 + 8 + 8) * 4 + 4
    answer = model.predict(np.full((2, 12, 12, 3), 128, "uint8"), verbose=0)
    assert np.allclose(answer.sum(axis=1), 1, atol=1e-5)
    assert [layer.name for layer in model.layers if layer.weights] == [
        "stage1_conv2d",
        "stage1_batch_normalization",
        "conv2d",
        "conv2d_1",
        "conv2d_2",
        "predictions",
    ]
    assert model.get_layer("norm").output.shape == (None, 6, 6, 18)
    assert model.get_layer("conv2d").kernel_regularizer.l2 == pytest.approx(0.5)


def test_names_do_not_meet_those_of_operations(tmp_path, create):
    """The grey preprocessing and local response normalisation add, multiply and so on, in a process that began anew."""
    import keras

    keras.backend.clear_session()
    path = tmp_path / "net.yaml"
    path.write_text(
        "input: 8\nclasses: 2\npreprocessing: grey\nlayers:\n  - ReLU: {name: a}\n  - residual: [ELU]\n"
        "  - LocalResponseNormalization: {name: n}\n  - Multiply: {inputs: [a, n]}\n    name: b\n"
        "  - Add: {inputs: [a, b]}\n  - Flatten\n  - Dense: [$classes, softmax]\n"
    )
    assert create(path, None).output_shape == (None, 2)


def test_options_of_create_model(file, create):
    path = str(file)
    assert create(path, None, num_classes=7).output_shape == (None, 7)
    assert create(path, None, include_top=False).output_shape == (None, 6, 6, 18)
    assert create(path, None, include_top=False, pooling="max").output_shape == (None, 18)
    assert create(path, None, preprocessing=False).input_shape == (None, 12, 12, 1)
    assert create(path, None, input_shape=(20, 16, 3)).input_shape == (None, 20, 16, 3)
    assert create(path, None).get_layer("predictions").activation.__name__ == "softmax"
    assert create(path, None, classifier_activation=None).get_layer("predictions").activation.__name__ == "linear"


def test_variables_of_a_spec(file, create):
    spec = registry.with_variables(registry.get(str(file)), {"width": 16})
    assert create(spec, None).get_layer("stage1_conv2d").filters == 16
    with pytest.raises(UsageError, match=r"has no variable 'widht'\. Did you mean 'width"):
        registry.with_variables(spec, {"widht": 16})


def test_the_arithmetic_of_the_preprocessing(file, create):
    spec = registry.get(file)
    pixels = np.random.default_rng(0).integers(0, 256, (1, 12, 12, 3), dtype="uint8")
    raw, bare = create(file, None), create(file, None, preprocessing=False)
    bare.set_weights(raw.get_weights())
    prepared = spec.preprocessing.apply(pixels)
    assert np.allclose(raw.predict(pixels, verbose=0), bare.predict(prepared, verbose=0), atol=1e-5)


@pytest.mark.slow
def test_plain_keras_opens_what_was_saved(file, create, tmp_path):
    import subprocess
    import sys

    model = create(file, None)
    model.save(tmp_path / "saved.keras")
    pixels = np.random.default_rng(0).integers(0, 256, (3, 12, 12, 3)).astype("float32")
    np.save(tmp_path / "pixels.npy", pixels)
    code = (
        "import keras, sys, numpy as np\n"
        "model = keras.models.load_model('saved.keras')\n"
        "np.save('answer.npy', model.predict(np.load('pixels.npy'), verbose=0))\n"
        "assert not [name for name in sys.modules if name.split('.')[0] == 'zoo']"
    )
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=True, capture_output=True)
    assert np.allclose(np.load(tmp_path / "answer.npy"), model.predict(pixels, verbose=0), atol=1e-5)


def test_the_last_layer_computes_in_float32_under_mixed_precision(file, create):
    import keras

    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        model = create(file, None)
        assert model.get_layer("stage1_conv2d").compute_dtype == "bfloat16"
        assert model.get_layer("predictions").compute_dtype == "float32"
    finally:
        keras.config.set_dtype_policy("float32")


def test_a_network_that_is_no_classifier(tmp_path, create):
    path = tmp_path / "auto.yaml"
    path.write_text(
        "input: 8\nclasses: 0\npreprocessing: grey\nlayers:\n  - stage: {name: code, layers: [MaxPooling2D: 4]}\n"
        "  - head: [UpSampling2D: 4, Conv2D: {filters: 1, kernel_size: 3, padding: same, name: picture}]\n"
    )
    assert create(path, None).output_shape == (None, 8, 8, 1)
    assert create(path, None, include_top=False).output_shape == (None, 2, 2, 1)
    with pytest.raises(UsageError, match="describes no classifier"):
        create(path, None, num_classes=3)


def test_attention_takes_one_tensor_as_its_own_query_and_value(tmp_path, create):
    path = tmp_path / "attention.yaml"
    path.write_text(
        "input: 8\nclasses: 3\nlayers:\n  - Reshape: [[64, 3]]\n  - MultiHeadAttention: {num_heads: 2, key_dim: 4}\n"
        "  - Attention\n  - Bidirectional: {GRU: 5}\n  - Dense: [$classes, softmax]\n"
    )
    assert create(path, None).output_shape == (None, 3)


def refused(tmp_path, create, layers, **options):
    path = tmp_path / "net.yaml"
    path.write_text("input: 12\nclasses: 4\nlayers:\n" + layers)
    with pytest.raises(UsageError) as error:
        create(path, None, **options)
    message = str(error.value)
    assert message.isprintable(), message
    assert "\x1b" not in message
    return message.partition("net.yaml")[2]


HEAD = "  - head: [Flatten, Dense: [$classes, softmax]]\n"


@pytest.mark.parametrize(
    ("layers", "start", "reason"),
    [
        ("  - Conv2D: [8, 20]\n" + HEAD, ", line 4: Conv2D 'conv2d' does not fit an input of 12×12×3: ", "negative"),
        (
            "  - residual: [Conv2D: {filters: 8, kernel_size: 3, padding: same}]\n" + HEAD,
            ", line 4: Add 'residual' does not fit an input of 12×12×8 and 12×12×3: ",
            "shapes",
        ),
        ("  - Reshape: [[5, 5]]\n" + HEAD, ", line 4: Reshape 'reshape' does not fit an input of 12×12×3: ", "size"),
        ("  - ReLU\n  - Conv3D: [8, 3]\n" + HEAD, ", line 5: Conv3D 'conv3d' does not fit", "ndim"),
        ("  - Conv2D: {filters: 8, kernel_size: 3, groups: 2}\n" + HEAD, ", line 4: Conv2D 'conv2d'", "groups"),
        ("  - head: [Flatten, Dense: [5, softmax]]\n", ", line 4: Dense 'predictions' gives 5 where 4", "$classes"),
        ("  - head: [Dense: [4, softmax]]\n", ", line 4: Dense 'predictions' gives 12×12×4 where 4", "$classes"),
        ("  - Flatten\n  - Dense: 999999\n" + HEAD, ", line 5: Dense 'dense' on an input of 432", "too many"),
        ("  - Reshape: [[-1, 3]]\n  - LSTM: {units: 4, return_state: true}\n" + HEAD, ", line 5: LSTM 'lstm'", "more"),
    ],
)
def test_what_only_keras_sees(tmp_path, create, layers, start, reason):
    message = refused(tmp_path, create, layers)
    assert message.startswith(start)
    assert reason in message


def test_what_cannot_be_left_out_or_changed(tmp_path, create):
    last = "  - Flatten\n  - Dense: $classes\n  - Softmax\n"
    assert "has no head" in refused(tmp_path, create, last, include_top=False)
    assert "no layer with an activation" in refused(tmp_path, create, last, classifier_activation=None)


def test_what_is_no_layer_is_not_built(tmp_path, create, monkeypatch):
    monkeypatch.setattr(signatures, "_NOT_CLASSES", frozenset())
    signatures.names.cache_clear()
    message = refused(tmp_path, create, "  - InputSpec\n" + HEAD)
    signatures.names.cache_clear()
    assert message.startswith(", line 4: InputSpec 'input_spec'")
    assert "has no layer InputSpec" in message


@settings(deadline=None, max_examples=100)
@given(GOOD)
def test_documents_that_look_like_networks_build_or_give_a_sentence(tmp_path_factory, document):
    from zoo.models import create_model

    path = tmp_path_factory.mktemp("fuzz") / "net.yaml"
    path.write_text(json.dumps({**document, "input": 8}))
    try:
        spec = declarative.load(path)
        model = create_model(spec, None)
    except UsageError as error:
        assert "net.yaml" in str(error)
    else:
        assert model.count_params() >= 0
