"""Drawings as a person sees them: well-formed, complete, legible, and the same each time."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree

import keras
import pytest
from keras import layers

import zoo.visualize
from zoo.catalog import registry
from zoo.core.errors import UsageError
from zoo.models import create_model
from zoo.reports.plots import canvas
from zoo.visualize.architecture.draw import graph

SVG = "{http://www.w3.org/2000/svg}"


def drawn(text):
    return ElementTree.fromstring(text)


def words(text):
    return [element.text for element in drawn(text).iter(f"{SVG}text")]


def places(element, x=0.0, y=0.0):
    """All elements with where their own coordinates begin."""
    move = re.fullmatch(r"translate\((\S+) (\S+)\)", element.get("transform", ""))
    if move:
        x, y = x + float(move[1]), y + float(move[2])
    yield element, x, y
    for child in element:
        yield from places(child, x, y)


def check(text):
    """Type stays in its box, and everything in the drawing."""
    root = drawn(text)
    width, height = (float(value) for value in root.get("viewBox").split()[2:])
    boxes, lines = [], []
    for element, x, y in places(root):
        if element.tag == f"{SVG}rect" and element.get("class") != "page":
            left, top = x + float(element.get("x")), y + float(element.get("y"))
            size = float(element.get("width")), float(element.get("height"))
            assert left >= 0 and top >= 0 and left + size[0] <= width and top + size[1] <= height
            if "box" in element.get("class"):
                boxes.append((left, top, left + size[0], top + size[1]))
        elif element.tag == f"{SVG}text":
            small, strong = ("small" in element.get("class", "")), ("strong" in element.get("class", ""))
            points = 16 if element.get("class") == "heading" else 9.5 if small else 11
            with canvas.style():
                long = canvas.text_width(element.text, points, "bold" if strong else "normal") * 72
            shift = {"middle": long / 2, "end": long}.get(element.get("text-anchor"), 0)
            left = x + float(element.get("x")) - shift
            lines.append((left, y + float(element.get("y")), left + long))
            assert left >= -0.5 and left + long <= width + 0.5, element.text
    for left, base, right in lines:
        for box in boxes:
            if box[1] < base < box[3] and box[0] - 1 < (left + right) / 2 < box[2] + 1:
                assert left >= box[0] - 0.5 and right <= box[2] + 0.5


def nested():
    trunk = keras.Sequential(
        [
            keras.Input((None, None, 3)),
            layers.Conv2D(8, 3, strides=2, padding="same", name="block1_conv"),
            layers.ReLU(name="block1_relu"),
            layers.Conv2D(16, 3, strides=2, padding="same", name="block2_conv"),
            layers.BatchNormalization(name="block2_bn"),
            layers.ReLU(name="block2_relu"),
        ],
        name="trunk",
    )
    pixels = keras.Input((32, 32, 3))
    x = trunk(layers.Rescaling(1 / 255)(pixels))
    return keras.Model(pixels, layers.Dense(3)(layers.GlobalAveragePooling2D()(x)), name="tuned")


@pytest.fixture(scope="module")
def branched():
    x = pixels = keras.Input((32, 32, 3))
    for number in range(3):
        parts = [layers.Conv2D(4, size, padding="same", activation="relu")(x) for size in (1, 3, 5)]
        x = layers.Concatenate(name=f"mixed{number}")(parts)
    x = layers.GlobalAveragePooling2D()(x)
    return keras.Model(pixels, layers.Dense(3, activation="softmax")(x), name="a<b&c")


@pytest.mark.parametrize("level", [None, "stages", "blocks", "layers"])
@pytest.mark.parametrize("name", ["cifar-resnet20", "lenet5"])
def test_a_network_of_the_registry_needs_no_weights(name, level):
    text = graph(name, level=level)
    check(text)
    params = registry.get(name).params
    assert f"{params:,} parameters" in " ".join(words(text))
    if level is not None:
        assert f"{level} · " in words(text)[1]


def test_blocks_are_framed_and_equal_ones_are_one():
    found = words(graph("cifar-resnet20", level="blocks"))
    assert "stage1_block1–3" in found and "×3" in found
    assert "stage2_block2–3" in found and found.count("×2") == 2
    assert found.count("+") == 5, "sums stay visible"


def test_layers_have_their_names_and_nothing_is_left_out():
    model = create_model("cifar-resnet20", None)
    found = set(words(graph(model, level="layers")))
    shown = [layer for layer in model.layers if not isinstance(layer, keras.layers.InputLayer | keras.layers.Add)]
    assert {layer.name for layer in shown} <= found


def test_stages_list_what_is_in_them():
    found = words(graph("cifar-resnet20", level="stages"))
    assert "stage1" in found and "head" in found
    assert any(line.startswith("stage2_block2–3 ×2:  conv 3×3, 32 · conv 3×3, 32 · +") for line in found)


def test_branches_and_names_that_look_like_markup(branched):
    text = graph(branched, level="blocks")
    check(text)
    assert "a<b&c" in words(text)
    assert words(text).count("mixed0–2") == words(text).count("×3") == words(text).count("concat") == 1


def test_a_trunk_within_a_network_is_drawn_in_place():
    model = nested()
    text = graph(model, level="blocks")
    check(text)
    found = words(text)
    assert "with the layers of trunk" in found[1]
    assert "conv 3×3, 16, /2" in found and "8 × 8 × 16" in found


def test_a_sequential_network_is_drawn_layer_by_layer():
    model = keras.Sequential([keras.Input((8, 8, 1)), layers.Conv2D(2, 3, name="first"), layers.Flatten(name="flat")])
    text = graph(model)
    check(text)
    assert words(text)[1].startswith("layers · input 8 × 8 × 1") and {"first", "flat"} <= set(words(text))


def test_a_network_that_nothing_divides_is_drawn_with_lines_round_its_boxes():
    x = pixels = keras.Input((32, 32, 3))
    skips = []
    for width in (4, 8, 16):
        x = layers.Conv2D(width, 3, padding="same", activation="relu")(x)
        skips.append(x)
        x = layers.MaxPooling2D()(x)
    for width, skip in zip((16, 8, 4), reversed(skips), strict=True):
        x = layers.Conv2DTranspose(width, 2, strides=2)(x)
        x = layers.Conv2D(width, 3, padding="same")(layers.Concatenate()([skip, x]))
    text = graph(keras.Model(pixels, x, name="unet"), level="blocks")
    check(text)
    assert "transposed conv 2×2, 16, ×2" in words(text)
    assert "frame" not in {element.get("class") for element in drawn(text).iter(f"{SVG}rect")}


def test_it_says_in_words_what_it_shows():
    root = drawn(graph("lenet5", level="blocks"))
    assert root.get("role") == "img" and root.get("aria-labelledby") == "title about"
    assert root.find(f"{SVG}title").text == "lenet5: its architecture"
    assert "61,706 parameters" in root.find(f"{SVG}desc").text
    assert "prefers-color-scheme: dark" in root.find(f"{SVG}style").text


def test_the_same_network_gives_the_same_drawing():
    assert graph("lenet5") == graph("lenet5") == zoo.visualize.graph("lenet5")


def test_what_cannot_be_drawn_is_a_sentence():
    with pytest.raises(UsageError, match="no level 'cells'; a drawing has stages, blocks, layers"):
        graph("lenet5", level="cells")
    with pytest.raises(UsageError, match="There is no model 'lenet55'"):
        graph("lenet55")
    a, b = keras.Input((4,)), keras.Input((4,))
    with pytest.raises(UsageError, match="no functional or sequential network of one input"):
        graph(keras.Model([a, b], layers.Add()([a, b]), name="two"))


#: One of each family, the smallest.
FAMILIES = (
    *("capsnet", "cifar10-cnn", "cifar10-resnet9", "conv-autoencoder", "convnexttiny", "densenet121", "efficientnetb0"),
    *("efficientnetv2b0", "fmp-mnist-12", "googlenet", "inceptionv3", "mnist-softmax", "mobilenet_0.25"),
    *("mobilenetv2_0.35", "mobilenetv3small", "nasnetmobile", "resnet18", "resnet50v2", "squeezenet1.1", "xception"),
)


@pytest.mark.slow
@pytest.mark.parametrize("name", FAMILIES)
def test_all_families_at_all_levels(name):
    model = create_model(name, None)
    for level in ("stages", "blocks", "layers"):
        check(graph(model, level=level))
