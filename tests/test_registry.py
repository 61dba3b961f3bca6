"""From a name to a spec: spelling, wildcards, order, a user's own networks, plugins."""

import subprocess
import sys
from types import SimpleNamespace

import pytest

from zoo import registry
from zoo.errors import UsageError
from zoo.spec import ModelSpec, Preprocessing


@pytest.fixture(autouse=True)
def own_registry(monkeypatch):
    """Each test registers into a registry of its own."""
    monkeypatch.setattr(registry, "_registered", {})
    registry._names.cache_clear()
    yield
    registry._names.cache_clear()


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
    ("typed", "meant"), [("resnet5", "resnet50"), ("inceptionv4", "inceptionv3"), ("moblenetv2", "mobilenetv2")]
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
    assert names("resnet*") == ["resnet50", "resnet50v2", "resnet101", "resnet101v2", "resnet152", "resnet152v2"]
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


def test_no_framework_is_imported():
    code = (
        "import sys, zoo, zoo.registry as r; r.list_models('res*'); r.get('vgg16')\n"
        "print([m for m in ('keras', 'tensorflow', 'openvino', 'h5py', 'numpy', 'torch') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
