"""Quantise one compiled network.

``python -m zoo.engines.openvino.nncf_quantize FOLDER IMAGES TARGET SETTINGS [--keep NUMBER …]``, in a process of its
own because NNCF writes to standard output, replaces the class of all loggers, and holds all activations in memory.
"""

from __future__ import annotations

import argparse
import json
import logging
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from zoo.engines.openvino.runtime import TELEMETRY

#: The folder of the network with all its outputs, for the comparison; ``model.xml`` has only those that are used.
WHOLE = "whole"


def quantize(source: Path, images: np.ndarray, target: Path, settings: dict[str, Any], keep: Iterable[int]) -> None:
    """Write the int8 form of a compiled network: ``target/model.xml``, and with all outputs ``target/whole/model.xml``.

    Args:
        source: the folder of the compiled network.
        images: the calibration set, uint8 (n, height, width, 3), for the ranges of all activations and the biases.
        target: an empty folder.
        settings: ``preset`` and ``fast_bias_correction`` of ``nncf.quantize``, and ``float32``: what is not quantised:
            ``"first"`` and ``"depthwise"`` convolutions, ``"sums"`` of activations.
        keep: numbers of the outputs that are used.
    """
    # NNCF's telemetry would also write a user's number into the home folder.
    sys.modules[TELEMETRY] = None  # type: ignore[assignment]
    import nncf
    import openvino
    from openvino._offline_transformations import apply_moc_transformations

    graph = openvino.Core().read_model(source / "model.xml")
    # Fold batch normalisation into the convolution before it. As a layer of its own, in int8, it costs time, and
    # MobileNetV2 reaches a similarity of 0.90 instead of 0.98.
    apply_moc_transformations(graph, cf=True)
    quantized = nncf.quantize(
        graph,
        nncf.Dataset(images, lambda image: image[np.newaxis]),
        subset_size=len(images),
        preset=nncf.QuantizationPreset(settings["preset"]),
        fast_bias_correction=settings["fast_bias_correction"],
        ignored_scope=nncf.IgnoredScope(names=_named(graph, settings["float32"])),
    )
    (target / WHOLE).mkdir()
    openvino.save_model(quantized, target / WHOLE / "model.xml", compress_to_fp16=False)
    wanted = set(keep)
    for number, result in enumerate(quantized.get_results()):
        if number not in wanted:
            quantized.remove_result(result)
    openvino.save_model(quantized, target / "model.xml", compress_to_fp16=False)


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


def main() -> int:
    """Entry point; an error is the last line of stderr."""
    logging.disable(logging.WARNING)
    parser = argparse.ArgumentParser()
    parser.add_argument("source", type=Path)
    parser.add_argument("images", type=Path)
    parser.add_argument("target", type=Path)
    parser.add_argument("settings", type=json.loads)
    parser.add_argument("--keep", type=int, nargs="+", default=[0])
    arguments = parser.parse_args()
    images = np.load(arguments.images, mmap_mode="r")
    quantize(arguments.source, images, arguments.target, arguments.settings, arguments.keep)
    return 0


if __name__ == "__main__":
    sys.exit(main())
