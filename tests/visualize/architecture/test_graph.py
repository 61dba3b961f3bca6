"""A network as a graph: what each layer costs, what everything passes, and what several calls of a layer are."""

from __future__ import annotations

import keras
import pytest
from keras import layers

from zoo.models.macs import multiply_accumulates
from zoo.visualize.architecture.graph import (
    Graph,
    Vertex,
    contract,
    format_count,
    format_shape,
    read_graph,
    topological_order,
)
from zoo.visualize.network.flat_graph import flatten


def graph_of(*inputs):
    return Graph(tuple(Vertex(f"v{n}", "light", "x") for n in range(len(inputs))), inputs)


@pytest.fixture(scope="module")
def residual():
    pixels = keras.Input((16, 16, 3))
    x = skip = layers.Conv2D(8, 3, padding="same", name="conv")(pixels)
    x = layers.DepthwiseConv2D(3, padding="same", name="depthwise")(x)
    x = layers.Add(name="sum")([skip, x])
    x = layers.GlobalAveragePooling2D(name="mean")(x)
    return keras.Model(pixels, layers.Dense(4, activation="softmax", name="head")(x))


def test_figures_are_those_of_the_network(residual):
    graph = read_graph(flatten(residual))
    assert [vertex.name for vertex in graph.vertices] == ["pixels", "conv", "depthwise", "sum", "mean", "head"]
    assert sum(vertex.params for vertex in graph.vertices) == residual.count_params()
    assert sum(vertex.macs for vertex in graph.vertices) == multiply_accumulates(residual)
    assert graph.inputs == ((), (0,), (1,), (1, 2), (3,), (4,))
    assert [vertex.what for vertex in graph.vertices[1:]] == [
        "conv 3×3, 8",
        "depthwise 3×3",
        "+",
        "global mean",
        "dense, 4",
    ]
    assert graph.vertices[-1].after == ("softmax",)
    assert [graph.vertices[point].name for point in graph.split_points] == ["pixels", "conv", "sum", "mean", "head"]


def test_a_nested_network_of_any_size_costs_what_it_does_at_the_size_it_is_called_with():
    inner = keras.Sequential([keras.Input((None, None, 3)), layers.Conv2D(5, 3, name="conv")], name="inner")
    pixels = keras.Input((10, 12, 3))
    graph = read_graph(flatten(keras.Model(pixels, inner(pixels))))
    assert graph.vertices[1].name == "inner/conv"
    assert graph.vertices[1].shape == (8, 10, 5)
    assert graph.vertices[1].macs == 8 * 10 * 5 * 27


def test_a_layer_that_is_called_twice_has_its_weights_once_and_its_work_twice():
    shared = layers.Conv2D(4, 3, padding="same", name="shared")
    pixels = keras.Input((8, 8, 4))
    graph = read_graph(flatten(keras.Model(pixels, shared(shared(pixels)))))
    assert [vertex.params for vertex in graph.vertices] == [0, 148, 0]
    assert [vertex.macs for vertex in graph.vertices] == [0, 8 * 8 * 144, 8 * 8 * 144]


def test_what_everything_passes_after_a_vertex():
    #      0 → 1 → 2 → 4 → 5, 0 → 3 → 4
    graph = graph_of((), (0,), (1,), (0,), (2, 3), (4,))
    assert graph.post_dominators == (4, 2, 4, 4, 5, 5)
    assert graph.split_points == (0, 4, 5)


def test_equal_parts_are_in_equal_order():
    takes = {"end": ["b2", "a2"], "a2": ["x"], "b2": ["x"], "x": ["b1", "a1"], "a1": ["in"], "b1": ["in"], "in": []}
    assert topological_order(takes) == ["in", "b1", "a1", "x", "b2", "a2", "end"]


def test_what_goes_round_is_left_out():
    assert topological_order({"a": [], "b": ["a", "c"], "c": ["b"], "d": ["c"]}) == ["a"]


def test_a_group_on_both_sides_of_something_is_refused():
    graph = graph_of((), (0,), (1,), (2,))
    with pytest.raises(ValueError, match="has a cycle"):
        contract(graph, [0, 1, 2, 1], lambda found: found[0])
    small, places = contract(graph, [0, 1, 1, 3], lambda found: Vertex("both", "light", "x"))
    assert [vertex.name for vertex in small.vertices] == ["v0", "both", "v3"]
    assert small.inputs == ((), (0,), (1,)) and places == (0, 1, 1, 2)


@pytest.mark.parametrize(
    ("count", "text"),
    [(7, "7"), (999, "999"), (1000, "1.00 k"), (25_636_712, "25.6 M"), (999_999, "1.00 M"), (3.86e9, "3.86 G")],
)
def test_counts_have_three_digits(count, text):
    assert format_count(count) == text


def test_sizes_that_are_not_known_are_said_so():
    assert format_shape((None, 7, 64)) == "? × 7 × 64"
