"""Default layers: the ends of a model's stages."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from zoo.visualize.network.inspected_model import InspectedModel


def stages(net: InspectedModel) -> dict[str, int]:
    """The last layer of each stage, in execution order, with its stride in pixels."""
    if net.stages:
        return {net.layer(stage.layer): stage.stride for stage in net.stages}
    height = net.input_shape[0]
    sizes = {net.tensor(name).shape[1]: name for name in net.flat.tensors if net.is_map(name)}
    # A layer of the image's own size is preprocessing.
    return {name: height // rows for rows, name in sizes.items() if rows < height}


def last_within(net: InspectedModel, stride: int) -> str:
    """The last stage up to a stride; the last feature map of a model without such stages."""
    within = [layer for layer, found in stages(net).items() if found <= stride]
    return within[-1] if within else net.default_layer
