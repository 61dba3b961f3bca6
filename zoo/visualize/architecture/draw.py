"""``zoo.visualize.graph``: draw the architecture of a model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from zoo.core.errors import UsageError

if TYPE_CHECKING:
    import keras

    from zoo.core.spec import ModelSpec
    from zoo.visualize.architecture.graph import Graph
    from zoo.visualize.architecture.hierarchy import Frame
    from zoo.visualize.network.inspected_model import InspectedModel

LEVELS = ("stages", "blocks", "layers")
#: A model of up to so many layers is drawn by layers, and one of more boxes than this by stages.
_FEW, _MANY = 12, 170


def graph(model: str | ModelSpec | InspectedModel | keras.Model, *, level: str | None = None) -> str:
    """Draw the architecture of a model.

    Args:
        model: a name, a ``.keras`` file, a ``.yaml`` network, or a Keras model. A name needs no weights.
        level: ``"stages"``, ``"blocks"`` or ``"layers"``; the finest that fits a page if omitted.

    Returns:
        The text of an SVG file.

    Raises:
        UsageError: an unknown name or level, or a subclassed model.
    """
    if level is not None and level not in LEVELS:
        raise UsageError(f"There is no level '{level}'; a drawing has {', '.join(LEVELS)}.")
    network, name, stages = _opened(model)
    # An unknown name gives an error before a framework is imported.
    from zoo.reports.plots.canvas import clean
    from zoo.visualize.architecture.blocks import arithmetic_groups, merge_arithmetic
    from zoo.visualize.architecture.graph import contract, format_count, format_shape, read_graph
    from zoo.visualize.architecture.svg import svg
    from zoo.visualize.network.flat_graph import FlatGraph, flatten

    flat: FlatGraph = network if isinstance(network, FlatGraph) else flatten(network)
    whole = read_graph(flat)
    whole = contract(whole, arithmetic_groups(whole), merge_arithmetic)[0]
    level, content, inner = _at_level(level, whole, stages, name)
    params, macs = (sum(getattr(vertex, key) for vertex in whole.vertices) for key in ("params", "macs"))
    about = (
        f"{level} · input {format_shape(whole.vertices[0].shape)} · {params:,} parameters · "
        f"{format_count(macs)} multiply-accumulates"
    )
    if inner:
        about += f" · with the layers of {' and '.join(map(clean, inner))}"
    return svg(content, title=clean(name), about=about, by_stage=level == "stages", named=level == "layers")


def resolve(model: str) -> ModelSpec:
    """The spec of a name, ``NAME:TAG``, a ``.keras`` file or a ``.yaml`` network."""
    from zoo.catalog import registry
    from zoo.pretrained import keras_file

    return keras_file.read_spec(model) if keras_file.is_file(model) else registry.resolve(model)[0]


def _opened(model: Any) -> tuple[Any, str, Any]:
    """A Keras model or a flat graph, its name, and its stages if known."""
    from zoo.core.spec import ModelSpec

    if isinstance(model, str):
        model = resolve(model)
    if isinstance(model, ModelSpec):
        from zoo import models

        return models.create_model(model, None), model.name, model.stages
    if hasattr(model, "flat"):
        return model.flat, model.name, model.stages
    return model, str(model.name), ()


def _at_level(level: str | None, whole: Graph, stages: Any, name: str) -> tuple[str, Frame, list[str]]:
    """The level, chosen if omitted; the content of the drawing; and the nested models without a frame."""
    from zoo.visualize.architecture.blocks import assign_stages, block_paths, strip_prefix, unnest
    from zoo.visualize.architecture.fusion import fuse_layers
    from zoo.visualize.architecture.hierarchy import build_hierarchy

    paths, inner = unnest(block_paths(whole))
    paths = strip_prefix(paths, name)
    if level == "layers" or (level is None and len(whole.vertices) <= _FEW):
        return "layers", build_hierarchy(whole, paths, fold=False), inner
    small, homes = fuse_layers(whole, paths)
    if level != "stages":
        content = build_hierarchy(small, homes, fold=True)
        if level is not None or sum(1 for _ in content.vertices()) <= _MANY:
            return "blocks", content, inner
    numbers = assign_stages(small, homes, stages)
    last = max(numbers)
    names = [stage.name for stage in stages] if last == len(stages) else []
    titles = [names[number] if number < len(names) else f"stage{number + 1}" for number in range(last)] + ["head"]
    homes = [
        () if vertex.kind == "input" else (titles[number], *home)
        for vertex, number, home in zip(small.vertices, numbers, homes, strict=True)
    ]
    return "stages", build_hierarchy(small, homes, fold=True, least=1), inner
