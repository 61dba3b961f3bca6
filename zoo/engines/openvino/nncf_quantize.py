"""Quantise one compiled network to int8, in a process of its own.

NNCF writes to standard output, replaces the class of all loggers, and holds all activations in memory.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from zoo.engines import child_process
from zoo.engines.openvino.runtime import TELEMETRY

#: The folder of the network with all its outputs, for the comparison; ``model.xml`` has only those that are used.
WHOLE = "whole"


def quantize(source: str, images: str, target: str, settings: dict[str, Any], keep: list[int]) -> None:
    """Write the int8 form of a compiled network: ``model.xml`` with the outputs ``keep``, ``whole/model.xml`` with all.

    ``images`` is a NumPy file, uint8 (n, height, width, 3). ``settings`` are those of ``nncf.quantize`` and
    ``float32``: what is not quantised: ``"first"`` and ``"depthwise"`` convolutions, ``"sums"`` of activations.
    """
    # NNCF's telemetry would also write a user's number into the home folder.
    sys.modules[TELEMETRY] = None  # type: ignore[assignment]
    import nncf
    import openvino
    from openvino._offline_transformations import apply_moc_transformations

    pixels = np.load(images, mmap_mode="r")
    graph = openvino.Core().read_model(Path(source, "model.xml"))
    # Fold batch normalisation into the convolution before it. As a layer of its own, in int8, it costs time, and
    # MobileNetV2 reaches a similarity of 0.90 instead of 0.98.
    apply_moc_transformations(graph, cf=True)
    quantized = nncf.quantize(
        graph,
        nncf.Dataset(pixels, lambda image: image[np.newaxis]),
        subset_size=len(pixels),
        preset=nncf.QuantizationPreset(settings["preset"]),
        fast_bias_correction=settings["fast_bias_correction"],
        ignored_scope=nncf.IgnoredScope(names=_named(graph, settings["float32"])),
    )
    whole = Path(target, WHOLE)
    whole.mkdir()
    openvino.save_model(quantized, whole / "model.xml", compress_to_fp16=False)
    for number, result in enumerate(quantized.get_results()):
        if number not in keep:
            quantized.remove_result(result)
    openvino.save_model(quantized, Path(target, "model.xml"), compress_to_fp16=False)


def _named(graph: Any, kinds: Iterable[str]) -> list[str]:
    """The names of the first convolution, of the depthwise ones, and of the sums of two activations."""
    nodes = graph.get_ordered_ops()
    convolutions = [node for node in nodes if node.get_type_name() in ("Convolution", "GroupConvolution")]
    chosen = {
        "first": convolutions[:1],
        # Kernels of groups: groups, channels out and in of a group, rows, columns.
        "depthwise": [
            node for node in convolutions if len(node.input(1).get_shape()) == 5 and node.input(1).get_shape()[2] == 1
        ],
        "sums": [node for node in nodes if node.get_type_name() == "Add" and not any(map(_is_constant, node.inputs()))],
    }
    return list(dict.fromkeys(node.get_friendly_name() for kind in kinds for node in chosen[kind]))


def _is_constant(port: Any) -> bool:
    return bool(port.get_source_output().get_node().get_type_name() == "Constant")


if __name__ == "__main__":
    sys.exit(child_process.main(quantize))
