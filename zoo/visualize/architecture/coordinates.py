"""Coordinate assignment of a layered drawing: the x coordinates of nodes, so that edges are straight.

Brandes and Köpf, "Fast and simple horizontal coordinate assignment", 2001: four drawings, each compacted towards one
corner, and the mean of the middle two for each node. Here the longest branch, such as the main path of a residual
block, is aligned with what is above and below it.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence

from zoo.visualize.architecture.layering import LayeredGraph

#: Extent of a node to the left and to the right of its axis.
Extent = tuple[float, float]


def assign_coordinates(graph: LayeredGraph, extents: Sequence[Extent], gap: float, real: int) -> list[float]:
    """The x coordinate of the axis of each node, given the extents of the real ones and the gap between neighbours."""
    wide = [*extents, *[(0.0, 0.0)] * (len(graph.row_of) - real)]
    main_above, main_below = _main(graph, real)
    drawings = []
    for upwards in (False, True):
        for mirrored in (False, True):
            rows = [row[::-1] if mirrored else row for row in (graph.rows[::-1] if upwards else graph.rows)]
            neighbours = graph.below if upwards else graph.above
            mains = (main_below, main_above) if upwards else (main_above, main_below)

            def apart(left: int, right: int, mirrored: bool = mirrored) -> float:
                # Edges side by side need less room.
                space = gap if left < real or right < real else gap * 0.6
                if mirrored:
                    left, right = right, left
                return wide[left][1] + space + wide[right][0]

            found = _one_drawing(rows, neighbours, mains, apart, real)
            drawings.append([-value for value in found] if mirrored else found)
    return _balanced(drawings, wide)


def _main(graph: LayeredGraph, real: int) -> tuple[dict[int, int], dict[int, int]]:
    """For nodes with two neighbours above, or below, the one on the longer path, dummy nodes not counted."""
    count = len(graph.row_of)
    order = sorted(range(count), key=graph.row_of.__getitem__)
    from_top, from_bottom = [0] * count, [0] * count
    for node in order:
        from_top[node] = max((from_top[other] for other in graph.above[node]), default=0) + (node < real)
    for node in reversed(order):
        from_bottom[node] = max((from_bottom[other] for other in graph.below[node]), default=0) + (node < real)

    def choose(neighbours: list[list[int]], length: list[int]) -> dict[int, int]:
        found = {}
        for node in range(count):
            lengths = sorted((length[other] for other in neighbours[node]), reverse=True)
            if len(lengths) == 2 and lengths[0] > lengths[1]:
                found[node] = max(neighbours[node], key=length.__getitem__)
        return found

    return choose(graph.above, from_top), choose(graph.below, from_bottom)


def _one_drawing(
    rows: list[list[int]],
    neighbours: list[list[int]],
    mains: tuple[dict[int, int], dict[int, int]],
    apart: Callable[[int, int], float],
    real: int,
) -> list[float]:
    """One of the four drawings: vertical alignment with median neighbours, then compaction to the left.

    ``neighbours`` are those in the row above, ``mains`` of :func:`_main` for both directions, ``apart`` the distance of
    two neighbours in a row.
    """
    main, opposite = mains
    place = {node: number for row in rows for number, node in enumerate(row)}
    taken = _straight(rows, neighbours, place, real)
    root = {node: node for row in rows for node in row}
    for row in rows:
        reached = -1
        for node in row:
            others = sorted(neighbours[node], key=place.__getitem__)
            middle = others[(len(others) - 1) // 2 : len(others) // 2 + 1]
            for other in [main[node]] if node in main else middle:
                if opposite.get(other, node) != node:
                    continue
                if place[other] > reached and (other, node) not in taken and root[node] == node:
                    root[node] = root[other]
                    reached = place[other]
    return _compact(rows, root, apart)


def _straight(
    rows: list[list[int]], neighbours: list[list[int]], place: dict[int, int], real: int
) -> set[tuple[int, int]]:
    """Edges that cross an edge between dummy nodes, which stays straight (type 1 conflicts)."""
    taken = set()
    for row in rows:
        passing = [
            (place[other], place[node]) for node in row if node >= real for other in neighbours[node] if other >= real
        ]
        for node in row:
            for other in neighbours[node]:
                if node >= real and other >= real:
                    continue
                if any((place[other] - a) * (place[node] - b) < 0 for a, b in passing):
                    taken.add((other, node))
    return taken


def _compact(rows: list[list[int]], root: dict[int, int], apart: Callable[[int, int], float]) -> list[float]:
    """Move aligned columns as far to the left as possible, then back towards their right neighbours."""
    left_of: dict[int, dict[int, float]] = {}
    right_of: dict[int, dict[int, float]] = {}
    for row in rows:
        for left, right in itertools.pairwise(row):
            a, b = root[left], root[right]
            space = max(apart(left, right), left_of.get(b, {}).get(a, 0.0))
            left_of.setdefault(b, {})[a] = space
            right_of.setdefault(a, {})[b] = space
    order: list[int] = []
    waiting = {column: len(left_of.get(column, {})) for column in dict.fromkeys(root.values())}
    ready = [column for column, number in waiting.items() if not number]
    at: dict[int, float] = {}
    while ready:
        column = ready.pop()
        order.append(column)
        at[column] = max((at[left] + space for left, space in left_of.get(column, {}).items()), default=0.0)
        for right in right_of.get(column, {}):
            waiting[right] -= 1
            if not waiting[right]:
                ready.append(right)
    for column in reversed(order):
        rights = right_of.get(column, {})
        if rights:
            at[column] = max(at[column], min(at[right] - space for right, space in rights.items()))
    return [at[root[node]] for node in range(len(root))]


def _balanced(drawings: list[list[float]], wide: Sequence[Extent]) -> list[float]:
    """The mean of the middle two drawings, after all are aligned with the narrowest; the leftmost edge is 0."""
    spans = [
        (
            min(value - reach[0] for value, reach in zip(drawing, wide, strict=True)),
            max(value + reach[1] for value, reach in zip(drawing, wide, strict=True)),
        )
        for drawing in drawings
    ]
    narrow = min(range(len(drawings)), key=lambda number: spans[number][1] - spans[number][0])
    moved = []
    for number, drawing in enumerate(drawings):
        # Every second one is compacted to the right.
        side = number % 2
        shift = spans[narrow][side] - spans[number][side]
        moved.append([value + shift for value in drawing])
    found = [sum(sorted(values)[1:3]) / 2 for values in zip(*moved, strict=True)]
    start = min(value - reach[0] for value, reach in zip(found, wide, strict=True))
    return [value - start for value in found]
