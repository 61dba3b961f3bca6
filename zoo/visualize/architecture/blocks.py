"""Blocks and stages: which vertices belong together, by name and by connection."""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Sequence

from zoo.core.spec import Stage
from zoo.visualize.architecture.graph import Graph, Vertex

#: Prefixes of the layers of a block: ``conv4_block3_``, ``block5a_``, ``mixed7``, ``fire2_`` …
_BLOCK = re.compile(
    r"(?:.*_)?(?:(?:block|mixed|fire|inception|stem|cell|module|unit|layer)_?[a-z]?\d+[a-z]?|expanded_conv(?:_\d+)?)"
    r"(?=_|$)"
)
#: Larger than any block: such a part has no split point within, as NASNet, whose cells take two inputs each.
_UNDIVIDED = 60
#: An unnamed part larger than this, and than half of the model, is no block, as in a U-Net.
_SMALL = 12

#: Names of nested models and of a block, from outer to inner.
Path = tuple[str, ...]


def block_paths(graph: Graph) -> list[Path]:
    """The nested models and the block of each vertex.

    Blocks are found by name. A part between two split points with several branches is a block whatever its name: a
    residual block with its sum, a module with its concatenation.
    """
    return [
        (*vertex.name.split("/")[:-1], *([key] if key else []))
        for vertex, key in zip(graph.vertices, _blocks(graph), strict=True)
    ]


def strip_prefix(paths: list[Path], name: str) -> list[Path]:
    """Paths without the model's name as a prefix of all blocks, as in ``convnext_tiny_stage_0_block_0``."""
    keys = {path[-1] for path in paths if path}
    prefix = common_prefix(sorted(keys)) if len(keys) > 1 else ""
    plain = re.sub(r"\W|_", "", name).lower()
    ends = [place for place in range(len(prefix) + 1) if prefix[:place].replace("_", "").lower() == plain]
    if not ends or "_" not in prefix[ends[-1] - 1 : ends[-1] + 1]:
        return paths
    return [(*path[:-1], path[-1][ends[-1] :].lstrip("_")) if path else path for path in paths]


def unnest(paths: list[Path]) -> tuple[list[Path], list[str]]:
    """Paths without nested models that contain most of the model, such as a backbone, and the names of these."""
    names: list[str] = []
    while True:
        outer, count = Counter(path[:1] for path in paths).most_common(1)[0]
        if not outer or count * 2 < len(paths):
            return paths, names
        names += outer
        paths = [path[1:] if path[:1] == outer else path for path in paths]


def _blocks(graph: Graph) -> list[str | None]:
    """The block of each vertex."""
    names = [vertex.name.rpartition("/")[2] for vertex in graph.vertices]
    keys: list[str | None] = [
        match[0] if not vertex.unnamed and (match := _BLOCK.match(name)) else None
        for vertex, name in zip(graph.vertices, names, strict=True)
    ]
    settled: set[int] = set()
    for start, end in itertools.pairwise(graph.split_points):
        part = range(start + 1, end + 1)
        if len(part) < 2 or len({graph.vertices[vertex].name.rpartition("/")[0] for vertex in part}) > 1:
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
        # The activation after a sum belongs to its block.
        about = graph.vertices[vertex]
        if keys[vertex] is None and about.minor and not about.params and len(sources) == 1 and sources[0] in settled:
            keys[vertex] = keys[sources[0]]
    _fill(graph, keys)
    sizes = Counter(keys)
    return [key if key is not None and sizes[key] > 1 else None for key in keys]


def _fill(graph: Graph, keys: list[str | None]) -> None:
    """Assign vertices between two of one block to it."""
    after = list(keys)
    for vertex in range(len(keys) - 1, -1, -1):
        if after[vertex] is None:
            found = {after[consumer] for consumer in graph.consumers[vertex]}
            after[vertex] = found.pop() if len(found) == 1 else None
    for vertex, sources in enumerate(graph.inputs):
        if keys[vertex] is None and sources and {keys[source] for source in sources} == {after[vertex]}:
            keys[vertex] = after[vertex]


def _common_key(graph: Graph, part: range, names: Sequence[str], keys: Sequence[str | None]) -> str | None:
    """The name of a part with branches; ``None`` if it contains several blocks, or is none."""
    counts = Counter(key for vertex in part if (key := keys[vertex]) is not None)
    own = [names[vertex] for vertex in part if not graph.vertices[vertex].unnamed]
    if not counts:
        if len(part) > _UNDIVIDED or len(part) > max(_SMALL, len(names) / 2):
            return None
        prefix = common_prefix([f"{name}_" for name in own]).rpartition("_")[0]
        return prefix or names[part[-1]]
    key = keys[part[-1]] or counts.most_common(1)[0][0]
    if (counts.total() - counts[key]) * 10 > len(part):
        return None
    # block35_1_conv, block35_2_conv …: numbered blocks of one kind.
    named = [name for name in own if name.startswith(f"{key}_")]
    further = {name[len(key) + 1 :].partition("_")[0] for name in named}
    if len(named) > 1 and len(further) == 1 and (number := further.pop()).isdecimal():
        return f"{key}_{number}"
    return key


def _divide(graph: Graph, part: range, keys: list[str | None]) -> None:
    """Divide a part by its concatenations, each with what reaches the rest through it first, as NASNet's cells."""
    roots: dict[int, int] = {}
    for vertex in reversed(part):
        above = vertex if graph.vertices[vertex].what == "concat" else roots.get(graph.post_dominators[vertex])
        if above is not None:
            roots[vertex] = above
    sizes = Counter(roots.values())
    if len(sizes) < 2 or max(sizes.values()) > len(part) / 2:
        return
    usual = sorted(sizes.values())[len(sizes) // 2]
    for vertex, root in roots.items():
        # A small concatenation is a part of its consumer.
        whole = root
        while sizes[whole] < usual / 3 and graph.consumers[whole][0] in roots:
            whole = roots[graph.consumers[whole][0]]
        keys[vertex] = graph.vertices[whole].name.rpartition("/")[2]


def common_prefix(names: Sequence[str]) -> str:
    """The common prefix."""
    first, last = min(names, default=""), max(names, default="")
    return first[: next((place for place, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), len(first))]


def assign_stages(graph: Graph, paths: Sequence[Path], stages: Sequence[Stage]) -> list[int]:
    """The stage of each vertex, from 0: what its last layer depends on and no earlier stage does; the head is last.

    Without stages of the registry, a stage is what has one height and width, up to a split point between blocks.
    """
    names = [vertex.name for vertex in graph.vertices]
    ends = [names.index(stage.layer) for stage in stages if stage.layer in names]
    if len(ends) < len(stages) or not ends:
        ends = _size_ends(graph, paths)
    found = [len(ends)] * len(names)
    for number, end in reversed(list(enumerate(ends))):
        open_ = [end]
        while open_:
            vertex = open_.pop()
            if found[vertex] > number:
                found[vertex] = number
                open_ += graph.inputs[vertex]
    return found


def _size_ends(graph: Graph, paths: Sequence[Path]) -> list[int]:
    """The last split point of each height and width that is not within a block."""
    last: dict[tuple[int | None, ...], int] = {}
    for point in graph.split_points[1:-1]:
        shape = graph.vertices[point].shape
        if paths[point] and paths[point] == paths[point + 1]:
            continue
        if len(shape) > 2 and graph.vertices[point].kind != "input" and shape[0] != 1:
            last[shape[:-1]] = point
    ends = sorted(last.values())
    # Preprocessing alone is no stage.
    return [end for end in ends if any(vertex.params for vertex in graph.vertices[: end + 1])]


def arithmetic_groups(graph: Graph) -> list[int]:
    """Consecutive operations that form one step, such as a local response normalisation: a group for each vertex."""

    def arithmetic(part: range) -> bool:
        inside = [graph.vertices[vertex] for vertex in part]
        single = len(part) == 1 and inside[0].kind == "merge"
        return not single and all(vertex.bare or vertex.kind == "merge" for vertex in inside)

    group = list(range(len(graph.vertices)))
    parts = [range(start + 1, end + 1) for start, end in itertools.pairwise(graph.split_points)]
    for joined, run in itertools.groupby(parts, arithmetic):
        if joined:
            vertices = [vertex for part in run for vertex in part]
            group[vertices[0] : vertices[-1] + 1] = [vertices[0]] * len(vertices)
    return group


def merge_arithmetic(vertices: list[Vertex]) -> Vertex:
    """Several operations as one vertex."""
    last = vertices[-1]
    return Vertex(
        name="arithmetic" if last.unnamed else last.name,
        kind="light",
        what="arithmetic" if last.unnamed else last.name.rpartition("/")[2],
        after=(f"{len(vertices)} operations",),
        shape=last.shape,
        parts=tuple(part for vertex in vertices for part in vertex.parts),
    )
