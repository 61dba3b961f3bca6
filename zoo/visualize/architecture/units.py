"""Layers as a person counts them: a convolution with its normalisation and activation is one."""

from __future__ import annotations

from collections.abc import Sequence

from zoo.visualize.architecture.graph import Contraction, Graph, Vertex, contract
from zoo.visualize.architecture.grouping import Path

#: What says nothing about a unit.
_UNSAID = ("pad", "identity", "linear")


def units(graph: Graph, paths: Sequence[Path]) -> tuple[Graph, list[Path]]:
    """Join what has no box of its own to the layer that it belongs to.

    That is mostly the one before; where a block begins with normalisation and activation, the one after.

    Args:
        graph: the graph.
        paths: where each vertex is.

    Returns:
        The smaller graph, and where its vertices are.
    """
    unit = list(range(len(graph.vertices)))
    #: Units that have a layer that is more than a note.
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
            # Nothing is put before a sum.
            joins = not has_major[home] and vertex.kind != "merge"
        if joins:
            unit[number] = home
            has_major[home] = has_major[home] or not vertex.minor
    made: Contraction = contract(graph, unit, as_unit)
    found: list[Path] = [()] * len(made.graph.vertices)
    for number, place in enumerate(made.place):
        found[place] = paths[number]
    return made.graph, found


def as_unit(vertices: list[Vertex]) -> Vertex:
    """A layer and its notes as one vertex."""
    place = next((number for number, vertex in enumerate(vertices) if not vertex.minor), None)
    before = [note for vertex in vertices[:place] for note in (vertex.what, *vertex.after) if note not in _UNSAID]
    if place is None:
        main, after = vertices[-1], []
        what, before = " · ".join(before) or vertices[-1].what, []
    else:
        main, what = vertices[place], vertices[place].what
        after = [*main.after]
        for vertex in vertices[place + 1 :]:
            after += [note for note in (vertex.what, *vertex.after) if note not in _UNSAID]
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
