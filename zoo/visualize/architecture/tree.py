"""Frames within frames: what is drawn in what, and which frames are the same several times."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from zoo.visualize.architecture.graph import Graph, Shape, Vertex, sort
from zoo.visualize.architecture.grouping import Path, common_start


@dataclass(frozen=True)
class Edge:
    """From one child of a frame to another, and by which output and input where they are frames."""

    source: int
    target: int
    output: int = 0
    input: int = 0


@dataclass(frozen=True)
class Frame:
    """A block, a stage or a nested network: what is in it, and how that is joined."""

    name: str
    children: tuple[Frame | Vertex, ...]
    edges: tuple[Edge, ...]
    #: For each tensor that comes from without, the children that take it, and by which of their inputs.
    entries: tuple[tuple[tuple[int, int], ...], ...]
    #: The children, and which of their outputs, that something without takes.
    exits: tuple[tuple[int, int], ...]
    #: How often it comes, one after the other.
    count: int = 1
    params: int = 0
    macs: int = 0
    #: Of its output; ``None`` where several that are drawn as one differ.
    shape: Shape = ()
    #: The least and the most channels of the output, where several that are drawn as one differ.
    channels: tuple[int, int] | None = None


def tree(graph: Graph, paths: Sequence[Path], *, fold: bool, least: int = 2) -> Frame:
    """Put each vertex into the frames of its path.

    Args:
        graph: the graph.
        paths: for each vertex the names of its frames, from without to within.
        fold: whether frames that are the same one after the other become one.
        least: how many vertices an outermost frame has; what would have fewer is no frame.
    """
    return _frame("", graph, list(range(len(graph.vertices))), paths, 0, fold, least)


def _frame(
    name: str, graph: Graph, inside: list[int], paths: Sequence[Path], depth: int, fold: bool, least: int = 2
) -> Frame:
    group = _groups(graph, inside, paths, depth, least)
    members: dict[Any, list[int]] = {}
    for vertex in inside:
        members.setdefault(group[vertex], []).append(vertex)
    takes = {
        key: [group[source] for vertex in vertices for source in graph.inputs[vertex] if group.get(source, key) != key]
        for key, vertices in members.items()
    }
    order = sort(takes)
    place = {key: number for number, key in enumerate(order)}
    children: list[Frame | Vertex] = [
        graph.vertices[members[key][0]]
        if isinstance(key, int)
        else _frame(key, graph, members[key], paths, depth + 1, fold)
        for key in order
    ]
    # By which input and output of a child a tensor goes in and out.
    ins = {key: _sources(graph, members[key]) for key in order}
    outs = {key: _results(graph, members[key]) for key in order}

    def port(key: Any, source: int) -> int:
        # All lines into a box come in at one place.
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
        name=name,
        children=tuple(children),
        edges=tuple(edges),
        entries=tuple(entries),
        exits=exits,
        params=sum(graph.vertices[vertex].params for vertex in inside),
        macs=sum(graph.vertices[vertex].macs for vertex in inside),
        shape=graph.vertices[_results(graph, inside)[-1]].shape,
    )
    return _folded(frame) if fold else frame


def _groups(graph: Graph, inside: list[int], paths: Sequence[Path], depth: int, least: int) -> dict[int, Any]:
    """For each vertex the name of its frame at this depth, or its own number. A frame never goes round others."""
    sizes = Counter(paths[vertex][depth] for vertex in inside if len(paths[vertex]) > depth)
    # A frame round one box says nothing, mostly.
    group: dict[int, Any] = {
        vertex: paths[vertex][depth] if len(paths[vertex]) > depth and sizes[paths[vertex][depth]] >= least else vertex
        for vertex in inside
    }
    while True:
        takes: dict[Any, list[Any]] = {key: [] for key in group.values()}
        for vertex in inside:
            takes[group[vertex]] += [
                group[source] for source in graph.inputs[vertex] if group.get(source, group[vertex]) != group[vertex]
            ]
        stuck = set(takes) - set(sort(takes))
        broken = {key for key in stuck if isinstance(key, str)}
        if not broken:
            return group
        group = {vertex: vertex if key in broken else key for vertex, key in group.items()}


def _sources(graph: Graph, inside: Sequence[int]) -> list[int]:
    """What a group takes from without, in the order in which its vertices do."""
    own = set(inside)
    return list(dict.fromkeys(source for vertex in inside for source in graph.inputs[vertex] if source not in own))


def _results(graph: Graph, inside: Sequence[int]) -> list[int]:
    """What something without takes of a group, or the network gives."""
    own = set(inside)
    found = [vertex for vertex in inside if any(consumer not in own for consumer in graph.consumers[vertex])]
    return found or [inside[-1]]


def _folded(frame: Frame) -> Frame:
    """Make one of frames that are the same one after the other."""
    runs: list[list[int]] = []
    for number, child in enumerate(frame.children):
        alike = runs and isinstance(child, Frame) and _look(child) == _look(frame.children[runs[-1][0]])
        # What comes next in the order may be another branch.
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
        # What the second of several takes is clear from the first.
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
    """``conv4_block2–6``: the names from one to another."""
    common = common_start([first, last])
    # Not within a number: block_9 to block_12, not block_9–2.
    if last[len(common) : len(common) + 1].isdigit():
        common = common.rstrip("0123456789")
    return f"{first}–{last[len(common) :]}"


def _look(child: Frame | Vertex) -> Any:
    """What is drawn of a child. Channels may grow, as they do with each concatenation."""
    if isinstance(child, Vertex):
        return child.what, child.before, child.after, child.shape[:-1]
    return tuple(map(_look, child.children)), child.edges, child.entries, child.exits, child.count
