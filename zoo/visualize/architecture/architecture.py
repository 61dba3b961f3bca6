"""``zoo.visualize.graph``: the architecture of a network as a drawing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from zoo.core.errors import UsageError

if TYPE_CHECKING:
    import keras

    from zoo.core.spec import ModelSpec
    from zoo.visualize.architecture.graph import Graph
    from zoo.visualize.architecture.tree import Frame
    from zoo.visualize.network.subject import Subject

LEVELS = ("stages", "blocks", "layers")
#: A network of so many layers is drawn layer by layer, and one of more boxes than this by its stages.
_FEW, _MANY = 12, 170


def graph(model: str | ModelSpec | Subject | keras.Model, *, level: str | None = None) -> str:
    """Draw the architecture of a network.

    Args:
        model: a name, a ``.keras`` file, a ``.yaml`` network, or a Keras network. Of a name no weights are needed.
        level: ``"stages"``, ``"blocks"`` or ``"layers"``; the finest that fits a page without.

    Returns:
        The text of an SVG file.

    Raises:
        UsageError: an unknown name or level, or a network whose layers cannot be seen.
    """
    if level is not None and level not in LEVELS:
        raise UsageError(f"There is no level '{level}'; a drawing has {', '.join(LEVELS)}.")
    network, name, stages = _opened(model)
    # Imported here because a sentence about a name that does not exist needs no framework.
    from zoo.reports.plots.canvas import clean
    from zoo.visualize.architecture.drawing import svg
    from zoo.visualize.architecture.graph import contract, human, read, size
    from zoo.visualize.architecture.grouping import arithmetic, as_arithmetic
    from zoo.visualize.network.flat_graph import Flat, flatten

    flat: Flat = network if isinstance(network, Flat) else flatten(network)
    whole = read(flat)
    whole = contract(whole, arithmetic(whole), as_arithmetic).graph
    level, content, inner = _at(level, whole, stages, name)
    params, macs = (sum(getattr(vertex, key) for vertex in whole.vertices) for key in ("params", "macs"))
    about = (
        f"{level} · input {size(whole.vertices[0].shape)} · {params:,} parameters · {human(macs)} multiply-accumulates"
    )
    if inner:
        about += f" · with the layers of {' and '.join(map(clean, inner))}"
    return svg(content, title=clean(name), about=about, by_stage=level == "stages", named=level == "layers")


def resolve(model: str) -> ModelSpec:
    """The network of a name, ``NAME:TAG``, a ``.keras`` file or a ``.yaml`` network.

    Raises:
        UsageError: there is none.
    """
    from zoo.catalog import registry
    from zoo.pretrained import keras_file

    return keras_file.read_spec(model) if keras_file.is_file(model) else registry.resolve(model)[0]


def _opened(model: Any) -> tuple[Any, str, Any]:
    """A network, or the flat one that there is already; its name, and its stages where they are known."""
    from zoo.core.spec import ModelSpec

    if isinstance(model, str):
        model = resolve(model)
    if isinstance(model, ModelSpec):
        from zoo import models

        return models.create_model(model, None), model.name, model.stages
    if hasattr(model, "flat"):
        return model.flat, model.name, model.stages
    return model, str(model.name), ()


def _at(level: str | None, whole: Graph, stages: Any, name: str) -> tuple[str, Frame, list[str]]:
    """What is drawn at a level.

    Returns:
        The level, which is one that suits the network where none was asked for; the drawing's contents; and the nested
        networks that have no frame because they hold most of the network.
    """
    from zoo.visualize.architecture.grouping import paths, stage_of, unfolded, without_prefix
    from zoo.visualize.architecture.tree import tree
    from zoo.visualize.architecture.units import units

    where, inner = unfolded(paths(whole))
    where = without_prefix(where, name)
    if level == "layers" or (level is None and len(whole.vertices) <= _FEW):
        return "layers", tree(whole, where, fold=False), inner
    small, homes = units(whole, where)
    if level != "stages":
        content = tree(small, homes, fold=True)
        if level is not None or _boxes(content) <= _MANY:
            return "blocks", content, inner
    numbers = stage_of(small, homes, stages)
    names = [stage.name for stage in stages] if max(numbers) == len(stages) else []
    last = max(numbers)
    titles = [names[number] if number < len(names) else f"stage{number + 1}" for number in range(last)] + ["head"]
    inputs = {number for number, vertex in enumerate(small.vertices) if vertex.kind == "input"}
    homes = [
        () if vertex in inputs else (titles[number], *home)
        for vertex, (number, home) in enumerate(zip(numbers, homes, strict=True))
    ]
    return "stages", tree(small, homes, fold=True, least=1), inner


def _boxes(content: Frame) -> int:
    """How many boxes are drawn."""
    from zoo.visualize.architecture.tree import Frame

    return sum(_boxes(child) if isinstance(child, Frame) else 1 for child in content.children)
