"""Nested frames (clusters) of a drawing, and repeated ones folded into one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from zoo.visualize.architecture.blocks import Path, common_prefix
from zoo.visualize.architecture.graph import Graph, Shape, Vertex, group_inputs, topological_order


@dataclass(frozen=True)
class Edge:
    """An edge between two children of a frame, and the ports if they are frames."""

    source: int
    target: int
    output: int = 0
    input: int = 0


@dataclass(frozen=True)
class Frame:
    """A block, a stage or a nested model; ``count`` consecutive repetitions of it."""

    name: str
    children: tuple[Frame | Vertex, ...]
    edges: tuple[Edge, ...]
    #: For each input tensor, the children that use it, and their input ports.
    entries: tuple[tuple[tuple[int, int], ...], ...]
    #: The children whose outputs are used outside, and their output ports.
    exits: tuple[tuple[int, int], ...]
    count: int = 1
    params: int = 0
    macs: int = 0
    shape: Shape = ()
    #: Minimum and maximum channels of the output, if repetitions differ.
    channels: tuple[int, int] | None = None

    def vertices(self) -> Iterator[Vertex]:
        """All vertices within, in order."""
        for child in self.children:
            if isinstance(child, Frame):
                yield from child.vertices()
            else:
                yield child


def build_hierarchy(graph: Graph, paths: Sequence[Path], *, fold: bool, least: int = 2) -> Frame:
    """Nest each vertex in the frames of its path.

    With ``fold`` equal consecutive frames become one; an outermost frame has at least ``least`` vertices.
    """
    return _frame("", graph, list(range(len(graph.vertices))), paths, 0, fold, least)


def _frame(
    name: str, graph: Graph, inside: list[int], paths: Sequence[Path], depth: int, fold: bool, least: int = 2
) -> Frame:
    group = _groups(graph, inside, paths, depth, least)
    members: dict[Any, list[int]] = {}
    for vertex in inside:
        members.setdefault(group[vertex], []).append(vertex)
    order = topological_order(group_inputs(graph, group))
    place = {key: number for number, key in enumerate(order)}
    children: list[Frame | Vertex] = [
        graph.vertices[members[key][0]]
        if isinstance(key, int)
        else _frame(key, graph, members[key], paths, depth + 1, fold)
        for key in order
    ]
    # Input and output ports of the children.
    ins = {key: _sources(graph, members[key]) for key in order}
    outs = {key: _results(graph, members[key]) for key in order}

    def port(key: Any, source: int) -> int:
        # A box has one input port.
        return ins[key].index(source) if isinstance(key, str) else 0

    edges = [
        Edge(place[group[source]], place[key], outs[group[source]].index(source), port(key, source))
        for key in order
        for source in ins[key]
        if source in group
    ]
    entries = [
        tuple((place[key], port(key, source)) for key in order if source in ins[key])
        for source in _sources(graph, inside)
    ]
    exits = tuple((place[group[result]], outs[group[result]].index(result)) for result in _results(graph, inside))
    frame = Frame(
        name,
        tuple(children),
        tuple(edges),
        tuple(entries),
        exits,
        params=sum(graph.vertices[vertex].params for vertex in inside),
        macs=sum(graph.vertices[vertex].macs for vertex in inside),
        shape=graph.vertices[_results(graph, inside)[-1]].shape,
    )
    return _folded(frame) if fold else frame


def _groups(graph: Graph, inside: list[int], paths: Sequence[Path], depth: int, least: int) -> dict[int, Any]:
    """For each vertex the name of its frame at this depth, or its own number. A frame must not form a cycle."""
    sizes = Counter(paths[vertex][depth] for vertex in inside if len(paths[vertex]) > depth)
    group: dict[int, Any] = {
        vertex: paths[vertex][depth] if len(paths[vertex]) > depth and sizes[paths[vertex][depth]] >= least else vertex
        for vertex in inside
    }
    while True:
        takes = group_inputs(graph, group)
        broken = {key for key in set(takes) - set(topological_order(takes)) if isinstance(key, str)}
        if not broken:
            return group
        group = {vertex: vertex if key in broken else key for vertex, key in group.items()}


def _sources(graph: Graph, inside: Sequence[int]) -> list[int]:
    """The inputs of a group, in order of use."""
    own = set(inside)
    return list(dict.fromkeys(source for vertex in inside for source in graph.inputs[vertex] if source not in own))


def _results(graph: Graph, inside: Sequence[int]) -> list[int]:
    """The vertices of a group that are used outside, or the model's output."""
    own = set(inside)
    found = [vertex for vertex in inside if any(consumer not in own for consumer in graph.consumers[vertex])]
    return found or [inside[-1]]


def _folded(frame: Frame) -> Frame:
    """Fold equal consecutive frames into one."""
    runs: list[list[int]] = []
    for number, child in enumerate(frame.children):
        alike = runs and isinstance(child, Frame) and _appearance(child) == _appearance(frame.children[runs[-1][0]])
        # The next in order may be another branch.
        if alike and any(edge.source == runs[-1][-1] and edge.target == number for edge in frame.edges):
            runs[-1].append(number)
        else:
            runs.append([number])
    if len(runs) == len(frame.children):
        return frame
    place = {child: number for number, run in enumerate(runs) for child in run}
    first = {run[0] for run in runs}
    edges = dict.fromkeys(
        replace(edge, source=place[edge.source], target=place[edge.target])
        for edge in frame.edges
        # The inputs of repetitions are those of the first.
        if edge.target in first
    )
    return replace(
        frame,
        children=tuple(_as_one([frame.children[child] for child in run]) for run in runs),
        edges=tuple(edges),
        entries=tuple(
            tuple(dict.fromkeys((place[child], port) for child, port in entry if child in first))
            for entry in frame.entries
        ),
        exits=tuple(dict.fromkeys((place[child], port) for child, port in frame.exits)),
    )


def _as_one(children: list[Any]) -> Any:
    first, last = children[0], children[-1]
    if len(children) == 1:
        return first
    channels = [child.shape[-1] for child in children if child.shape]
    return replace(
        first,
        name=span(first.name, last.name),
        count=len(children),
        params=sum(child.params for child in children),
        macs=sum(child.macs for child in children),
        shape=last.shape,
        channels=(min(channels), max(channels)) if len(set(channels)) > 1 and None not in channels else None,
    )


def span(first: str, last: str) -> str:
    """The names from one to another: ``conv4_block2–6``."""
    common = common_prefix([first, last])
    # Not within a number: block_9–12.
    if last[len(common) : len(common) + 1].isdigit():
        common = common.rstrip("0123456789")
    return f"{first}–{last[len(common) :]}"


def _appearance(child: Frame | Vertex) -> Any:
    """What is drawn of a child, except the channels, which may grow."""
    if isinstance(child, Vertex):
        return child.what, child.before, child.after, child.shape[:-1]
    return tuple(map(_appearance, child.children)), child.edges, child.entries, child.exits, child.count
