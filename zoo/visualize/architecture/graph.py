"""A model as a graph for drawing: one vertex per call of a layer, with its parameters and multiply-accumulates."""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeVar

import keras

from zoo.models.macs import layer_multiply_accumulates
from zoo.visualize.architecture.layer_labels import label_of
from zoo.visualize.network.flat_graph import FlatGraph

Shape = tuple[int | None, ...]
Key = TypeVar("Key", bound=Hashable)


@dataclass(frozen=True)
class Vertex:
    """A layer, or several drawn as one, which ``parts`` lists.

    ``what`` is the label, ``before`` and ``after`` are fused operations; a ``minor`` vertex can be fused, a ``bare``
    one is no layer, and Keras generated the name of an ``unnamed`` one. ``shape`` is without the batch.
    """

    name: str
    kind: str
    what: str
    before: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    minor: bool = False
    bare: bool = False
    unnamed: bool = False
    shape: Shape = ()
    params: int = 0
    macs: int = 0
    parts: tuple[str, ...] = ()


@dataclass(frozen=True)
class Graph:
    """Vertices in topological order, and the inputs of each."""

    vertices: tuple[Vertex, ...]
    inputs: tuple[tuple[int, ...], ...]

    @cached_property
    def consumers(self) -> tuple[tuple[int, ...], ...]:
        """For each vertex, those that use its output."""
        found: list[list[int]] = [[] for _ in self.vertices]
        for vertex, sources in enumerate(self.inputs):
            for source in sources:
                found[source].append(vertex)
        return tuple(map(tuple, found))

    @cached_property
    def post_dominators(self) -> tuple[int, ...]:
        """The immediate post-dominator of each vertex; of the last one itself."""
        last = len(self.vertices) - 1
        found = [last] * (last + 1)
        for vertex in range(last - 1, -1, -1):
            consumers = self.consumers[vertex] or (last,)
            common = set(consumers)
            while len(common) > 1:
                # Vertices precede their post-dominators, so the first one moves up.
                first = min(common)
                common.remove(first)
                common.add(found[first])
            found[vertex] = common.pop()
        return tuple(found)

    @cached_property
    def split_points(self) -> tuple[int, ...]:
        """The vertices on every path, in order; see :func:`zoo.models.graph.split_points`."""
        found = [0]
        while found[-1] != len(self.vertices) - 1:
            found.append(self.post_dominators[found[-1]])
        return tuple(found)


def group_inputs(graph: Graph, group_of: Mapping[int, Key]) -> dict[Key, list[Key]]:
    """The other groups from which the vertices of each group take inputs, given the group of some vertices."""
    takes: dict[Key, list[Key]] = {group: [] for group in group_of.values()}
    for vertex, group in group_of.items():
        takes[group] += [group_of[source] for source in graph.inputs[vertex] if group_of.get(source, group) != group]
    return takes


def contract(
    graph: Graph, group_of: Sequence[int], merge: Callable[[list[Vertex]], Vertex]
) -> tuple[Graph, tuple[int, ...]]:
    """Contract groups of vertices, given the group of each.

    ``merge`` makes one vertex of the members of a group, in order; it is not called for a group of one.
    """
    members: dict[int, list[int]] = {}
    for vertex, group in enumerate(group_of):
        members.setdefault(group, []).append(vertex)
    order = topological_order(group_inputs(graph, dict(enumerate(group_of))))
    if len(order) < len(members):
        raise ValueError("the contracted graph has a cycle")
    place = {group: number for number, group in enumerate(order)}
    vertices, inputs = [], []
    for group in order:
        inside = [graph.vertices[vertex] for vertex in members[group]]
        vertices.append(inside[0] if len(inside) == 1 else merge(inside))
        # In the order of use, in which branches are drawn side by side.
        sources = [group_of[source] for vertex in members[group] for source in graph.inputs[vertex]]
        inputs.append(tuple(dict.fromkeys(place[source] for source in sources if source != group)))
    return Graph(tuple(vertices), tuple(inputs)), tuple(place[group] for group in group_of)


def topological_order(takes: Mapping[Key, Iterable[Key]]) -> list[Key]:
    """Keys in depth-first topological order of what they take; cycles and what depends on them are left out.

    Equal parts are in equal order.
    """
    waiting = {key: len(set(sources)) for key, sources in takes.items()}
    feeds: dict[Key, list[Key]] = {key: [] for key in takes}
    for key, sources in takes.items():
        for source in set(sources):
            feeds[source].append(key)
    ready = [key for key, number in waiting.items() if not number]
    possible: set[Key] = set()
    while ready:
        key = ready.pop()
        possible.add(key)
        for consumer in feeds[key]:
            waiting[consumer] -= 1
            if not waiting[consumer]:
                ready.append(consumer)
    order: dict[Key, None] = {}
    ends = [key for key in takes if key in possible and not any(other in possible for other in feeds[key])]
    open_ = ends[::-1]
    while open_:
        key = open_[-1]
        missing = [source for source in takes[key] if source not in order]
        if missing:
            open_ += reversed(missing)
        else:
            order[open_.pop()] = None
    return list(order)


def read_graph(flat: FlatGraph) -> Graph:
    """The graph of a model; parameters of a shared layer count at its first call, multiply-accumulates at each."""
    model = flat.model
    names = {id(tensor): name for name, value in flat.tensors.items() for tensor in keras.tree.flatten(value)}
    calls = [node for level in sorted(model._nodes_by_depth, reverse=True) for node in model._nodes_by_depth[level]]
    maker = {id(tensor): number for number, node in enumerate(calls) for tensor in node.output_tensors}
    takes = {
        number: tuple(dict.fromkeys(maker[id(tensor)] for tensor in node.input_tensors))
        if not isinstance(node.operation, keras.layers.InputLayer)
        else ()
        for number, node in enumerate(calls)
    }
    order = topological_order(takes)
    place = {number: position for position, number in enumerate(order)}
    counted: set[int] = set()
    vertices = []
    for number in order:
        node = calls[number]
        operation, output = node.operation, node.output_tensors[0]
        about = label_of(operation, len(takes[number]))
        name = names.get(id(output), operation.name)
        is_layer = isinstance(operation, keras.layers.Layer)
        vertices.append(
            Vertex(
                name=name,
                kind=about.kind,
                what=about.what,
                after=about.notes,
                minor=about.minor,
                bare=not is_layer,
                unnamed=_automatic(operation),
                shape=tuple(output.shape[1:]),
                params=operation.count_params() if is_layer and id(operation) not in counted else 0,
                macs=_multiply_accumulates(operation, node) if is_layer else 0,
                parts=(f"{name}: {about.what}",) if about.kind != "input" else (),
            )
        )
        counted.add(id(operation))
    return Graph(tuple(vertices), tuple(tuple(place[source] for source in takes[number]) for number in order))


def _automatic(operation: Any) -> bool:
    """Whether Keras generated the name: the class in snake case and a number."""
    return re.sub(r"_\d+$", "", operation.name).replace("_", "") == type(operation).__name__.lower()


def _multiply_accumulates(layer: Any, node: Any) -> int:
    """The cost of one call; a layer built for another size is copied for it."""
    if not any(weight.name.endswith("kernel") for weight in layer.weights):
        return 0
    output = node.output_tensors[0]
    if None in output.shape[1:]:
        return 0
    if getattr(layer.output, "shape", None) != output.shape:
        copy = type(layer).from_config(layer.get_config())
        copy(*node.arguments.args, **node.arguments.kwargs)
        layer = copy
    return layer_multiply_accumulates(layer)


def format_count(count: float) -> str:
    """``1.23 M``: three digits and a unit."""
    if count < 1000:
        return f"{count:,.0f}"
    for unit in ("k", "M", "G", "T"):
        count /= 1000
        if count < 999.5 or unit == "T":
            break
    return f"{count:.{2 if count < 9.995 else 1 if count < 99.95 else 0}f} {unit}"


def format_shape(shape: Iterable[int | None]) -> str:
    """``56 × 56 × 256``."""
    return " × ".join("?" if value is None else f"{value}" for value in shape)
