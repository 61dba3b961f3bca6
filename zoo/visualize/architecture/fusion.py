"""Fusion of layers with their normalisation and activation into one box."""

from __future__ import annotations

from collections.abc import Sequence

from zoo.visualize.architecture.blocks import Path
from zoo.visualize.architecture.graph import Graph, Vertex, contract

#: Labels that are left out.
_UNSAID = ("pad", "identity", "linear")


def fuse_layers(graph: Graph, paths: Sequence[Path]) -> tuple[Graph, list[Path]]:
    """Fuse minor layers with the layer before, or, at the start of a block, with the layer after.

    ``paths`` are those of the vertices; the smaller graph is returned with those of its own.
    """
    unit = list(range(len(graph.vertices)))
    has_major = [not vertex.minor for vertex in graph.vertices]
    for number, vertex in enumerate(graph.vertices):
        if len(graph.inputs[number]) != 1:
            continue
        (source,) = graph.inputs[number]
        if len(graph.consumers[source]) > 1 or paths[source] != paths[number]:
            continue
        home = unit[source]
        if vertex.minor:
            joins = vertex.what != "pad" or not has_major[home]
        else:
            joins = not has_major[home] and vertex.kind != "merge"
        if joins:
            unit[number] = home
            has_major[home] = has_major[home] or not vertex.minor
    small, places = contract(graph, unit, _as_unit)
    found: list[Path] = [()] * len(small.vertices)
    for number, place in enumerate(places):
        found[place] = paths[number]
    return small, found


def _as_unit(vertices: list[Vertex]) -> Vertex:
    """A layer and its minor layers as one vertex."""
    place = next((number for number, vertex in enumerate(vertices) if not vertex.minor), None)
    before = [note for vertex in vertices[:place] for note in (vertex.what, *vertex.after) if note not in _UNSAID]
    if place is None:
        main, after = vertices[-1], []
        what, before = " · ".join(before) or vertices[-1].what, []
    else:
        main, what = vertices[place], vertices[place].what
        notes = [note for vertex in vertices[place + 1 :] for note in (vertex.what, *vertex.after)]
        after = [*main.after, *(note for note in notes if note not in _UNSAID)]
    return Vertex(
        name=main.name,
        kind=main.kind,
        what=what,
        before=tuple(before),
        after=tuple(after),
        minor=place is None,
        shape=vertices[-1].shape,
        params=sum(vertex.params for vertex in vertices),
        macs=sum(vertex.macs for vertex in vertices),
        parts=tuple(part for vertex in vertices for part in vertex.parts),
    )
