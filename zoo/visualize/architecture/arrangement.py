"""Where boxes stand and lines run: rows with room between them for the lines that go sideways."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from zoo.visualize.architecture.alignment import aligned
from zoo.visualize.architecture.graph import sort
from zoo.visualize.architecture.layers import Layered, layered

Point = tuple[float, float]

#: Between neighbours in a row, between rows, and between lines that go sideways between two rows.
GAP, ROW_GAP, TRACK = 18.0, 18.0, 7.0
#: Below this, a line is straight.
_SAME = 0.5


@dataclass(frozen=True)
class Body:
    """What takes room: how far it reaches to the left and right of its line, and its height."""

    left: float
    right: float
    height: float
    #: Where lines come in and go out, from its own line.
    inputs: tuple[float, ...] = (0.0,)
    outputs: tuple[float, ...] = (0.0,)
    #: How far from its line its sides are where lines may come in there too, as into the sign of a sum; 0 otherwise.
    side: float = 0.0


@dataclass(frozen=True)
class Line:
    """From an output of one body to an input of another."""

    source: int
    target: int
    output: int = 0
    input: int = 0


@dataclass(frozen=True)
class Arrangement:
    """Where everything is, from the left and from the top."""

    x: list[float]
    top: list[float]
    lines: list[list[Point]]
    width: float
    height: float


def arranged(
    bodies: Sequence[Body], lines: Sequence[Line], *, last: Sequence[int] = (), in_line: bool = False
) -> Arrangement:
    """Arrange bodies from top to bottom.

    Args:
        bodies: numbered so that lines go upwards in number.
        lines: between them.
        last: bodies of the last row.
        in_line: whether the only body of the first row stands above the only one of the last.
    """
    graph = layered(len(bodies), [(line.source, line.target) for line in lines], last)
    x = aligned(graph, [(body.left, body.right) for body in bodies], GAP, len(bodies))
    if in_line:
        x[0] = x[len(bodies) - 1]
    ends = _Ends(bodies, lines, graph, x)
    tops, heights, at = [], [], 0.0
    tracks = [_tracks(ends, row) for row in range(len(graph.rows))]
    for row, nodes in enumerate(graph.rows):
        height = max((bodies[node].height for node in nodes if node < len(bodies)), default=0.0)
        tops.append(at)
        heights.append(height)
        sideways = max(tracks[row].values(), default=-1) + 1
        at += height + ROW_GAP + max(0, sideways - 1) * TRACK
    top = [
        tops[graph.row_of[node]] + (heights[graph.row_of[node]] - body.height) / 2 for node, body in enumerate(bodies)
    ]
    drawn = []
    for number, route in enumerate(graph.routes):
        line = lines[number]
        points = [(ends.leaves(number, 0), top[line.source] + bodies[line.source].height)]
        for step in range(len(route) - 1):
            row = graph.row_of[route[step]]
            a, b = ends.leaves(number, step), ends.arrives(number, step)
            if ends.from_side(number, step):
                middle = top[line.target] + bodies[line.target].height / 2
                side = bodies[line.target].side
                points += [(a, middle), (x[line.target] + (side if a > b else -side), middle)]
                break
            if abs(a - b) > _SAME:
                y = tops[row] + heights[row] + ROW_GAP / 2 + tracks[row][number] * TRACK
                points += [(a, y), (b, y)]
        else:
            points.append((ends.arrives(number, len(route) - 2), top[line.target]))
        drawn.append(points)
    width = max((x[node] + body.right for node, body in enumerate(bodies)), default=0.0)
    width = max([width, *(point[0] for points in drawn for point in points)])
    height = max((top[node] + body.height for node, body in enumerate(bodies)), default=0.0)
    return Arrangement(x[: len(bodies)], top, drawn, width, height)


class _Ends:
    """Where the part of a line between two rows begins and ends."""

    def __init__(self, bodies: Sequence[Body], lines: Sequence[Line], graph: Layered, x: list[float]) -> None:
        self.bodies, self.lines, self.graph, self.x = bodies, lines, graph, x
        self.row_nodes = graph.rows
        #: For each row the parts of lines that begin there: the line's number, and which of its parts.
        self.parts: list[list[tuple[int, int]]] = [[] for _ in graph.rows]
        for number, route in enumerate(graph.routes):
            for step in range(len(route) - 1):
                self.parts[graph.row_of[route[step]]].append((number, step))

    def leaves(self, number: int, step: int) -> float:
        node = self.graph.routes[number][step]
        return self.x[node] + (self.bodies[node].outputs[self.lines[number].output] if step == 0 else 0.0)

    def arrives(self, number: int, step: int) -> float:
        route = self.graph.routes[number]
        node = route[step + 1]
        last = step + 2 == len(route)
        return self.x[node] + (self.bodies[node].inputs[self.lines[number].input] if last else 0.0)

    def from_side(self, number: int, step: int) -> bool:
        """Whether a line goes down beside its end and comes in from the side: where nothing is in between."""
        route = self.graph.routes[number]
        target = self.lines[number].target
        if step + 2 < len(route) or not self.bodies[target].side:
            return False
        start, end = self.leaves(number, step), self.x[target]
        if abs(start - end) < self.bodies[target].side + 4:
            return False
        for node in self.graph.rows[self.graph.row_of[target]]:
            if node != target:
                reach = self.bodies[node] if node < len(self.bodies) else Body(0, 0, 0)
                left, right = self.x[node] - reach.left - 4, self.x[node] + reach.right + 4
                if left < max(start, end) and right > min(start, end):
                    return False
        return True


def _tracks(ends: _Ends, row: int) -> dict[int, int]:
    """For each line that goes sideways below a row, on which of the levels there.

    Lines from one place share a level, and so do lines to one place: they are seen to part, or to come together.
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
    # What comes down where another goes on down has to turn off above it.
    takes = {key: [other for other in bundles if other != key and begin[other] & finish[key]] for key in bundles}
    order = sort(takes)
    order += [key for key in bundles if key not in order]
    level: dict[tuple[str, float], int] = {}
    for key in order:
        least = max((level[other] + 1 for other in takes[key] if other in level), default=0)
        used = {level[other] for other in level if _overlap(begin[key] | finish[key], begin[other] | finish[other])}
        level[key] = next(number for number in range(least, least + len(bundles) + 1) if number not in used)
    return {number: level[key] for key, members in bundles.items() for number, _ in members}


def _overlap(one: set[float], other: set[float]) -> bool:
    return min(one) - TRACK < max(other) and min(other) - TRACK < max(one)
