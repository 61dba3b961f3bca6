"""Files carried by hand: what fits is copied and used, what does not is named layer by layer."""

from __future__ import annotations

import hashlib
import json
import os
import pickle
import shutil
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import h5py
import numpy as np
import pytest

from zoo.catalog import inventory, registry
from zoo.core import atomic
from zoo.core.errors import UsageError, WeightsError
from zoo.core.spec import ModelSpec, Preprocessing, Resize, WeightFile, Weights
from zoo.models import import_weights
from zoo.models.matching import describe
from zoo.pretrained import digests
from zoo.pretrained import weights as pretrained
from zoo.pretrained.sources import imported

if TYPE_CHECKING:
    import keras

DATA = Path(os.environ.get("ZOO_TEST_DATA") or Path(__file__).parents[3] / "shared" / "data") / "weights"


@pytest.fixture(autouse=True)
def folders(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Folders of this test alone, and a registry without networks to which a file could belong instead."""
    monkeypatch.setattr(registry, "list_models", lambda: [])
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    monkeypatch.setenv("ZOO_CACHE", str(tmp_path / "zoo"))
    for name in ("ZOO_CACHE_PATH", "ZOO_OFFLINE", "ZOO_WEIGHTS_MIRROR"):
        monkeypatch.delenv(name, raising=False)
    digests._memory.clear()


def build_small(
    input_shape: tuple[int, int, int] = (32, 32, 3),
    include_top: bool = True,
    classes: int = 7,
    width: int = 4,
    extra: bool = False,
    **_: Any,
) -> keras.Model:
    """Two convolutions with normalisation, one of them in a nested model, and a classifier with dropout."""
    import keras

    inputs = keras.Input(input_shape)
    x = keras.layers.Conv2D(width, 3, name="first")(inputs)
    x = keras.layers.BatchNormalization(name="first_bn")(x)
    if extra:
        x = keras.layers.Conv2D(width, 1, name="between")(x)
    inner = [keras.layers.Conv2D(2 * width, 3, name="second"), keras.layers.BatchNormalization(name="second_bn")]
    x = keras.Sequential(inner, name="block")(x)
    if include_top:
        x = keras.layers.GlobalAveragePooling2D(name="pool")(x)
        x = keras.layers.Dropout(0.5, name="dropout")(x)
        x = keras.layers.Dense(classes, name="predictions")(x)
    return keras.Model(inputs, x)


def make_spec(builder: Callable[..., Any] = build_small, **fields: Any) -> ModelSpec:
    return ModelSpec("small", "test", builder=builder, resize=Resize(32, 32), classes=7, **fields)


def randomize(model: keras.Model) -> keras.Model:
    """Give every weight another value than the one it began with."""
    random = np.random.default_rng(0)
    model.set_weights([random.normal(size=weight.shape) for weight in model.get_weights()])
    return model


def save(model: keras.Model, path: Path) -> Path:
    """Save weights in the layout that ``path`` means, the legacy one included."""
    randomize(model)
    if path.suffix == ".keras":
        model.save(path)
    elif path.name.endswith(".weights.h5"):
        model.save_weights(path)
    else:
        write_legacy(model, path)
    return path


def write_legacy(model: keras.Model, path: Path, *, rename: Callable[[str], str] = str) -> None:
    """The HDF5 layout of Keras 1 and 2, written by hand because Keras 3 only reads it."""
    with h5py.File(path, "w") as file:
        file.attrs["layer_names"] = [rename(layer.name).encode() for layer in model.layers]
        for layer in model.layers:
            group = file.create_group(rename(layer.name))
            weights = [*layer.trainable_weights, *layer.non_trainable_weights]
            names = [f"{rename(layer.name)}/{index}_{weight.name}:0" for index, weight in enumerate(weights)]
            group.attrs["weight_names"] = [name.encode() for name in names]
            for name, weight in zip(names, weights, strict=True):
                group.create_dataset(name, data=np.asarray(weight.value))


def loaded(found: pretrained.LocalWeights) -> list[np.ndarray]:
    from zoo import models

    include_top = found.has_top
    network = models.create_model(found.spec, weights=found.path, preprocessing=False, include_top=include_top)
    return network.get_weights()  # type: ignore[no-any-return]


# Files that fit.


@pytest.mark.parametrize("include_top", [True, False], ids=["top", "no top"])
@pytest.mark.parametrize("name", ["a.h5", "a.weights.h5", "a.keras"])
def test_every_format_reaches_the_network(tmp_path: Path, name: str, include_top: bool) -> None:
    model = build_small(include_top=include_top)
    source = save(model, tmp_path / name)
    before = source.read_bytes()
    assert import_weights.check(source, make_spec()) == []

    found = import_weights.import_file(source, make_spec())
    assert (found.origin, found.has_top, found.tag) == ("imported", include_top, "imagenet")
    assert found.path.parent == tmp_path / "zoo" / "weights" / "small"
    for ours, theirs in zip(loaded(found), model.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    assert source.read_bytes() == before
    assert pretrained.fetch(make_spec(), include_top=include_top, offline=True).path == found.path
    assert (pretrained.find(make_spec()) is not None) == include_top

    record = json.loads(imported.record_file("small", "imagenet", include_top).read_text())
    assert record["source"] == name and record["source_sha256"] == hashlib.sha256(before).hexdigest()
    assert record["sha256"] == digests.digest(found.path) and record["has_top"] == include_top
    # Nothing temporary stays.
    assert len(list(found.path.parent.iterdir())) == 2


def arrays_of(model: keras.Model) -> dict[str, np.ndarray]:
    """Every weight by the names of its layer and its own, those of nested layers too."""
    leaves = [inner for layer in model.layers for inner in getattr(layer, "layers", [layer])]
    return {f"{layer.name}/{weight.name}": np.asarray(weight.value) for layer in leaves for weight in layer.weights}


def save_arrays(arrays: dict[str, np.ndarray], path: Path) -> Path:
    """As an archive, or as a dictionary by layer with Caffe's names."""
    if path.suffix == ".npz":
        np.savez(path, **arrays)  # type: ignore[arg-type]
    else:
        nested: dict[str, Any] = {}
        for name, array in arrays.items():
            layer, _, weight = name.partition("/")
            theirs = {"kernel": "weights", "bias": "biases", "gamma": "scale", "beta": "offset"}
            nested.setdefault(layer, {})[theirs.get(weight, weight.removeprefix("moving_"))] = array
        np.save(path, nested, allow_pickle=True)  # type: ignore[arg-type]
    return path


@pytest.mark.parametrize("include_top", [True, False], ids=["top", "no top"])
@pytest.mark.parametrize("name", ["a.npz", "a.npy"])
def test_arrays_by_name_become_a_file_of_keras(tmp_path: Path, name: str, include_top: bool) -> None:
    model = randomize(build_small(include_top=include_top))
    arrays = arrays_of(model)
    # The order of a file and the name of the classifier are its writer's own.
    if include_top:
        arrays |= {f"fc8/{weight}": arrays.pop(f"predictions/{weight}") for weight in ("bias", "kernel")}
    source = save_arrays(dict(reversed(arrays.items())), tmp_path / name)
    before = source.read_bytes()
    assert import_weights.check(source, make_spec()) == []

    found = import_weights.import_file(source, make_spec())
    assert found.has_top == include_top and found.path.name.endswith(".weights.h5")
    with h5py.File(found.path) as file:
        assert "layers" in file
    for ours, theirs in zip(loaded(found), model.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs.astype("float32"))
    assert source.read_bytes() == before
    assert pretrained.fetch(make_spec(), include_top=include_top, offline=True).path == found.path
    record = json.loads(imported.record_file("small", "imagenet", include_top).read_text())
    assert (record["source"], record["format"]) == (name, "keras3")
    assert record["sha256"] == digests.digest(found.path)
    assert len(list(found.path.parent.iterdir())) == 2


@pytest.mark.parametrize("name", ["a.npz", "a.npy"])
def test_arrays_of_other_shapes_and_names_are_named(tmp_path: Path, name: str) -> None:
    arrays = arrays_of(build_small())
    arrays["first/kernel"] = arrays["first/kernel"].transpose(3, 2, 0, 1)
    lines = describe(import_weights.check(save_arrays(arrays, tmp_path / name), make_spec()))
    assert lines == ["first/kernel: file 4×3×3×3, network 3×3×3×4"]

    arrays = arrays_of(build_small())
    arrays = {key.replace("second_bn", "norm").replace("first", "conv1"): value for key, value in arrays.items()}
    source = save_arrays(arrays, tmp_path / name)
    lines = describe(import_weights.check(source, make_spec(), include_top=True))
    assert lines == [
        "3 layers are missing in the file: first, first_bn, second_bn",
        "the file has 3 layers that the network has not: conv1, conv1_bn, norm",
    ]
    with pytest.raises(WeightsError, match="does not fit small"):
        import_weights.import_file(source, make_spec())
    assert [path for path in (tmp_path / "zoo" / "weights").rglob("*") if path.is_file()] == []


@pytest.mark.parametrize("name", ["a.npz", "a.npy"])
def test_networks_are_built_from_arrays(tmp_path: Path, name: str) -> None:
    """Without an import: whole, without the classifier, with another one, and not where they do not fit."""
    from zoo import models

    model = randomize(build_small())
    source = save_arrays(arrays_of(model), tmp_path / name)
    weights = [weight.astype("float32") for weight in model.get_weights()]
    for options, count in (({}, 12), ({"include_top": False}, 10), ({"num_classes": 3}, 10)):
        network = models.create_model(make_spec(), source, **options)  # type: ignore[arg-type]
        for ours, theirs in list(zip(network.get_weights(), weights, strict=False))[:count]:
            np.testing.assert_array_equal(ours, theirs)
    with pytest.raises(
        WeightsError, match=r"as it was asked for: first/kernel: file 3×3×3×4, network 3×3×3×5; first_bn/"
    ):
        models.create_model(replace(make_spec(), arguments=MappingProxyType({"width": 5})), source)
    arrays = arrays_of(model) | {"more/kernel": np.zeros(3)}
    with pytest.raises(WeightsError, match="the file has a layer that the network has not: more"):
        models.create_model(make_spec(), save_arrays(arrays, tmp_path / name))


def test_layers_of_other_names_are_taken_in_order(tmp_path: Path) -> None:
    model = randomize(build_small())
    write_legacy(model, tmp_path / "a.h5", rename=lambda name: f"{name}_17")
    found = import_weights.import_file(tmp_path / "a.h5", make_spec())
    np.testing.assert_array_equal(loaded(found)[0], model.get_weights()[0])


@pytest.mark.parametrize(("layout", "name"), [("a.h5", "b.weights.h5"), ("a.weights.h5", "b.h5"), ("a.keras", "b.h5")])
def test_a_misleading_name_does_not_matter(tmp_path: Path, layout: str, name: str) -> None:
    source = save(build_small(), tmp_path / layout).rename(tmp_path / name)
    assert loaded(import_weights.import_file(source, make_spec()))


def test_long_lists_of_names_cut_into_pieces(tmp_path: Path) -> None:
    source = save(build_small(), tmp_path / "a.h5")
    with h5py.File(source, "r+") as file:
        names = list(file.attrs["layer_names"])
        del file.attrs["layer_names"]
        file.attrs["layer_names0"], file.attrs["layer_names1"] = names[:2], names[2:]
    assert import_weights.check(source, make_spec()) == []


def test_a_new_import_replaces_the_old_one(tmp_path: Path) -> None:
    first = import_weights.import_file(save(build_small(), tmp_path / "a.h5"), make_spec())
    model = randomize(build_small())
    model.set_weights([weight + 1 for weight in model.get_weights()])
    model.save_weights(tmp_path / "b.weights.h5")
    second = import_weights.import_file(tmp_path / "b.weights.h5", make_spec())
    assert not first.path.exists() and second.path.exists()
    found = pretrained.find(make_spec())
    assert found and found.path == second.path
    assert [entry.path for entry in inventory.cached([make_spec()])] == [second.path]


def test_a_tag_of_ones_own(tmp_path: Path) -> None:
    source = save(build_small(), tmp_path / "a.h5")
    assert import_weights.import_file(source, make_spec(), "mine").tag == "mine"
    assert pretrained.find(make_spec()) is None and pretrained.find(make_spec(), "mine") is not None
    for tag in ("../up", "", ".hidden", "a b"):
        if tag:
            with pytest.raises(UsageError, match="A tag is made of"):
                import_weights.import_file(source, make_spec(), tag)


def test_an_official_file_goes_where_keras_looks_for_it(tmp_path: Path) -> None:
    source = save(build_small(), tmp_path / "carried.h5")
    file = WeightFile("official.h5", md5=hashlib.md5(source.read_bytes()).hexdigest())
    spec = make_spec(weights=MappingProxyType({"imagenet": Weights("imagenet", top=file)}))
    found = import_weights.import_file(source, spec)
    assert (found.path, found.origin) == (tmp_path / "keras" / "models" / "official.h5", "keras")
    assert found.path.read_bytes() == source.read_bytes()
    assert pretrained.fetch(spec, offline=True).path == found.path
    assert import_weights.import_file(source, spec).path == found.path
    assert [path.name for path in found.path.parent.iterdir()] == ["official.h5"]


# Files that do not fit.


@pytest.mark.parametrize("name", ["a.h5", "a.weights.h5"])
def test_other_shapes_are_listed_layer_by_layer(tmp_path: Path, name: str) -> None:
    source = save(build_small(width=8, classes=5), tmp_path / name)
    lines = describe(import_weights.check(source, make_spec()))
    assert lines[0] == "first/kernel: file 3×3×3×8, network 3×3×3×4"
    assert "first_bn/gamma: file 8, network 4" in lines
    assert lines[-1] == "predictions/kernel: file 16×5, network 8×7"
    with pytest.raises(WeightsError, match=r"a.* does not fit small:\n  first/kernel: file 3×3×3×8, network 3×3×3×4\n"):
        import_weights.import_file(source, make_spec())
    assert [path for path in (tmp_path / "zoo" / "weights").rglob("*") if path.is_file()] == []


@pytest.mark.parametrize("name", ["a.h5", "a.weights.h5"])
def test_layers_too_many_and_too_few_are_named(tmp_path: Path, name: str) -> None:
    def build_more(**options: Any) -> keras.Model:
        return build_small(**options, extra=True)

    found = import_weights.check(save(build_more(), tmp_path / name), make_spec())
    assert describe(found) == ["the file has a layer that the network has not: between"]
    found = import_weights.check(save(build_small(), tmp_path / name), make_spec(build_more))
    assert describe(found) == ["layer between is missing in the file"]


def test_asking_for_the_classifier_that_a_file_has_not(tmp_path: Path) -> None:
    source = save(build_small(include_top=False), tmp_path / "a.h5")
    assert describe(import_weights.check(source, make_spec(), include_top=True)) == [
        "layer predictions is missing in the file"
    ]
    assert import_weights.check(source, make_spec(), include_top=False) == []


def test_long_descriptions_are_cut_short() -> None:
    found = [import_weights.Mismatch(f"layer{n}", "kernel", (1,), (2,)) for n in range(30)]
    found += [import_weights.Mismatch(f"lost{n}") for n in range(30)]
    lines = describe(found)
    assert len(lines) == 10 and lines[8] == "and 22 more layers of other shapes"
    assert lines[9] == "30 layers are missing in the file: lost0, lost1, lost2, lost3, lost4, and 25 more"


def test_the_network_to_which_it_belongs_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = build_small(width=8)
    source = save(model, tmp_path / "a.h5")
    wide = replace(make_spec(), name="wide", params=model.count_params())
    monkeypatch.setattr(registry, "list_models", lambda: [make_spec(), wide])
    with pytest.raises(WeightsError, match="does not fit small, but has as many parameters as wide:"):
        import_weights.import_file(source, make_spec())
    file = WeightFile("w.h5", md5=hashlib.md5(source.read_bytes()).hexdigest())
    wide = replace(wide, weights=MappingProxyType({"imagenet": Weights("imagenet", top=file)}))
    with pytest.raises(WeightsError, match=r"but it is the official file of wide \(--as wide\):"):
        import_weights.import_file(source, make_spec())


def test_values_that_do_not_reach_the_network_are_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:

    source = save(build_small(), tmp_path / "a.h5")
    monkeypatch.setattr("zoo.models.loading.load_weights", lambda *args, **kwargs: None)
    with pytest.raises(WeightsError, match="its values do not reach the layer first"):
        import_weights.import_file(source, make_spec())
    assert pretrained.find(make_spec()) is None


# Files that are no weights.


def test_files_that_are_no_weights_of_keras(tmp_path: Path) -> None:
    class Bomb:
        def __reduce__(self) -> tuple[Any, ...]:
            return os.system, (f"touch {tmp_path / 'exploded'}",)

    bomb: Any = np.array([Bomb()])
    cases: dict[str, tuple[Callable[[Path], object], str]] = {
        "empty.h5": (lambda path: path.touch(), "no file of weights"),
        "text.h5": (lambda path: path.write_text("<html>"), "no file of weights"),
        "model.pt": (lambda path: path.write_bytes(pickle.dumps(Bomb())), "no file of weights"),
        "arrays.npz": (lambda path: np.savez(path, a=np.zeros(3)), "an array called 'a', which names no layer"),
        "array.npy": (lambda path: np.save(path, np.zeros(3)), "a single array of float64"),
        "objects.npy": (lambda path: np.save(path, bomb, allow_pickle=True), "asks for posix.system"),
        "objects.npz": (lambda path: np.savez(path, **{"first/kernel": bomb}), "an array of object"),
        "folder.h5": (lambda path: path.mkdir(), "is no file"),
        "absent.h5": (lambda path: None, "There is no file"),
        "other.h5": (lambda path: h5py.File(path, "w").create_dataset("x", data=[1]).file.close(), "not one of Keras"),
        "config.keras": (
            lambda path: zipfile.ZipFile(path, "w").writestr("config.json", "{}"),
            "without model.weights",
        ),
    }
    for name, (make, message) in cases.items():
        make(tmp_path / name)
        for action in (import_weights.check, import_weights.import_file):
            with pytest.raises(WeightsError, match=message) as caught:
                action(tmp_path / name, make_spec())
            assert str(caught.value).count("\n") == 0
            assert str(tmp_path / name) in str(caught.value)
    assert not (tmp_path / "exploded").exists()


@pytest.mark.parametrize("name", ["a.h5", "a.weights.h5", "a.keras", "a.npz", "a.npy"])
@pytest.mark.parametrize("keep", [0.3, 0.9])
def test_truncated_files_are_named(tmp_path: Path, name: str, keep: float) -> None:
    model = build_small(width=32)
    source = save_arrays(arrays_of(model), tmp_path / name) if "np" in name else save(model, tmp_path / name)
    data = source.read_bytes()
    source.write_bytes(data[: int(keep * len(data))])
    with pytest.raises(WeightsError, match="damaged"):
        import_weights.import_file(source, make_spec())
    assert [path for path in (tmp_path / "zoo").rglob("*") if path.is_file()] == []


def test_files_that_point_to_other_files_are_refused(tmp_path: Path) -> None:
    secret = save(build_small(), tmp_path / "secret.h5")
    source = tmp_path / "a.h5"
    for link in ("array", "layer", "raw"):
        shutil.copy(secret, source)
        with h5py.File(source, "r+") as file:
            name = f"first/{next(iter(file['first/first']))}"
            path, shape = f"first/{name}", file[f"first/{name}"].shape
            if link == "layer":
                del file["first"]
                file["first"] = h5py.ExternalLink("secret.h5", "/first")
            else:
                del file[path]
                if link == "array":
                    file[path] = h5py.ExternalLink("secret.h5", f"/{path}")
                else:
                    file.create_dataset(path, shape, "f4", external=[(str(secret), 0, 4 * int(np.prod(shape)))])
        with pytest.raises(WeightsError, match="in another file, which zoo does not follow"):
            import_weights.check(source, make_spec())


def test_full_disk_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = save(build_small(), tmp_path / "a.h5")
    usage = shutil.disk_usage(tmp_path)._replace(free=atomic.MARGIN)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage)
    with pytest.raises(WeightsError, match="is full"):
        import_weights.import_file(source, make_spec())
    assert [path for path in (tmp_path / "zoo").rglob("*") if path.is_file()] == []


def test_cache_that_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = save(build_small(), tmp_path / "a.h5")
    (tmp_path / "file").touch()
    monkeypatch.setenv("ZOO_CACHE", str(tmp_path / "file"))
    with pytest.raises(WeightsError, match="cannot be written"):
        import_weights.import_file(source, make_spec())


# The real files.


def real(name: str) -> Path:
    path = DATA / name
    if not path.is_file():
        pytest.skip(f"{path} is not there; set ZOO_TEST_DATA to the folder that has weights/{name}")
    return path


MOBILENET = ModelSpec(
    "mobilenet_0.25",
    "MobileNet",
    builder="keras.applications:MobileNet",
    arguments=MappingProxyType({"alpha": 0.25}),
    params=475_544,
    preprocessing=Preprocessing("tf"),
)
MOBILENET_V2 = ModelSpec("mobilenetv2", "MobileNetV2", builder="keras.applications:MobileNetV2", params=3_538_984)


@pytest.mark.parametrize(
    ("name", "spec"),
    [("mobilenet_2_5_224_tf.h5", MOBILENET), ("mobilenetv2_1.0_224.weights.h5", MOBILENET_V2)],
    ids=["legacy", "keras 3"],
)
def test_real_files(name: str, spec: ModelSpec) -> None:
    source = real(name)
    assert import_weights.check(source, spec, include_top=True) == []
    found = import_weights.import_file(source, spec)
    assert found.has_top and digests.digest(found.path) == digests.digest(source)
    fetched = pretrained.fetch(spec, offline=True, include_top=False)
    assert fetched.path == found.path and fetched.has_top


@pytest.mark.parametrize("name", ["mobilenet_2_5_224_tf.h5", "mobilenetv2_1.0_224.weights.h5"])
def test_real_files_for_another_network(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "list_models", lambda: [MOBILENET, MOBILENET_V2])
    right, wrong = (MOBILENET, MOBILENET_V2) if "2_5" in name else (MOBILENET_V2, MOBILENET)
    with pytest.raises(WeightsError) as caught:
        import_weights.import_file(real(name), wrong)
    first, *lines = str(caught.value).splitlines()
    assert first.endswith(f"{name} does not fit {wrong.name}, but has as many parameters as {right.name}:")
    assert "kernel: file 3×3×3×" in lines[0] and len(lines) <= 11
