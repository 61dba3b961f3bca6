"""The catalogue as data: its schema as sets, and every figure recomputed from the network itself."""

import inspect
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from zoo.catalog import files as catalogue
from zoo.catalog import labels, registry
from zoo.core.spec import ModelSpec

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "configs" / "refresh_catalogue.py"
CATALOGUE = sorted(catalogue.built().values(), key=lambda spec: spec.name)
APPLICATIONS = [spec for spec in CATALOGUE if str(spec.builder).startswith("keras.applications:")]
#: Small enough to be built at every run.
SMALL = ["mobilenet_0.25", "mobilenetv2_0.35", "mobilenetv3small", "mobilenetv3large_minimalistic", "efficientnetb0"]

#: Counts that were published, or follow from the layer sizes.
COUNTS = {
    "vgg16": (138_357_544, 14_714_688),
    "vgg19": (143_667_240, 20_024_384),
    "resnet50": (25_636_712, 23_587_712),
    "inceptionv3": (23_851_784, 21_802_784),
    "xception": (22_910_480, 20_861_480),
}
#: What the published recipes cut at.
FEATURES = {
    ("vgg16", "block4_pool"): (16, 512),
    ("vgg19", "block5_pool"): (32, 512),
    ("inceptionv3", "mixed10"): (32, 2048),
    ("resnet50", "conv5_block3_out"): (32, 2048),
    ("xception", "block14_sepconv2_act"): (32, 2048),
}
MD5 = {
    "vgg16": ("64373286793e3c8b2b4e3219cbf3544b", "6d6bbae143d832006294945121d1f1fc"),
    "vgg19": ("cbe5617147190e668d6c5d5026f83318", "253f8cb515780f3b799900260a226db6"),
    "resnet50": ("2cb95161c43110f7111970584f804107", "4d473c1dd8becc155b73f8504c6f6626"),
    "inceptionv3": ("9a0d58056eeedaa3f26cb7ebd46da564", "bcbd6486424b2319ff4ef7d526e38f63"),
    "xception": ("0a58e3b7378bc2990ea3b43d5981f1f6", "b0042744bf5b25fce3cb969f33bebb97"),
}
ACCURACY = {
    "vgg16": (71.268, 90.050),
    "vgg19": (71.256, 89.988),
    "resnet50": (74.928, 92.060),
    "inceptionv3": (77.898, 93.720),
    "xception": (79.006, 94.452),
}
CONVENTION = {"vgg16": "caffe", "vgg19": "caffe", "resnet50": "caffe", "inceptionv3": "tf", "xception": "tf"}


def refresh(*args: str, script: Path = SCRIPT) -> subprocess.CompletedProcess[str]:
    """Run the script that fills the catalogue, on the backend that builds quickest."""
    environment = {**os.environ, "KERAS_BACKEND": "openvino"}
    return subprocess.run([sys.executable, script, *args], check=False, capture_output=True, text=True, env=environment)


def ids(spec: ModelSpec) -> str:
    return spec.name


def test_all_builders_of_keras_are_there():
    import keras

    builders = {name for name, value in vars(keras.applications).items() if inspect.isfunction(value)}
    assert len(builders) == 40
    aliases = {alias for spec in APPLICATIONS for alias in spec.aliases}
    assert builders <= aliases
    assert builders == {str(spec.builder).partition(":")[2] for spec in APPLICATIONS}
    assert all(registry.get(name).name == name.lower() for name in builders)


def test_published_width_variants_are_there():
    wanted = {f"mobilenet_{width}" for width in ("0.25", "0.50", "0.75")}
    wanted |= {f"mobilenetv2_{width}" for width in ("0.35", "0.50", "0.75", "1.30", "1.40")}
    wanted |= {f"mobilenetv3{size}_{kind}" for size in ("small", "large") for kind in ("0.75", "minimalistic")}
    assert wanted <= {spec.name for spec in APPLICATIONS}


def test_no_two_networks_share_a_name():
    names = [name.lower() for spec in CATALOGUE for name in {spec.name, *(a.lower() for a in spec.aliases)}]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("spec", APPLICATIONS, ids=ids)
def test_schema(spec):
    assert re.fullmatch(r"[a-z0-9_.]+", spec.name)
    assert spec.paper.startswith("https://arxiv.org/abs/")
    assert spec.params > spec.params_no_top > 0
    assert spec.gmacs > 0
    assert spec.classes == 1000
    assert 32 <= spec.min_size <= min(spec.input_size)
    assert spec.resize.policy == "crop"
    strides = [stage.stride for stage in spec.stages]
    assert strides in ([2, 4, 8, 16, 32], [4, 8, 16, 32])
    assert [stage.name for stage in spec.stages] == [f"stage{stride.bit_length() - 1}" for stride in strides]
    assert len({stage.layer for stage in spec.stages}) == len(strides)
    assert all(stage.width > 0 for stage in spec.stages)


@pytest.mark.parametrize("spec", APPLICATIONS, ids=ids)
def test_weights_schema(spec):
    weights = spec.weights["imagenet"]
    assert spec.weight_set() is weights
    assert labels.names(weights.labels)[281] == "tabby"
    assert weights.licence in {"CC BY 4.0", "MIT", "Apache-2.0", "BSD-3-Clause"}
    assert bool(weights.attribution) == (weights.licence == "CC BY 4.0")
    assert weights.trained_on in {"ImageNet-1k", "ImageNet-21k, then ImageNet-1k"}
    assert 50 < weights.top1 < 90
    assert weights.top5 is None or weights.top1 < weights.top5 < 100
    assert "ImageNet-1k validation" in weights.protocol
    for file in (weights.top, weights.no_top):
        assert re.fullmatch(r"https://storage\.googleapis\.com/\S+\.h5", file.url)
        assert re.fullmatch(r"[\w.-]+\.h5", file.file)
        assert file.md5 is None or re.fullmatch("[0-9a-f]{32}", file.md5)
        assert file.sha256 is None or re.fullmatch("[0-9a-f]{64}", file.sha256)
        # Keras states no digest for the first two MobileNets, and for no others.
        assert (file.md5 or file.sha256 or "").strip() or spec.family in {"mobilenet", "mobilenetv2"}


def test_files_are_all_different():
    files = [file.file for spec in APPLICATIONS for w in spec.weights.values() for file in (w.top, w.no_top)]
    assert len(files) == len(set(files)) == 2 * len(APPLICATIONS)


@pytest.mark.parametrize("name", COUNTS)
def test_published_figures(name):
    spec = registry.get(name)
    weights = spec.weights["imagenet"]
    assert (spec.params, spec.params_no_top) == COUNTS[name]
    assert (weights.top.md5, weights.no_top.md5) == MD5[name]
    assert (weights.top1, weights.top5) == ACCURACY[name]
    assert spec.preprocessing.name == CONVENTION[name]


@pytest.mark.parametrize(("name", "layer"), FEATURES)
def test_published_feature_layers(name, layer):
    stage = next(stage for stage in registry.get(name).stages if stage.layer == layer)
    assert (stage.stride, stage.width) == FEATURES[name, layer]


def test_vgg_names_its_authors():
    assert "Visual Geometry Group, University of Oxford" in registry.get("vgg16").weights["imagenet"].attribution


def test_figures_of_small_networks():
    done = refresh("--check", *SMALL)
    assert done.returncode == 0, done.stdout + done.stderr


def test_check_finds_a_wrong_figure(tmp_path):
    """The check above would notice: run on a copy in which one figure is wrong."""
    catalogue = tmp_path / "configs" / "catalogue"
    catalogue.mkdir(parents=True)
    for folder in ("zoo", "weights"):
        (tmp_path / folder).symlink_to(ROOT / folder)
    script = tmp_path / "configs" / SCRIPT.name
    script.write_text(SCRIPT.read_text())
    text = (ROOT / "configs" / "catalogue" / "mobilenet.yaml").read_text()
    (catalogue / "mobilenet.yaml").write_text(text.replace("gmacs: 0.041", "gmacs: 0.042"))
    done = refresh("--check", "mobilenet_0.25", script=script)
    assert done.returncode == 1
    assert "mobilenet_0.25: gmacs is 0.042, should be 0.041" in done.stdout


@pytest.mark.slow
def test_the_check_of_all_finds_a_wrong_figure_and_a_wrong_digest(tmp_path):
    catalogue = tmp_path / "configs" / "catalogue"
    catalogue.mkdir(parents=True)
    (tmp_path / "configs" / "models").mkdir()
    (tmp_path / "weights").mkdir()
    (tmp_path / "zoo").symlink_to(ROOT / "zoo")
    script = tmp_path / "configs" / SCRIPT.name
    script.write_text(SCRIPT.read_text())
    text = (ROOT / "configs" / "catalogue" / "vgg.yaml").read_text()
    (catalogue / "vgg.yaml").write_text(text.replace("params: 138357544", "params: 138357545"))
    md5 = MD5["vgg19"][1]
    text = (ROOT / "weights" / "imagenet.yaml").read_text()
    assert md5 in text
    (tmp_path / "weights" / "imagenet.yaml").write_text(text.replace(md5, md5[::-1]))
    done = refresh("--check", "--all", script=script)
    assert done.returncode == 1
    found = [line for line in done.stdout.splitlines() if line.startswith("vgg")]
    assert "vgg16: params is 138357545, should be 138357544" in found
    assert any(line.startswith("vgg19: no_top is") and md5 in line and md5[::-1] in line for line in found)
    assert len(found) == 2
    # Of the other networks there are weights here and no entries.
    assert "xception: there is no such network" in done.stdout
    assert refresh("--all", script=script).returncode == 2


def test_sources_of_small_networks_are_keras_s():
    done = refresh("--sources", "--check", *SMALL)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.slow
def test_all_figures_and_all_sources_are_keras_s():
    done = refresh("--check", "--all")
    assert done.returncode == 0, done.stdout + done.stderr
