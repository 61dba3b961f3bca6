"""Which vertices belong together: to a nested network, to a block, to a stage."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from zoo.core.spec import Stage
from zoo.visualize.architecture.graph import Graph, Vertex

#: Names of a block's layers begin with such words: ``conv4_block3_``, ``block5a_``, ``mixed7``, ``fire2_`` …
_BLOCK = re.compile(
    r"(?:.*_)?(?:(?:block|mixed|fire|inception|stem|cell|module|unit|layer)_?[a-z]?\d+[a-z]?|expanded_conv(?:_\d+)?)"
    r"(?=_|$)"
)
#: Larger than any block: a part of a network that nothing divides, such as NASNet, whose cells take two inputs each.
_UNDIVIDED = 60
#: A part of no name that is larger than this and than half of the network is the network, such as a U-Net's.
_SMALL = 12

#: Names of nested networks and of a block, from without to within.
Path = tuple[str, ...]


def paths(graph: Graph) -> list[Path]:
    """For each vertex the nested networks that it is in, and its block where it has one.

    Names say what a block is where they can. A part between two waists in which several branches run is a block
    whatever it is called: a residual block with its sum, a module with its concatenation.
    """
    keys = _blocks(graph)
    found = []
    for vertex, key in zip(graph.vertices, keys, strict=True):
        outer = tuple(vertex.name.split("/")[:-1])
        found.append((*outer, key) if key else outer)
    return found


def without_prefix(paths: list[Path], name: str) -> list[Path]:
    """Paths whose blocks do not all begin with the name of the network, as ``convnext_tiny_stage_0_block_0`` does."""
    keys = {path[-1] for path in paths if path}
    prefix = common_start(sorted(keys)) if len(keys) > 1 else ""
    plain = re.sub(r"\W|_", "", name).lower()
    ends = [place for place in range(len(prefix) + 1) if prefix[:place].replace("_", "").lower() == plain]
    if not ends or "_" not in prefix[ends[-1] - 1 : ends[-1] + 1]:
        return paths
    return [(*path[:-1], path[-1][ends[-1] :].lstrip("_")) if path else path for path in paths]


def unfolded(paths: list[Path]) -> tuple[list[Path], list[str]]:
    """Paths without the nested networks that hold most of a network, and the names of these.

    A trunk with a new head would be one frame in which everything is.
    """
    names: list[str] = []
    while True:
        outer, count = Counter(path[:1] for path in paths).most_common(1)[0]
        if not outer or count * 2 < len(paths):
            return paths, names
        names += outer
        paths = [path[1:] if path[:1] == outer else path for path in paths]


def _blocks(graph: Graph) -> list[str | None]:
    """The name of each vertex's block."""
    names = [vertex.name.rpartition("/")[2] for vertex in graph.vertices]
    keys: list[str | None] = [
        match[0] if not vertex.unnamed and (match := _BLOCK.match(name)) else None
        for vertex, name in zip(graph.vertices, names, strict=True)
    ]
    branched = [
        range(start + 1, end + 1) for start, end in zip(graph.waists, graph.waists[1:], strict=False) if end > start + 1
    ]
    settled: set[int] = set()
    for part in branched:
        if len({graph.vertices[vertex].name.rpartition("/")[0] for vertex in part}) > 1:
            continue
        key = _common_key(graph, part, names, keys)
        if key is not None:
            settled.update(part)
            for vertex in part:
                keys[vertex] = key
        elif len(part) > _UNDIVIDED:
            _divide(graph, part, keys)
    known = {keys[vertex] for vertex in settled}
    for vertex, name in enumerate(names):
        if vertex not in settled and keys[vertex] is not None:
            longer = [key for key in known if key and f"{name}_".startswith(f"{key}_")]
            keys[vertex] = max([keys[vertex] or "", *longer], key=len)
    for vertex, sources in enumerate(graph.inputs):
        # The activation after a sum belongs to the block that the sum ends.
        about = graph.vertices[vertex]
        if keys[vertex] is None and about.minor and not about.params and len(sources) == 1 and sources[0] in settled:
            keys[vertex] = keys[sources[0]]
    _fill(graph, keys)
    sizes = Counter(keys)
    return [key if key is not None and sizes[key] > 1 else None for key in keys]


def _fill(graph: Graph, keys: list[str | None]) -> None:
    """Layers without a name of their own belong to the block that is before them and after them."""
    after = list(keys)
    for vertex in range(len(keys) - 1, -1, -1):
        if after[vertex] is None:
            found = {after[consumer] for consumer in graph.consumers[vertex]}
            after[vertex] = found.pop() if len(found) == 1 else None
    for vertex, sources in enumerate(graph.inputs):
        if keys[vertex] is None and sources and {keys[source] for source in sources} == {after[vertex]}:
            keys[vertex] = after[vertex]


def _common_key(graph: Graph, part: range, names: Sequence[str], keys: Sequence[str | None]) -> str | None:
    """What a part with branches is called; ``None`` where it holds several blocks, or is none."""
    counts = Counter(key for vertex in part if (key := keys[vertex]) is not None)
    own = [names[vertex] for vertex in part if not graph.vertices[vertex].unnamed]
    if not counts:
        if len(part) > _UNDIVIDED or len(part) > max(_SMALL, len(names) / 2):
            return None
        prefix = common_start([f"{name}_" for name in own]).rpartition("_")[0]
        return prefix or names[part[-1]]
    key = keys[part[-1]] or counts.most_common(1)[0][0]
    if (counts.total() - counts[key]) * 10 > len(part):
        return None
    # block35_1_conv, block35_2_conv …: ten blocks of one kind, each with a number of its own.
    named = [name for name in own if name.startswith(f"{key}_")]
    further = {name[len(key) + 1 :].partition("_")[0] for name in named}
    if len(named) > 1 and len(further) == 1 and (number := further.pop()).isdecimal():
        return f"{key}_{number}"
    return key


def _divide(graph: Graph, part: range, keys: list[str | None]) -> None:
    """Divide a part by its concatenations: all that reaches the rest through one of them first belongs to it.

    So NASNet's cells are found, each of which takes what the two before it give.
    """
    roots: dict[int, int] = {}
    for vertex in reversed(part):
        above = vertex if graph.vertices[vertex].what == "concat" else roots.get(graph.next_waist[vertex])
        if above is not None:
            roots[vertex] = above
    sizes = Counter(roots.values())
    if len(sizes) < 2 or max(sizes.values()) > len(part) / 2:
        return
    usual = sorted(sizes.values())[len(sizes) // 2]
    for vertex, root in roots.items():
        # A small concatenation is a part of what takes it.
        whole = root
        while sizes[whole] < usual / 3 and graph.consumers[whole][0] in roots:
            whole = roots[graph.consumers[whole][0]]
        keys[vertex] = graph.vertices[whole].name.rpartition("/")[2]


def common_start(names: Sequence[str]) -> str:
    """The letters with which all names begin."""
    first, last = min(names, default=""), max(names, default="")
    return first[: next((place for place, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), len(first))]


def stage_of(graph: Graph, paths: Sequence[Path], stages: Sequence[Stage]) -> list[int]:
    """For each vertex the number of its stage: what a stage's last layer needs and no earlier stage does.

    Args:
        graph: the graph.
        paths: where its vertices are.
        stages: what the registry knows; without, what has one height and width, up to a waist between blocks.

    Returns:
        Numbers from 0; the last one is what comes after all stages.
    """
    names = [vertex.name for vertex in graph.vertices]
    ends = [names.index(stage.layer) for stage in stages if stage.layer in names]
    if len(ends) < len(stages) or not ends:
        ends = _waist_ends(graph, paths)
    found = [len(ends)] * len(names)
    for number, end in reversed(list(enumerate(ends))):
        open_ = [end]
        while open_:
            vertex = open_.pop()
            if found[vertex] > number:
                found[vertex] = number
                open_ += graph.inputs[vertex]
    return found


def _waist_ends(graph: Graph, paths: Sequence[Path]) -> list[int]:
    """The last waist of each height and width that is not within a block."""
    last: dict[tuple[int | None, ...], int] = {}
    for waist in graph.waists[1:-1]:
        shape = graph.vertices[waist].shape
        if paths[waist] and paths[waist] == paths[waist + 1]:
            continue
        if len(shape) > 2 and graph.vertices[waist].kind != "input" and shape[0] != 1:
            last[shape[:-1]] = waist
    ends = sorted(last.values())
    # Rescaling and padding alone are no stage.
    return [end for end in ends if any(vertex.params for vertex in graph.vertices[: end + 1])]


def arithmetic(graph: Graph) -> list[int]:
    """Groups of bare operations that together are one step, such as a local response normalisation.

    Returns:
        For each vertex a number; equal for those that belong together.
    """
    group = list(range(len(graph.vertices)))
    run: list[int] = []
    for start, end in zip(graph.waists, graph.waists[1:], strict=False):
        part = list(range(start + 1, end + 1))
        inside = [graph.vertices[vertex] for vertex in part]
        if all(vertex.bare or vertex.kind == "merge" for vertex in inside) and not (
            len(part) == 1 and inside[0].kind == "merge"
        ):
            run += part
            continue
        for vertex in run:
            group[vertex] = run[0]
        run = []
    for vertex in run:
        group[vertex] = run[0]
    return group


def as_arithmetic(vertices: list[Vertex]) -> Vertex:
    """Several bare operations as one."""
    last = vertices[-1]
    count = f"{len(vertices)} operations"
    return Vertex(
        name="arithmetic" if last.unnamed else last.name,
        kind="light",
        what="arithmetic" if last.unnamed else last.name.rpartition("/")[2],
        after=(count,),
        shape=last.shape,
        parts=tuple(part for vertex in vertices for part in vertex.parts),
    )
