"""Both engines give the same probabilities; a compiled form is made once, and again when anything changes."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import replace
from functools import partial

import numpy as np
import pytest

from tests.conftest import ROOT
from zoo import engines
from zoo.catalog import registry
from zoo.core import artifacts
from zoo.core.errors import UnavailableError, UsageError
from zoo.core.spec import Cut
from zoo.engines import devices, keras_engine
from zoo.engines import registry as registry_of_engines
from zoo.engines.base import EngineType, Options
from zoo.engines.openvino import batch_tuning, compiled_cache
from zoo.pretrained import weights as pretrained

SHIPPED = "cifar10-resnet9"
CPU, GPU = devices.Device("cpu", "cpu", "", None, None), devices.Device("gpu:0", "gpu", "", None, None)

#: One of each family, the smallest; every one of them is compared in the slow tests.
FAMILIES = {
    "convnext": "convnexttiny",
    "densenet": "densenet121",
    "efficientnet": "efficientnetb0",
    "efficientnetv2": "efficientnetv2b0",
    "inception": "inceptionv3",
    "inceptionresnet": "inceptionresnetv2",
    "mobilenet": "mobilenet_0.25",
    "mobilenetv2": "mobilenetv2_0.35",
    "mobilenetv3": "mobilenetv3small_0.75",
    "nasnet": "nasnetmobile",
    "resnet": "resnet50",
    "resnetv2": "resnet50v2",
    "vgg": "vgg16",
    "xception": "xception",
}

MAKE_AND_COMPARE = """
import sys
import numpy as np
from zoo import engines, models
from zoo.catalog import registry
from zoo.engines import devices
from zoo.pretrained import weights as pretrained
from pathlib import Path
from zoo.core.spec import WeightFile
import keras

def compare(name, path):
    spec = registry.get(name)
    keras.utils.set_random_seed(3)
    network = models.create_model(spec, weights=None)
    rng = np.random.default_rng(1)
    for layer in network.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            *gamma, beta, mean, variance = layer.get_weights()
            fresh = [rng.uniform(0.7, 1.3, array.shape) for array in gamma]
            layer.set_weights([*fresh, rng.normal(0, 0.1, beta.shape), rng.normal(0, 0.1, mean.shape),
                               rng.uniform(0.7, 1.3, variance.shape)])
    network.save_weights(path)
    found = pretrained.LocalWeights(path, "imported", True, spec, "imagenet", WeightFile(path.name))
    height, width = spec.input_size
    images = rng.integers(0, 256, (3, 1, 1, 3)) * rng.uniform(0.2, 1, (3, height, width, 1))
    images = images.astype("uint8")
    one, two = (
        next(engines.start(spec, found, devices.select("cpu"), engine=engine, batch_size=3).run([images]))
        for engine in ("openvino", "keras")
    )
    # Probabilities of random networks are all small; how much they differ among themselves is the measure.
    print(name, abs(one - two).max(), abs(one - two).max() / abs(two - two.mean()).max())

folder, *names = sys.argv[1:]
for name in names:
    compare(name, Path(folder) / f"{name}.weights.h5")
    keras.backend.clear_session()
"""


@pytest.fixture
def shipped():
    spec = registry.get(SHIPPED)
    return spec, pretrained.fetch(spec)


def replace_mirror(shipped):
    spec, found = shipped
    return replace(spec, mirror=False), found


def agree(names, folder):
    """That the engines agree on each of these networks: as it is, and against the spread of the probabilities."""
    done = subprocess.run(
        [sys.executable, "-c", MAKE_AND_COMPARE, str(folder), *names],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert done.returncode == 0, done.stderr[-2000:]
    compared = [line.split() for line in done.stdout.splitlines() if line.startswith(tuple(names))]
    assert [name for name, *_ in compared] == list(names)
    for name, difference, relative in compared:
        assert float(difference) < 1e-4, name
        assert float(relative) < 1e-3, name


def test_engines_agree_on_a_small_network(tmp_path):
    agree(["mobilenet_0.25"], tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("start", range(4))
def test_engines_agree_on_every_family(start, tmp_path):
    # Several in one process, because a framework takes longer to start than most networks to compare.
    agree(list(FAMILIES.values())[start::4], tmp_path)


def test_every_family_is_compared():
    assert {spec.family for spec in registry.list_models() if str(spec.builder).startswith("keras.")} == {
        registry.get(name).family for name in FAMILIES.values()
    }


def test_a_network_is_compiled_once(shipped):
    first = compiled_cache.ensure(*shipped)
    before = (first / "model.xml").stat().st_mtime_ns
    assert compiled_cache.ensure(*shipped) == first
    assert (first / "model.xml").stat().st_mtime_ns == before
    (entry,) = artifacts.entries("compiled")
    assert (entry.model, entry.folder) == (SHIPPED, first)
    assert entry.bytes > 1_000_000


def test_other_weights_make_another_form(shipped, tmp_path):
    spec, found = shipped
    one = compiled_cache.describe(spec, found)
    other = tmp_path / "other.weights.h5"
    other.write_bytes(found.path.read_bytes() + b" ")
    two = compiled_cache.describe(spec, pretrained.LocalWeights(other, "imported", True, spec, found.tag, found.file))
    assert one["weights_sha256"] != two["weights_sha256"]
    assert {key for key in one if one[key] != two[key]} == {"weights_sha256"}


def test_two_processes_compile_side_by_side(shipped):
    code = (
        "from zoo.pretrained import weights as pretrained; from zoo.catalog import registry;"
        "from zoo.engines.openvino import compiled_cache;"
        f"spec = registry.get('{SHIPPED}'); print(compiled_cache.ensure(spec, pretrained.fetch(spec)))"
    )
    running = [
        subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, cwd=ROOT) for _ in range(2)
    ]
    assert len({process.communicate()[0] for process in running}) == 1
    assert [process.returncode for process in running] == [0, 0]
    assert len(list(artifacts.entries("compiled"))) == 1
    assert not list(compiled_cache.folder().glob(".*"))


def test_a_cache_that_cannot_be_written_is_a_sentence(shipped, monkeypatch, tmp_path):
    (tmp_path / "file").touch()
    monkeypatch.setenv("ZOO_CACHE", str(tmp_path / "file"))
    with pytest.raises(UnavailableError, match="cannot be written"):
        compiled_cache.ensure(*shipped)


def test_short_batches_come_back_short(shipped):
    from zoo.engines.openvino.engine import OpenVinoEngine

    engine = OpenVinoEngine(*shipped, CPU, Options(batch_size=4))
    rng = np.random.default_rng(0)
    batches = [rng.integers(0, 256, (count, 32, 32, 3), dtype=np.uint8) for count in (4, 4, 1, 4, 3)]
    outputs = list(engine.run(batches))
    assert [len(output) for output in outputs] == [4, 4, 1, 4, 3]
    # The same images one by one: batches are independent and in order.
    single = OpenVinoEngine(*shipped, CPU, Options(single=True))
    alone = np.concatenate(list(single.run(batch[i : i + 1] for batch in batches for i in range(len(batch)))))
    assert np.abs(np.concatenate(outputs) - alone).max() < 1e-5
    assert np.abs(alone.sum(1) - 1).max() < 1e-5


def cut(shipped, **wanted):
    spec, found = shipped
    return replace(spec, cut=Cut(**wanted)), found


@pytest.mark.slow
def test_several_outputs_are_fields(shipped):
    first, second = (stage.layer for stage in shipped[0].stages[:2])
    wanted = {"layer": first, "pool": "avg", "beside": (second,), "probabilities": True}
    images = np.random.default_rng(0).integers(0, 256, (3, 32, 32, 3), dtype=np.uint8)
    (one,) = engines.start(*cut(shipped, **wanted), CPU, engine="openvino", batch_size=4).run([images])
    (two,) = engines.start(*cut(shipped, **wanted), CPU, engine="keras").run([images])
    assert one.dtype == two.dtype
    assert one.dtype.names == ("features", f"features_{second}", "probabilities")
    assert one.shape == two.shape == (3,)
    assert [one[name].shape for name in one.dtype.names] == [(3, 64), (3, 128), (3, 10)]
    for name in one.dtype.names:
        assert np.abs(one[name] - two[name]).max() < 1e-4
    # Its answer for an image is the mean over both views, also beside features.
    (answer,) = engines.start(*shipped, CPU, engine="openvino").run([images[:1]])
    assert np.abs(one["probabilities"][:1] - answer).max() < 1e-4
    (plain,) = engines.start(*cut(shipped, layer=first, pool="avg"), CPU, engine="openvino").run([images[:1]])
    assert plain.dtype == np.float32
    assert np.abs(plain - one["features"][:1]).max() < 1e-4


def test_a_layer_that_does_not_exist_is_what_was_asked_wrongly(shipped):
    with pytest.raises(UsageError, match=r"has no layer 'stag2_pool'. Did you mean 'stage2_pool"):
        engines.start(*cut(shipped, layer="stag2_pool"), CPU)
    assert not list(compiled_cache.folder().iterdir())


def test_another_compiled_form_can_be_run(shipped, tmp_path, monkeypatch):
    folder = compiled_cache.ensure(*shipped)
    shutil.copytree(folder, tmp_path / "form", ignore=shutil.ignore_patterns("blobs"))
    monkeypatch.setattr(compiled_cache, "ensure", None)
    engine = engines.start(*shipped, CPU, engine="openvino", folder=tmp_path / "form")
    assert engine.name == "openvino"
    (output,) = engine.run([np.zeros((1, 32, 32, 3), np.uint8)])
    assert output.shape == (1, 10)
    assert list((tmp_path / "form" / "blobs").iterdir())
    with pytest.raises(UsageError, match="runs on CPU, not on gpu:0"):
        engines.start(*shipped, GPU, engine="openvino", folder=tmp_path / "form")
    with pytest.raises(UsageError, match="keras runs no compiled network"):
        engines.start(*shipped, GPU, folder=tmp_path / "form")


def test_the_batch_size_is_measured_once_where_that_pays(shipped, monkeypatch):
    measured = []
    monkeypatch.setattr(
        batch_tuning, "measure", lambda start, size: measured.append(start(8).batch_size) or {1: 5, 8: 9}
    )
    start = partial(engines.start, *replace_mirror(shipped), CPU, engine="openvino")
    assert start().batch_size == 1
    assert start(at_least=lambda count: True).batch_size == 8
    assert start(at_least=lambda count: True).batch_size == start().batch_size == 8
    assert start(at_least=lambda count: True, batch_size=3).batch_size == 3
    assert start(single=True).batch_size == 1
    assert measured == [8]
    # What is known, or stated, is no reason to count images.
    for settings in ({}, {"batch_size": 3}, {"single": True}):
        start(at_least=partial(pytest.fail, "asked for nothing"), **settings)
    (blobs,) = {path.parent for path in compiled_cache.folder().rglob("*.blob")}
    assert sorted(path.name.split("-")[1] for path in blobs.glob("throughput-*.blob")) == ["1", "3", "8"]


def test_the_engine_follows_the_device():
    spec = registry.get(SHIPPED)
    assert engines.choose("auto", spec, CPU).name == "openvino"
    assert engines.choose("auto", spec, GPU).name == "keras"
    assert engines.choose("keras", spec, CPU).name == "keras"
    with pytest.raises(UsageError, match="--engine openvino runs on CPU, not on gpu:0; use --engine keras"):
        engines.choose("openvino", spec, GPU)
    with pytest.raises(UsageError, match=r"Expected --engine auto, keras, openvino\. Received: onnx"):
        engines.choose("onnx", spec, CPU)
    local = replace(spec, builder=lambda: None)
    assert engines.choose("auto", local, CPU).name == "keras"
    with pytest.raises(UsageError, match="function of this process, which openvino cannot compile; use --engine keras"):
        engines.choose("openvino", local, CPU)


def test_what_is_not_installed_is_not_chosen(monkeypatch):
    spec = registry.get(SHIPPED)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None if name == "openvino" else name)
    assert engines.choose("auto", spec, CPU).name == "keras"
    with pytest.raises(UnavailableError, match="pip install openvino"):
        engines.start(spec, None, CPU, engine="openvino")
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(UnavailableError, match="No engine for cpu is installed"):
        engines.choose("auto", spec, CPU)


def test_a_row_of_the_table_is_an_engine_everywhere(monkeypatch):
    """A new engine is chosen, started, offered by the command line and listed by its row alone."""

    class Fast:
        name, device, single, batch_size = "fast", "cpu", False, 2

        def __init__(self, spec, weights, device, options):
            assert options.threads == 3

        def run(self, batches):
            return (np.zeros((len(batch), 10), np.float32) for batch in batches)

    row = EngineType("fast", "very fast", f"{__name__}:fast_engine", "numpy", ("cpu",))
    monkeypatch.setitem(globals(), "fast_engine", Fast)
    monkeypatch.setattr(registry_of_engines, "ENGINES", {"fast": row, **engines.ENGINES})
    monkeypatch.setattr(registry_of_engines, "CHOICES", ("auto", "fast"))
    spec = replace(registry.get(SHIPPED), mirror=False)
    assert engines.start(spec, None, CPU, threads=3).name == "fast"
    assert registry_of_engines.device_rows("cpu")[0]["engines"] == ["fast", "openvino", "keras"]


class HungryNetwork:
    """Runs out of memory on more than ``most`` images, in the words of a framework."""

    def __init__(self, most, words):
        self.most, self.words, self.batches = most, words, []

    def predict_on_batch(self, batch):
        if len(batch) > self.most:
            raise RuntimeError(self.words)
        self.batches.append(len(batch))
        return batch.reshape(len(batch), -1)[:, :2].astype("float32")


def hungry_engine(most, words="CUDA out of memory. Tried to allocate 2.00 GiB"):
    engine = object.__new__(keras_engine.KerasEngine)
    engine.device, engine.batch_size, engine.backend = "gpu:0", 16, "jax"
    engine._device = devices.Device("gpu:0", "gpu", "", None, None)
    engine._network = HungryNetwork(most, words)
    engine._spec = registry.get(SHIPPED)
    return engine


@pytest.mark.parametrize(
    "words", ["CUDA out of memory.", "RESOURCE_EXHAUSTED: Out of memory", "OOM when allocating tensor"]
)
def test_out_of_memory_halves_the_batch_and_says_so(words, caplog):
    engine = hungry_engine(5, words)
    batch = np.arange(16 * 4, dtype=np.uint8).reshape(16, 2, 2, 1)
    with caplog.at_level("WARNING", "zoo"):
        (output,) = engine.run([batch])
    assert np.array_equal(output, batch.reshape(16, -1)[:, :2])
    assert engine.batch_size == 4
    assert [record.getMessage() for record in caplog.records] == [
        "out of memory on gpu:0: the batch size is now 8",
        "out of memory on gpu:0: the batch size is now 4",
    ]


def test_out_of_memory_on_one_image_is_a_sentence():
    with pytest.raises(UnavailableError, match="too little memory for one image"):
        list(hungry_engine(0).run([np.zeros((2, 2, 2, 1), np.uint8)]))


def test_other_errors_are_not_taken_for_memory():
    engine = hungry_engine(1, "shapes do not match")
    with pytest.raises(RuntimeError, match="shapes"):
        list(engine.run([np.zeros((2, 2, 2, 1), np.uint8)]))
    assert engine.batch_size == 16


def small_graph():
    """What Keras's export looks like: transpositions around everything, shared branches and both ends."""
    import openvino
    import openvino.opset13 as ops

    rng = np.random.default_rng(0)

    def turn(value, *order):
        return ops.transpose(value, ops.constant(np.array(order)))

    def convolution(x, inputs, outputs):
        kernel = ops.constant(rng.normal(size=(outputs, inputs, 3, 3)).astype("float32"))
        x = ops.convolution(turn(x, 0, 3, 1, 2), kernel, [1, 1], [0, 0], [0, 0], [1, 1])
        return turn(x, 0, 2, 3, 1)

    image = ops.parameter([-1, 9, 7, 3], np.float32, name="image")
    x = ops.add(convolution(image, 3, 4), ops.constant(rng.normal(size=4).astype("float32")))
    x = ops.relu(x)
    padded = ops.pad(x, ops.constant([0, 1, 1, 0]), ops.constant([0, 1, 1, 0]), "constant")
    x = ops.add(x, ops.swish(convolution(padded, 4, 4)))
    x = ops.concat([x, ops.multiply(x, ops.constant(np.float32(0.5)))], 3)
    weights = [ops.constant(rng.uniform(0.5, 1, 8).astype("float32")) for _ in range(4)]
    x = turn(ops.batch_norm_inference(turn(x, 0, 3, 2, 1), *weights, 1e-3), 0, 3, 2, 1)
    mean = ops.reduce_mean(x, ops.constant([1, 2]), keep_dims=False)
    largest = ops.reduce_max(x, ops.constant([1]), keep_dims=True)
    return openvino.Model([mean, largest, x], [image], "small")


def test_taking_transpositions_out_changes_nothing():
    import openvino

    from zoo.engines.openvino import nchw

    graph = small_graph()
    before = nchw._count(graph)
    rewritten = nchw.to_nchw(graph)
    assert nchw._count(rewritten) <= 3 < before
    image = np.random.default_rng(1).normal(size=(2, 9, 7, 3)).astype("float32")
    settings = {"INFERENCE_PRECISION_HINT": "f32"}
    core = openvino.Core()
    for one, two in zip(
        core.compile_model(graph, "CPU", settings)([image]).values(),
        core.compile_model(rewritten, "CPU", settings)([image]).values(),
        strict=True,
    ):
        assert one.shape == two.shape
        assert np.abs(one - two).max() < 1e-5


def test_what_does_not_compile_runs_in_keras_and_this_is_said(shipped, monkeypatch, caplog):
    def fail(*_):
        raise UnavailableError("It cannot be compiled.")

    monkeypatch.setattr(compiled_cache, "ensure", fail)
    with caplog.at_level("WARNING", "zoo"):
        assert engines.start(*shipped, CPU, engine="auto").name == "keras"
    assert [record.getMessage() for record in caplog.records] == [
        "It cannot be compiled. The engine keras runs it instead."
    ]
    with pytest.raises(UnavailableError, match="cannot be compiled"):
        engines.start(*shipped, CPU, engine="openvino")
