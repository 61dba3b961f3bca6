"""The top of a file: what it states, what it may leave out, and what is refused."""

import pytest

from zoo.catalog import declarative
from zoo.catalog.presets import PREPROCESSING
from zoo.core.errors import UsageError
from zoo.core.spec import Preprocessing, Resize, Stage

LAYERS = "layers:\n  - stage: {name: s, layers: [ReLU: {name: r}]}\n  - head: [Flatten, Dense: [$classes, softmax]]\n"


def spec(text, base="input: 28\nclasses: 10\n"):
    return declarative.parse(base + text + LAYERS, "net.yaml")


def test_what_is_left_out():
    found = spec("")
    assert (found.name, found.family, found.classes, found.min_size) == ("net", "custom", 10, 1)
    assert found.resize == Resize(28, 28, policy="squash")
    assert found.preprocessing == PREPROCESSING["unit"]
    assert (found.params, found.gmacs, found.recipe, found.mirror) == (None, None, None, False)


def test_everything():
    found = spec(
        "name: Net.1\nfamily: mine\naliases: [n1]\ndescription: d\npaper: p\nrecipe: fast\nmin_size: 8\nmirror: true\n"
        "resize: {policy: crop, fraction: 0.9, interpolation: bicubic}\n"
        "preprocessing: {order: bgr, mean: [1, 2, 3], std: 255}\n"
        "params: 5\nparams_no_top: 4\ngmacs: 1e-3\nstages:\n  - [s, r, 2, 8]\n"
    )
    assert (found.name, found.family, found.aliases, found.description) == ("net.1", "mine", ("n1",), "d")
    assert (found.paper, found.recipe, found.min_size, found.mirror) == ("p", "fast", 8, True)
    assert found.resize == Resize(28, 28, "crop", 0.9, "bicubic")
    assert found.preprocessing == Preprocessing("custom", "bgr", (1.0, 2.0, 3.0), (255.0, 255.0, 255.0))
    assert (found.params, found.params_no_top, found.gmacs) == (5, 4, 1e-3)
    assert found.stages == (Stage("s", "r", 2, 8),)


def test_preprocessing_of_one_channel():
    assert spec("preprocessing: grey\n").preprocessing.channels == 1
    found = spec("preprocessing: {order: grey, mean: 33.3, std: [78.6]}\n").preprocessing
    assert (found.order, found.mean, found.std) == ("grey", (33.3,), (78.6,))


def test_stages_without_figures_are_those_of_the_layers():
    assert spec("").stages == (Stage("s", "r", 0, 0),)


def test_variables_replace_and_take_the_figures_away():
    text = "params: 7\nstages: [[s, r, 2, 8]]\nvariables: {w: 3}\n"
    assert spec(text).params == 7
    found = declarative.parse("input: 28\nclasses: 10\n" + text + LAYERS, "net.yaml", variables={"w": 4})
    assert found.params is None
    assert found.stages == (Stage("s", "r", 0, 0),)
    assert found.arguments["variables"] == {"w": 4}


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        ("layer: 3\n", 3, "a network has no 'layer'. Did you mean 'layers'?"),
        ("name: a b\n", 3, "the name of a network is made of letters"),
        ("name: 3\n", 3, "name is a text, not 3; put it in quotes"),
        ("name: [a]\n", 3, "name is a single value"),
        ("aliases: a\n", 3, "aliases is a list of names"),
        ("aliases: [1]\n", 3, "aliases is a list of names"),
        ("min_size: 29\n", 3, "min_size is a whole number from 1 to 28"),
        ("mirror: 1\n", 3, "mirror is true or false"),
        ("preprocessing: gray\n", 3, "there is no preprocessing 'gray'. Did you mean 'grey'?"),
        ("preprocessing: 3\n", 3, "preprocessing is none, caffe"),
        ("preprocessing: {mean: 1, deviation: 3}\n", 3, "preprocessing has no 'deviation'"),
        ("preprocessing: {mean: [1, 2]}\n", 3, "mean has 3 numbers here"),
        ("preprocessing: {order: grey, mean: [1, 2]}\n", 3, "mean has 1 number here"),
        ("preprocessing: {std: 0}\n", 3, "std is what pixels are divided by"),
        ("preprocessing: {std: x}\n", 3, "std is a number"),
        ("preprocessing: {order: rbg}\n", 3, "order is rgb, bgr or grey, not rbg"),
        ("resize: crop\n", 3, "resize is a mapping with policy, fraction and interpolation"),
        ("resize: {policy: stretch}\n", 3, "policy is crop, pad or squash, not stretch"),
        ("resize: {policy: crop, fraction: 0}\n", 3, "fraction is greater than 0"),
        ("resize: {interpolate: nearest}\n", 3, "Did you mean 'interpolation'?"),
        ("params: many\n", 3, "params is a whole number"),
        ("gmacs: many\n", 3, "gmacs is a number"),
        ("stages: [a, b]\n", 3, r"a stage is \[name, layer, stride, channels\]"),
        ("stages:\n  - [a, b, 1]\n", 4, r"a stage is \[name, layer, stride, channels\]"),
        ("stages:\n  - [s, gone, 1, 1]\n", 3, "ends with a layer 'gone', which is not there"),
    ],
)
def test_refused(text, line, reason):
    with pytest.raises(UsageError, match=reason) as error:
        spec(text)
    assert str(error.value).startswith(f"net.yaml, line {line}: ")


@pytest.mark.parametrize(
    ("base", "line", "reason"),
    [
        ("classes: 10\n", 1, "a network needs input"),
        ("input: 28\n", 1, "a network needs classes"),
        ("input: 0\nclasses: 10\n", 1, "input is a whole number from 1"),
        ("input: [28]\nclasses: 10\n", 1, r"input is a number of pixels, or \[height, width\]"),
        ("input: {a: 1}\nclasses: 10\n", 1, "input is a whole number"),
        ("input: 28\nclasses: -1\n", 2, "classes is a whole number"),
        ("input: 28\nclasses: [a, b]\n", 2, "classes is a single value"),
        ("input: 28\nclasses: null\n", 2, "classes is a whole number"),
        ("input: 28\nclasses: $n\n", 2, "classes is a whole number"),
    ],
)
def test_what_must_be_there(base, line, reason):
    with pytest.raises(UsageError, match=reason) as error:
        spec("", base)
    assert str(error.value).startswith(f"net.yaml, line {line}: ")


# The heading alone


@pytest.mark.parametrize(
    "layers",
    [
        LAYERS,
        "layers: [ReLU]\n",
        "layers:\n- ReLU\n- Conv2D:\n    filters: 3\n",
        "layers:\n\n# a comment at the margin\n  - ReLU\n",
        "layers: &x\n  - Nonsense: [\n",
    ],
)
def test_the_heading_is_read_without_the_layers(tmp_path, layers):
    file = tmp_path / "one.yaml"
    file.write_text("# Comment\ninput: 28\nclasses: 10\n" + layers + "recipe: fast\nparams: 5\n")
    found = declarative.load_heading(file)
    assert (found.name, found.recipe, found.params) == ("one", "fast", 5)
    assert found.arguments["network"] == str(file)


def test_lines_of_the_heading_stay_as_they_are(tmp_path):
    (tmp_path / "one.yaml").write_text("input: 28\nlayers:\n  - ReLU\n\nclasses: x\n")
    with pytest.raises(UsageError, match=r"line 5: classes is"):
        declarative.load_heading(tmp_path / "one.yaml")


def test_what_has_no_layers_is_no_network(tmp_path):
    (tmp_path / "one.yaml").write_text("epochs: 3\nlayers_frozen: 3\n")
    assert declarative.load_heading(tmp_path / "one.yaml") is None


def test_the_digest_changes_with_the_file(tmp_path):
    file = tmp_path / "one.yaml"
    file.write_text("input: 28\nclasses: 10\n" + LAYERS)
    before = declarative.load(file).arguments["digest"]
    assert before == declarative.load_heading(file).arguments["digest"]
    file.write_text("input: 28\nclasses: 10\n" + LAYERS.replace("ReLU", "ELU"))
    assert declarative.load(file).arguments["digest"] != before
