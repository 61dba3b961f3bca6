"""Layers become blocks and stages by their names, and by their connections where names say nothing."""

from __future__ import annotations

import keras
import pytest
from keras import layers

from zoo.core.spec import Stage
from zoo.visualize.architecture.blocks import (
    arithmetic_groups,
    assign_stages,
    block_paths,
    merge_arithmetic,
    strip_prefix,
    unnest,
)
from zoo.visualize.architecture.fusion import fuse_layers
from zoo.visualize.architecture.graph import contract, read_graph
from zoo.visualize.architecture.hierarchy import Frame, build_hierarchy, span
from zoo.visualize.network.flat_graph import flatten


def block(x, name, *, filters=8, unnamed_sum=False):
    y = layers.Conv2D(filters, 3, padding="same", name=f"{name}_1_conv")(x)
    y = layers.BatchNormalization(name=f"{name}_1_bn")(y)
    y = layers.ReLU(name=f"{name}_1_relu")(y)
    y = layers.Conv2D(filters, 3, padding="same", name=f"{name}_2_conv")(y)
    y = layers.Add(**({} if unnamed_sum else {"name": f"{name}_add"}))([x, y])
    return layers.ReLU(**({} if unnamed_sum else {"name": f"{name}_out"}))(y)


def network(count=3, pattern="conv2_block{}", **settings):
    pixels = keras.Input((32, 32, 3))
    x = layers.Conv2D(8, 3, padding="same", name="stem")(pixels)
    for number in range(1, count + 1):
        x = block(x, pattern.format(number), **settings)
    x = layers.MaxPooling2D(name="pool")(x)
    x = layers.GlobalAveragePooling2D()(x)
    return keras.Model(pixels, layers.Dense(3, name="head")(x), name="net")


def by_name(model):
    graph = read_graph(flatten(model))
    return {vertex.name: path for vertex, path in zip(graph.vertices, block_paths(graph), strict=True)}


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("conv2_block{}", "conv2_block1"),
        ("block_{}", "block_1"),
        ("block5{}a", "block51a"),
        ("net_stage_0_block_{}", "net_stage_0_block_1"),
        # Ten blocks of one kind, each with a number of its own.
        ("block35_{}", "block35_1"),
        # A word that says nothing: the connections do.
        ("res{}", "res1"),
    ],
)
@pytest.mark.parametrize("unnamed_sum", [False, True])
def test_blocks_by_name_and_by_their_sum(pattern, expected, unnamed_sum):
    found = by_name(network(pattern=pattern, unnamed_sum=unnamed_sum))
    name = pattern.format(1)
    for part in ("1_conv", "1_bn", "2_conv"):
        assert found[f"{name}_{part}"] == (expected,)
    sums = [path for vertex, path in found.items() if "add" in vertex]
    assert sums[0] == (expected,), "the sum belongs to the block that it ends"
    assert found["stem"] == found["head"] == found["pool"] == ()


def test_layers_without_names_between_those_of_a_block_belong_to_it():
    x = pixels = keras.Input((16, 16, 3))
    for number in (1, 2):
        x = layers.Conv2D(4, 1, name=f"block_{number}_expand")(x)
        x = layers.ReLU()(x)
        x = layers.DepthwiseConv2D(3, name=f"block_{number}_depthwise")(x)
    found = by_name(keras.Model(pixels, x))
    assert next(path for name, path in found.items() if name.startswith("re_lu")) == ("block_1",)
    assert found["block_2_depthwise"] == ("block_2",)


def test_an_inner_network_is_a_frame_unless_it_is_most_of_all():
    inner = keras.Sequential([keras.Input((16, 16, 3)), layers.Conv2D(4, 3), layers.ReLU(name="out")], name="inner")
    pixels = keras.Input((16, 16, 3))
    x = inner(pixels)
    for number in range(6):
        x = layers.Dense(4, name=f"dense{number}")(x)
    graph = read_graph(flatten(keras.Model(pixels, x)))
    found = block_paths(graph)
    assert found[1:3] == [("inner",)] * 2
    assert unnest(found) == (found, [])
    alone = read_graph(flatten(keras.Model(pixels, inner(pixels))))
    assert unnest(block_paths(alone)) == ([()] * 3, ["inner"])


def test_the_name_of_the_network_is_not_repeated_in_each_block():
    long = [(), ("conv_next_tiny_stage_0_block_0",), ("conv_next_tiny_stage_1_block_2",)]
    assert strip_prefix(long, "convnexttiny") == [(), ("stage_0_block_0",), ("stage_1_block_2",)]
    assert strip_prefix([("block_1",), ("block_2",)], "mobilenet") == [("block_1",), ("block_2",)]


def test_equal_blocks_are_drawn_once():
    graph = read_graph(flatten(network(4)))
    small, homes = fuse_layers(graph, block_paths(graph))
    content = build_hierarchy(small, homes, fold=True)
    frames = [child for child in content.children if isinstance(child, Frame)]
    assert [(frame.name, frame.count) for frame in frames] == [("conv2_block1–4", 4)]
    assert frames[0].params == sum(v.params for v, path in zip(graph.vertices, block_paths(graph), strict=True) if path)
    assert [child.what for child in frames[0].children] == ["conv 3×3, 8", "conv 3×3, 8", "+"]
    assert frames[0].children[0].after == ("BN", "ReLU") and frames[0].children[2].after == ("ReLU",)
    assert len(frames[0].entries) == 1 and len(frames[0].entries[0]) == 2, "the convolution and the sum take it"
    assert content.params == sum(vertex.params for vertex in graph.vertices)


def test_blocks_that_differ_are_not_drawn_as_one():
    pixels = keras.Input((32, 32, 8))
    x = block(pixels, "block1")
    x = block(x, "block2")
    x = layers.MaxPooling2D(name="pool")(x)
    x = block(x, "block3")
    graph = read_graph(flatten(keras.Model(pixels, x)))
    content = build_hierarchy(*fuse_layers(graph, block_paths(graph)), fold=True)
    found = [(child.name, child.count) for child in content.children if isinstance(child, Frame)]
    assert found == [("block1–2", 2), ("block3", 1)], "after the pooling maps have another size"


def test_a_frame_that_would_go_round_another_layer_is_none():
    x = pixels = keras.Input((8, 8, 3))
    x = layers.Conv2D(4, 1, name="block1_a")(x)
    x = layers.Conv2D(4, 1, name="block2_a")(x)
    x = layers.Conv2D(4, 1, name="block1_b")(x)
    graph = read_graph(flatten(keras.Model(pixels, x)))
    content = build_hierarchy(graph, block_paths(graph), fold=True)
    assert [child.name for child in content.children] == ["pixels", "block1_a", "block2_a", "block1_b"]


def test_stages_of_the_registry_and_stages_by_size():
    graph = read_graph(flatten(network(2)))
    where = block_paths(graph)
    stages = (Stage("stage1", "conv2_block1_out", 1, 8), Stage("stage2", "pool", 2, 8))
    numbers = dict(zip((vertex.name for vertex in graph.vertices), assign_stages(graph, where, stages), strict=True))
    assert numbers["stem"] == numbers["conv2_block1_add"] == 0
    assert numbers["conv2_block2_1_conv"] == numbers["pool"] == 1
    assert numbers["head"] == 2
    numbers = dict(zip((vertex.name for vertex in graph.vertices), assign_stages(graph, where, ()), strict=True))
    assert numbers["conv2_block1_add"] == numbers["conv2_block2_out"] == 0
    assert numbers["pool"] == 1 and numbers["head"] == 2


def test_arithmetic_is_one_step_and_a_sum_is_not():
    pixels = keras.Input((8, 8, 3))
    grey = 0.3 * pixels[..., :1] + 0.6 * pixels[..., 1:2]
    x = skip = layers.Conv2D(4, 3, padding="same")(grey)
    x = layers.Conv2D(4, 3, padding="same")(x) + skip
    graph = read_graph(flatten(keras.Model(pixels, x)))
    small = contract(graph, arithmetic_groups(graph), merge_arithmetic)[0]
    assert [vertex.what for vertex in small.vertices] == [
        *("input", "arithmetic", "conv 3×3, 4", "conv 3×3, 4", "+"),
    ]
    assert small.vertices[1].after == ("5 operations",)


def test_names_from_one_to_another():
    assert span("conv4_block2", "conv4_block6") == "conv4_block2–6"
    assert span("block_9", "block_12") == "block_9–12"
    assert span("block5b", "block5d") == "block5b–d"
