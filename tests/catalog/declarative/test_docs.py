"""docs/networks.md: its networks work, and its sentences are what zoo says."""

import re
import textwrap

import pytest

from tests.conftest import ROOT
from zoo.catalog import declarative
from zoo.catalog.declarative import heading
from zoo.core.errors import UsageError

PAGE = (ROOT / "docs" / "networks.md").read_text()
BLOCKS = re.findall(r"^```yaml\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
EXAMPLE, *FRAGMENTS = BLOCKS
DENSE = "Dense: {units: $classes, activation: softmax}"
CONVOLUTION = 'Conv2D: {filters: "${width * 2 ** i}"'
#: What is changed in the example, for each sentence of the page.
MISTAKES = [
    ("- Conv2D: {", "- Conv2d: {"),
    ('"${width * 2 ** i}", kernel_size', '"${width * 2 ** i}", kernel'),
    (CONVOLUTION, 'Conv2D: {filters: "${width / 3}"'),
    ("filters: ${width", "filters: ${widht"),
    ("width: 32\n  depth: 2", "width: $depth\n  depth: $width"),
    (DENSE, "Dense: $classes"),
    ("- BatchNormalization", "- Lambda: {function: 'lambda x: 2 * x'}"),
    ("padding: same\n", "padding: valid\n"),
    ("input: 32 ", "input: 2 "),
]


def test_the_figures_of_the_example(tmp_path):
    from zoo.models import create_model, macs

    (tmp_path / "mynet.yaml").write_text(EXAMPLE)
    model = create_model(tmp_path / "mynet.yaml", None)
    assert f"{model.count_params():,} parameters, {macs.multiply_accumulates(model) / 1e9:.3g} GMACs" in PAGE


@pytest.mark.parametrize("fragment", FRAGMENTS)
def test_fragments_are_layers(tmp_path, fragment):
    from zoo.models import create_model

    file = tmp_path / "net.yaml"
    file.write_text("input: 32\nclasses: 0\nlayers:\n" + textwrap.indent(fragment, "  "))
    declarative.load(file)
    if "Flatten" not in fragment:
        create_model(file, None)


@pytest.mark.parametrize(("old", "new"), MISTAKES)
def test_mistakes_are_said_as_the_page_says(tmp_path, monkeypatch, old, new):
    from zoo.models import create_model

    monkeypatch.chdir(tmp_path)
    assert old in EXAMPLE
    (tmp_path / "mynet.yaml").write_text(EXAMPLE.replace(old, new, 1))
    with pytest.raises(UsageError) as error:
        create_model("mynet.yaml", None)
    assert f"zoo: {error.value}\n" in PAGE


def test_the_python_of_the_page_runs(tmp_path, monkeypatch):
    from zoo.catalog import registry

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(registry, "_registered", {})
    (tmp_path / "mynet.yaml").write_text(EXAMPLE)
    blocks = re.findall(r"^```python\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    assert len(blocks) == 2
    for block in blocks:
        names = {}
        exec(block, names)
        if "wide" in names:
            assert names["model"].output_shape == (None, 5)
            assert names["trunk"].output_shape == (None, 64)
    registry._names.cache_clear()


def test_there_are_no_sentences_without_a_test():
    assert PAGE.count("zoo: mynet.yaml, line") == len(MISTAKES)


def test_every_key_and_construct_is_on_the_page():
    from zoo.catalog.declarative.unroll import CONSTRUCTS, MERGE_LAYERS

    for word in (*heading.KEYS, *CONSTRUCTS, *MERGE_LAYERS):
        assert f"`{word}" in PAGE, word
