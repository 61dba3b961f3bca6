"""From a name to a spec: spelling, wildcards, order, a user's own networks, plugins."""

import logging
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from zoo.catalog import files, registry
from zoo.core.errors import UsageError
from zoo.core.spec import ModelSpec, Preprocessing, Weights


@pytest.fixture(autouse=True)
def own_registry(monkeypatch):
    """Each test registers into a registry of its own, and has no folders of its own networks."""
    monkeypatch.setattr(registry, "_registered", {})
    monkeypatch.delenv("ZOO_CONFIG_PATH", raising=False)
    caches = (registry._names, files.own)
    for cached in caches:
        cached.cache_clear()
    yield
    for cached in caches:
        cached.cache_clear()


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("resnet50", "resnet50"),
        ("ResNet50", "resnet50"),
        ("RESNET50", "resnet50"),
        ("InceptionV3", "inceptionv3"),
        ("mobilenet_0.5", "mobilenet_0.50"),
        ("mobilenetv2_1.3", "mobilenetv2_1.30"),
        ("mobilenet_v2", "mobilenetv2"),
        ("ConvNeXtTiny", "convnexttiny"),
    ],
)
def test_names_and_aliases(typed, name):
    assert registry.get(typed).name == name


@pytest.mark.parametrize(
    ("typed", "meant"), [("resnet5", "resnet50"), ("inceptionv33", "inceptionv3"), ("moblenetv2", "mobilenetv2")]
)
def test_did_you_mean(typed, meant):
    with pytest.raises(UsageError, match=f"no model '{typed}'.*Did you mean .*{meant}"):
        registry.get(typed)


def test_no_suggestion_for_nonsense():
    with pytest.raises(UsageError) as error:
        registry.get("qqqqqqqq")
    assert "Did you mean" not in str(error.value)


def test_resolve_splits_the_tag():
    spec, tag = registry.resolve("resnet50:imagenet")
    assert (spec.name, tag) == ("resnet50", "imagenet")
    assert registry.resolve("resnet50")[1] is None
    with pytest.raises(UsageError, match=r"resnet50 has no weights 'cifar'. Its weights: imagenet"):
        registry.resolve("resnet50:cifar")


def names(*args, **kwargs):
    return [spec.name for spec in registry.list_models(*args, **kwargs)]


def test_natural_order():
    assert names("resnet*0*") == ["resnet50", "resnet50v2", "resnet101", "resnet101v2"]
    assert names("resnet1*") == ["resnet18", "resnet101", "resnet101v2", "resnet152", "resnet152v2"]
    assert names("mobilenet_0*") == ["mobilenet_0.25", "mobilenet_0.50", "mobilenet_0.75"]


def test_wildcards_and_parts():
    assert names("vgg1?") == ["vgg16", "vgg19"]
    assert names("VGG") == ["vgg16", "vgg19"]
    assert names("vgg1[6]") == ["vgg16"]
    assert names("nothing*") == []


def test_filters():
    assert names(family="VGG") == ["vgg16", "vgg19"]
    assert set(names(max_params=2_000_000)) >= {"mobilenet_0.25", "mobilenet_0.50", "mobilenetv2_0.35"}
    assert "vgg16" not in names(max_params=2_000_000)
    assert {"vgg", "resnet", "convnext"} <= set(registry.families())


def test_register_model():
    @registry.register_model(input_size=(48, 64), preprocessing="tf", aliases=["mine"], classes=7)
    def My_Net():  # noqa: N802 - how a person may write it
        return None

    spec = registry.get("my_net")
    assert spec.builder is My_Net
    assert spec.input_size == (48, 64)
    assert spec.classes == 7
    assert registry.get("mine") is spec
    assert "my_net" in names("my*")
    assert names(family="custom") == ["my_net"]


def test_a_registered_model_replaces_the_catalogue_s():
    registry.register_model("vgg16", preprocessing=Preprocessing("none"))(lambda: None)
    assert registry.get("vgg16").family == "custom"


@pytest.mark.parametrize("name", ["", "a b", "-x", "a/b", "a:b"])
def test_a_name_must_be_one_that_can_be_typed(name):
    with pytest.raises(UsageError, match="made of letters"):
        registry.register_model(name or "?")(lambda: None)


def test_unknown_preprocessing():
    with pytest.raises(UsageError, match="preprocessing is one of none, caffe, tf, torch, cifar10"):
        registry.register_model("x", preprocessing="coffee")(lambda: None)


def test_plugins(monkeypatch):
    points = [
        SimpleNamespace(name="one", value="a:b", load=lambda: ModelSpec("pluginnet", "plugin")),
        SimpleNamespace(name="two", value="broken:c", load=lambda: 1 / 0),
    ]
    monkeypatch.setattr("importlib.metadata.entry_points", lambda group: points if group == "zoo.models" else [])
    registry.load_plugins.cache_clear()
    with pytest.warns(UserWarning, match=r"plugin 'two' \(broken:c\) does not load"):
        assert registry.get("pluginnet").family == "plugin"
    registry.load_plugins.cache_clear()


# Networks in YAML files

NETWORK = """\
name: {name}
input: 16
classes: 3
description: {description}
layers:
  - stage: {{name: one, layers: [Conv2D: [$width, 3]]}}
  - head: [Flatten, Dense: [$classes, softmax]]
variables: {{width: 4}}
"""


def write(path: Path, name: str, description: str = "Mine.") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(NETWORK.format(name=name, description=description))
    return path


def test_networks_in_yaml_are_names_like_others():
    spec = registry.get("LeNet5")
    assert (spec.name, spec.params, spec.classes) == ("lenet5", 61_706, 10)
    assert {"lenet5", "lenet5-tf"} <= set(names("lenet*"))
    assert registry.reference(spec) == "lenet5"


def test_a_path_is_a_network(tmp_path, monkeypatch):
    file = write(tmp_path / "a.yaml", "mine")
    for path in (file, str(file)):
        assert registry.get(path).name == "mine"
        assert registry.resolve(path) == (registry.get(path), None)
    monkeypatch.chdir(tmp_path)
    spec = registry.get("a.yaml")
    assert spec.stages[0].layer == "one_conv2d"
    # Another process, in another folder, finds it too.
    assert registry.reference(spec) == str(file)
    assert registry.get(registry.reference(spec)).arguments == spec.arguments
    assert "mine" not in names()


def test_a_path_that_is_none():
    with pytest.raises(UsageError, match=r"There is no file none\.yaml"):
        registry.get("none.yaml")
    with pytest.raises(UsageError, match=r"no model 'some/net'.*A path ends in \.yaml or \.keras"):
        registry.get("some/net")


def test_folders_of_one_s_own(tmp_path, monkeypatch):
    first, second = tmp_path / "first", tmp_path / "second"
    write(first / "models" / "a.yaml", "mine")
    write(first / "b.yml", "other")
    write(second / "models" / "c.yaml", "mine", "Not this one.")
    write(second / "d.yaml", "lenet5", "My LeNet.")
    (second / "recipe.yaml").write_text("epochs: 3\n")
    monkeypatch.setenv("ZOO_CONFIG_PATH", f"{first}:{second}")
    assert registry.get("mine").description == "Mine."
    assert registry.get("mine").stages[0].layer == "one_conv2d"
    assert set(names(family="custom")) == {"mine", "other", "lenet5"}
    # One's own come before those that ship with zoo, and have none of their weights.
    assert registry.get("lenet5").description == "My LeNet."
    assert registry.reference(registry.get("mine")) == "mine"


def test_what_is_broken_there_is_a_warning(tmp_path, monkeypatch, caplog):
    write(tmp_path / "models" / "good.yaml", "good")
    write(tmp_path / "models" / "twice.yaml", "good")
    (tmp_path / "models" / "bad.yaml").write_text("input: [\n")
    (tmp_path / "models" / "worse.yaml").write_text("input: x\nclasses: 3\nlayers: []\n")
    (tmp_path / "models" / "empty.yaml").write_text("epochs: 3\n")
    write(tmp_path / "models" / "inside.yaml", "inside").write_text(
        NETWORK.format(name="inside", description="x").replace("Conv2D", "Conv2d")
    )
    monkeypatch.setenv("ZOO_CONFIG_PATH", f"{tmp_path}:{tmp_path / 'gone'}")
    with caplog.at_level(logging.WARNING, logger="zoo"):
        assert set(names(family="custom")) == {"good", "inside"}
    text = caplog.text
    for part in ("worse.yaml, line 1: input", "bad.yaml", "empty.yaml has no layers", "both describe 'good'", "gone"):
        assert part in text
    # Nobody has used it yet; then it is an error.
    with pytest.raises(UsageError, match=r"inside\.yaml, line 6: there is no layer 'Conv2d'. Did you mean 'Conv2D"):
        registry.get("inside")


def test_a_registered_model_wins_over_files(tmp_path, monkeypatch):
    write(tmp_path / "a.yaml", "mine")
    monkeypatch.setenv("ZOO_CONFIG_PATH", str(tmp_path))
    registry.register_model("mine")(lambda: None)
    assert callable(registry.get("mine").builder)


def test_shipped_weights_belong_to_the_shipped_network(tmp_path, monkeypatch):
    """A copy of the file is the same network; one that was changed is another."""
    shipped = registry.get("lenet5")
    weights = {"mnist": Weights("mnist", labels="mnist")}
    monkeypatch.setattr(files, "declared", lambda: {"lenet5": replace(shipped, weights=weights)})
    text = Path(shipped.arguments["network"]).read_text()
    (tmp_path / "same.yaml").write_text(text)
    (tmp_path / "other.yaml").write_text(text.replace("filters: 6", "filters: 8"))
    assert registry.get(tmp_path / "same.yaml").weights == weights
    assert not registry.get(tmp_path / "other.yaml").weights
    assert registry.reference(registry.get(tmp_path / "other.yaml")) == str(tmp_path / "other.yaml")


def test_variables():
    spec = registry.with_variables(registry.get("mnist-mlp"), {"units": 50})
    assert spec.arguments["variables"] == {"units": 50}
    again = registry.with_variables(spec, {})
    assert again is spec
    with pytest.raises(UsageError, match="is a number"):
        registry.with_variables(spec, {"units": "many"})
    resnet9 = registry.with_variables(registry.get("cifar10-resnet9"), {"width": 16})
    assert (dict(resnet9.arguments), resnet9.params, dict(resnet9.weights)) == ({"width": 16}, None, {})
    with pytest.raises(UsageError, match=r"has no variable 'depth'\. Its variables: width"):
        registry.with_variables(registry.get("cifar10-resnet9"), {"depth": 1})


def test_listing_reads_no_more_than_headings():
    """The layers of a network in a YAML file are not parsed to list it."""
    code = (
        "import sys, zoo.catalog.registry as r; names = r.list_models()\n"
        "print('lenet5' in str(names), [m for m in sys.modules if m.startswith('zoo.catalog.declarative.')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("True ") and "'zoo.catalog.declarative.network'" not in done.stdout


def test_no_framework_is_imported():
    code = (
        "import sys, zoo, zoo.catalog.registry as r; r.list_models('res*'); r.get('vgg16'); r.get('lenet5')\n"
        "print([m for m in ('keras', 'tensorflow', 'openvino', 'h5py', 'numpy', 'torch') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
