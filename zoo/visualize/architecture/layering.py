"""Layer assignment and crossing minimisation: the row of each node, and the order within rows.

Sugiyama, Tagawa and Toda, "Methods for visual understanding of hierarchical system structures", 1981.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

#: Sweeps of crossing minimisation, down and up in turn.
_SWEEPS = 8


@dataclass(frozen=True)
class LayeredGraph:
    """Nodes in rows, left to right. An edge across rows has a dummy node in each, numbered after the real nodes.

    ``routes`` has the nodes of each edge, ``above`` and ``below`` the neighbours of each node in the next rows.
    """

    rows: list[list[int]]
    row_of: list[int]
    routes: list[list[int]]
    above: list[list[int]]
    below: list[list[int]]


def assign_layers(count: int, edges: Sequence[tuple[int, int]], last: Sequence[int] = ()) -> LayeredGraph:
    """Assign ``count`` nodes, in topological order, to rows by longest path with few crossings, ``last`` at the end."""
    row_of = [0] * count
    for source, target in sorted(edges):
        row_of[target] = max(row_of[target], row_of[source] + 1)
    bottom = max(row_of, default=0)
    if last:
        bottom = max([bottom, *(row_of[node] for node in last)])
        if any(row_of[node] == bottom for node in range(count) if node not in last):
            bottom += 1
        for node in last:
            row_of[node] = bottom
    routes = []
    for source, target in edges:
        route = [source]
        for row in range(row_of[source] + 1, row_of[target]):
            row_of.append(row)
            route.append(len(row_of) - 1)
        routes.append([*route, target])
    above: list[list[int]] = [[] for _ in row_of]
    below: list[list[int]] = [[] for _ in row_of]
    for route in routes:
        for upper, lower in itertools.pairwise(route):
            if upper not in above[lower]:
                above[lower].append(upper)
                below[upper].append(lower)
    rows = _ordered(_first_order(row_of, above, below, count), above, below)
    return LayeredGraph(rows, row_of, routes, above, below)


def _first_order(row_of: list[int], above: list[list[int]], below: list[list[int]], real: int) -> list[list[int]]:
    """Initial order by depth-first search, dummy nodes last, on the right."""
    rows: list[list[int]] = [[] for _ in range(max(row_of, default=-1) + 1)]
    seen: set[int] = set()
    for start in range(real):
        open_ = [start] if not above[start] else []
        while open_:
            node = open_.pop()
            if node in seen:
                continue
            seen.add(node)
            rows[row_of[node]].append(node)
            open_ += sorted(below[node], key=lambda lower: lower < real)
    return rows


def _ordered(rows: list[list[int]], above: list[list[int]], below: list[list[int]]) -> list[list[int]]:
    """Sort rows by the barycentres of their neighbours, down and up, and keep the best order."""
    best, fewest = [list(row) for row in rows], _crossings(rows, below)
    for sweep in range(_SWEEPS):
        if not fewest:
            break
        down = sweep % 2 == 0
        place = {node: number for row in rows for number, node in enumerate(row)}
        for row in rows if down else reversed(rows):
            neighbours = above if down else below
            beside = {node: [place[other] for other in neighbours[node]] or [place[node]] for node in row}
            middle = {node: sum(places) / len(places) for node, places in beside.items()}
            row.sort(key=middle.__getitem__)
            place.update((node, number) for number, node in enumerate(row))
        crossings = _crossings(rows, below)
        if crossings < fewest:
            best, fewest = [list(row) for row in rows], crossings
    return best


def _crossings(rows: list[list[int]], below: list[list[int]]) -> int:
    """The number of edge crossings."""
    total = 0
    for upper, lower in itertools.pairwise(rows):
        place = {node: number for number, node in enumerate(lower)}
        ends = [end for node in upper for end in sorted(place[other] for other in below[node])]
        total += sum(ends[j] < ends[i] for i in range(len(ends)) for j in range(i + 1, len(ends)))
    return total
