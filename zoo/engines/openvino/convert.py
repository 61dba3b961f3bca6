"""Convert one network to OpenVINO IR, in a process of its own.

The Keras backend is fixed at import: Keras on OpenVINO builds and exports a network in a second without TensorFlow.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from zoo.core.spec import Cut
from zoo.engines import child_process
from zoo.engines.openvino import runtime
from zoo.engines.openvino.nchw import to_nchw


def convert(model: str, folder: str, weights: str | None, cut: Mapping[str, Any] | None) -> None:
    """Write ``model.xml`` and ``model.bin``: input uint8 (batch, height, width, 3), float32 weights."""
    # Keras would import it with its telemetry.
    openvino = runtime.load()

    from zoo import models
    from zoo.catalog import registry
    from zoo.pretrained import keras_file

    spec = keras_file.read_spec(model) if keras_file.is_file(model) else registry.get(model)
    ending = Cut(**{**cut, "beside": tuple(cut["beside"])}) if cut else None
    network = models.create_model(replace(spec, cut=ending), weights=weights)
    raw = Path(folder, "raw.xml")
    network.export(str(raw), format="openvino", verbose=False)
    graph = openvino.Core().read_model(raw)
    _free_batch(graph)
    graph = to_nchw(graph)

    # The images arrive as bytes; converting them in the graph costs nothing.
    steps = openvino.preprocess.PrePostProcessor(graph)
    steps.input().tensor().set_element_type(openvino.Type.u8)
    for number in range(len(graph.outputs)):
        steps.output(number).tensor().set_element_type(openvino.Type.f32)
    graph = steps.build()
    for output, field in zip(graph.outputs, ending.fields if ending else (), strict=False):
        # Two outputs may be the same tensor, which then has both names.
        output.get_tensor().add_names({field})
    openvino.save_model(graph, Path(folder, "model.xml"), compress_to_fp16=False)
    raw.unlink()
    raw.with_suffix(".bin").unlink(missing_ok=True)


def _free_batch(graph: Any) -> None:
    """Make the batch of a Reshape dynamic where the export wrote down the batch of one that it was traced with.

    MobileNet's ``Reshape`` layers come out that way: ``[1, 1000]`` for any batch.
    """
    import numpy as np
    import openvino

    for node in graph.get_ordered_ops():
        if node.get_type_name() != "Reshape" or not node.input_value(0).get_partial_shape()[0].is_dynamic:
            continue
        pattern = node.input_value(1).get_node()
        if pattern.get_type_name() != "Constant":
            continue
        sizes = np.asarray(pattern.data).copy()
        if len(sizes) and sizes[0] == 1:
            # Zero copies the size of the input.
            sizes[0] = 0
            ops = openvino.opset13
            free = ops.reshape(node.input_value(0), ops.constant(sizes), special_zero=True)
            node.output(0).replace(free.output(0))
    graph.validate_nodes_and_infer_types()


if __name__ == "__main__":
    sys.exit(child_process.main(convert))
