"""The layout: y coordinates of rows, with room between them for the horizontal parts of edges, and edge routing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from zoo.visualize.architecture.coordinates import assign_coordinates
from zoo.visualize.architecture.graph import topological_order
from zoo.visualize.architecture.layering import LayeredGraph, assign_layers

Point = tuple[float, float]

#: Between neighbours in a row, between rows, and between horizontal parts of edges.
GAP, ROW_GAP, TRACK = 18.0, 18.0, 7.0
#: Below this offset, an edge is straight.
_SAME = 0.5


@dataclass(frozen=True)
class Node:
    """Extent to the left and right of its axis, height, and offsets of its ports from the axis.

    ``side`` is the offset of its sides if edges may enter there too, as into the sign of a sum; else 0.
    """

    left: float
    right: float
    height: float
    inputs: tuple[float, ...] = (0.0,)
    outputs: tuple[float, ...] = (0.0,)
    side: float = 0.0


@dataclass(frozen=True)
class Link:
    """An edge from an output port of one node to an input port of another."""

    source: int
    target: int
    output: int = 0
    input: int = 0


@dataclass(frozen=True)
class Layout:
    """The coordinates of nodes and edges."""

    x: list[float]
    top: list[float]
    paths: list[list[Point]]
    width: float
    height: float


def lay_out(nodes: Sequence[Node], links: Sequence[Link], *, last: Sequence[int] = (), in_line: bool = False) -> Layout:
    """Lay out nodes, in topological order, from top to bottom.

    ``last`` are the nodes of the last row; with ``in_line`` the only node of the first row is aligned with it.
    """
    graph = assign_layers(len(nodes), [(link.source, link.target) for link in links], last)
    x = assign_coordinates(graph, [(one.left, one.right) for one in nodes], GAP, len(nodes))
    if in_line:
        x[0] = x[len(nodes) - 1]
    ends = _Ends(nodes, links, graph, x)
    tops, heights, at = [], [], 0.0
    tracks = [_tracks(ends, row) for row in range(len(graph.rows))]
    for row, members in enumerate(graph.rows):
        height = max((nodes[node].height for node in members if node < len(nodes)), default=0.0)
        tops.append(at)
        heights.append(height)
        sideways = max(tracks[row].values(), default=-1) + 1
        at += height + ROW_GAP + max(0, sideways - 1) * TRACK
    top = [tops[graph.row_of[node]] + (heights[graph.row_of[node]] - one.height) / 2 for node, one in enumerate(nodes)]
    drawn = []
    for number, route in enumerate(graph.routes):
        link = links[number]
        points = [(ends.leaves(number, 0), top[link.source] + nodes[link.source].height)]
        for step in range(len(route) - 1):
            row = graph.row_of[route[step]]
            a, b = ends.leaves(number, step), ends.arrives(number, step)
            if ends.from_side(number, step):
                middle = top[link.target] + nodes[link.target].height / 2
                side = nodes[link.target].side
                points += [(a, middle), (x[link.target] + (side if a > b else -side), middle)]
                break
            if abs(a - b) > _SAME:
                y = tops[row] + heights[row] + ROW_GAP / 2 + tracks[row][number] * TRACK
                points += [(a, y), (b, y)]
        else:
            points.append((ends.arrives(number, len(route) - 2), top[link.target]))
        drawn.append(points)
    width = max((x[node] + one.right for node, one in enumerate(nodes)), default=0.0)
    width = max([width, *(point[0] for points in drawn for point in points)])
    height = max((top[node] + one.height for node, one in enumerate(nodes)), default=0.0)
    return Layout(x[: len(nodes)], top, drawn, width, height)


class _Ends:
    """Where the segment of an edge between two rows begins and ends."""

    def __init__(self, nodes: Sequence[Node], links: Sequence[Link], graph: LayeredGraph, x: list[float]) -> None:
        self.nodes, self.links, self.graph, self.x = nodes, links, graph, x
        #: For each row the segments that begin there: the edge's number, and the segment's.
        self.parts: list[list[tuple[int, int]]] = [[] for _ in graph.rows]
        for number, route in enumerate(graph.routes):
            for step in range(len(route) - 1):
                self.parts[graph.row_of[route[step]]].append((number, step))

    def leaves(self, number: int, step: int) -> float:
        node = self.graph.routes[number][step]
        return self.x[node] + (self.nodes[node].outputs[self.links[number].output] if step == 0 else 0.0)

    def arrives(self, number: int, step: int) -> float:
        route = self.graph.routes[number]
        node = route[step + 1]
        last = step + 2 == len(route)
        return self.x[node] + (self.nodes[node].inputs[self.links[number].input] if last else 0.0)

    def from_side(self, number: int, step: int) -> bool:
        """Whether an edge enters its target from the side, which nothing obstructs."""
        route = self.graph.routes[number]
        target = self.links[number].target
        if step + 2 < len(route) or not self.nodes[target].side:
            return False
        start, end = self.leaves(number, step), self.x[target]
        if abs(start - end) < self.nodes[target].side + 4:
            return False
        for node in self.graph.rows[self.graph.row_of[target]]:
            if node != target:
                reach = self.nodes[node] if node < len(self.nodes) else Node(0, 0, 0)
                left, right = self.x[node] - reach.left - 4, self.x[node] + reach.right + 4
                if left < max(start, end) and right > min(start, end):
                    return False
        return True


def _tracks(ends: _Ends, row: int) -> dict[int, int]:
    """The track of each edge with a horizontal part below a row.

    Edges from one port share a track, and so do edges to one port.
    """
    parts = [
        (number, step)
        for number, step in ends.parts[row]
        if abs(ends.leaves(number, step) - ends.arrives(number, step)) > _SAME and not ends.from_side(number, step)
    ]
    starts = [round(ends.leaves(number, step), 1) for number, step in ends.parts[row]]
    bundles: dict[tuple[str, float], list[tuple[int, int]]] = {}
    for number, step in parts:
        start = round(ends.leaves(number, step), 1)
        shared = starts.count(start) > 1
        key = ("from", start) if shared else ("to", round(ends.arrives(number, step), 1))
        bundles.setdefault(key, []).append((number, step))
    begin = {key: {round(ends.leaves(*part), 1) for part in members} for key, members in bundles.items()}
    finish = {key: {round(ends.arrives(*part), 1) for part in members} for key, members in bundles.items()}
    # An edge that arrives where another begins turns above it.
    takes = {key: [other for other in bundles if other != key and begin[other] & finish[key]] for key in bundles}
    order = topological_order(takes)
    order += [key for key in bundles if key not in order]
    level: dict[tuple[str, float], int] = {}
    for key in order:
        least = max((level[other] + 1 for other in takes[key] if other in level), default=0)
        used = {level[other] for other in level if _overlap(begin[key] | finish[key], begin[other] | finish[other])}
        level[key] = next(number for number in range(least, least + len(bundles) + 1) if number not in used)
    return {number: level[key] for key, members in bundles.items() for number, _ in members}


def _overlap(one: set[float], other: set[float]) -> bool:
    return min(one) - TRACK < max(other) and min(other) - TRACK < max(one)
