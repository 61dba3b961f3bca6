"""Which layers to take of a network where nobody says."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from zoo.visualize.network.subject import Subject


def stages(subject: Subject) -> dict[str, int]:
    """The last layer at each size of map, with its stride.

    Returns:
        Full names of layers in running order: pixels along a side for each place of the map.
    """
    if subject.stages:
        return {subject.layer(stage.layer): stage.stride for stage in subject.stages}
    height = subject.input_shape[0]
    sizes = {subject.tensor(name).shape[1]: name for name in subject.flat.tensors if subject.is_map(name)}
    # What has the size of the image only prepares it.
    return {name: height // rows for rows, name in sizes.items() if rows < height}


def last_within(subject: Subject, stride: int) -> str:
    """The last stage of no more than a stride; of a network without stages, its last layer with a map."""
    within = [layer for layer, found in stages(subject).items() if found <= stride]
    return within[-1] if within else subject.default_layer
