"""Take needless transpositions out of an exported network.

Keras keeps channels last and OpenVINO's convolutions want them first, so an exported network turns its data
round before and after every layer. That takes more than half of MobileNetV2's time, and keeps convolutions
from being fused with what follows. Here each transposition is moved behind the operation that follows it, until
it meets its opposite and both vanish.
"""

from __future__ import annotations

from typing import Any

import numpy as np

Permutation = tuple[int, ...]

#: Operations that treat every number alike.
_UNARY = frozenset(
    [
        "Abs",
        "Clamp",
        "Convert",
        "Elu",
        "Erf",
        "Exp",
        "Gelu",
        "HSigmoid",
        "HSwish",
        "HardSigmoid",
        "Mish",
        "Negative",
        "PRelu",
        "Relu",
        "Selu",
        "Sigmoid",
        "SoftPlus",
        "SoftSign",
        "Sqrt",
        "Swish",
        "Tanh",
    ]
)
#: Operations on two tensors, number by number, after broadcasting.
_BINARY = frozenset(["Add", "Divide", "Maximum", "Minimum", "Multiply", "Power", "SquaredDifference", "Subtract"])
_REDUCE = frozenset(["ReduceMax", "ReduceMean", "ReduceMin", "ReduceSum"])


def channels_first(graph: Any) -> Any:
    """The ``openvino.Model`` with as few transpositions of data as this can do; what it computes stays the same.

    A network that is written for channels last, such as ConvNeXt with its dense layers, would gain some; it is
    left as it is.
    """
    rewritten = graph.clone()
    _sink_transposes(rewritten)
    return rewritten if _count(rewritten) < _count(graph) else graph


def _count(graph: Any) -> int:
    """Transpositions of data; those of constants are done before the network runs."""
    return sum(
        node.get_type_name() == "Transpose" and node.get_output_partial_shape(0).is_dynamic
        for node in graph.get_ordered_ops()
    )


def _sink_transposes(graph: Any) -> None:
    for node in graph.get_ordered_ops():
        kind = node.get_type_name()
        if kind == "Transpose":
            _merge(node)
        elif kind in _UNARY:
            _sink_unary(node)
        elif kind in _BINARY:
            _sink_binary(node)
        elif kind == "BatchNormInference":
            _sink_batch_norm(node)
        elif kind == "Pad":
            _sink_pad(node)
        elif kind == "Concat":
            _sink_concat(node)
        elif kind in _REDUCE:
            _sink_reduce(node)
    graph.validate_nodes_and_infer_types()


def _turned(value: Any) -> tuple[Any, Permutation] | None:
    """Where a value comes from and how it was turned, if a transposition made it."""
    node = value.get_node()
    order = _constant(node.input_value(1)) if node.get_type_name() == "Transpose" else None
    return None if order is None else (node.input_value(0), tuple(int(axis) for axis in order))


def _constant(value: Any) -> np.ndarray | None:
    node = value.get_node()
    return np.asarray(node.data) if node.get_type_name() == "Constant" else None


def _transpose(value: Any, order: Permutation) -> Any:
    import openvino.opset13 as ops

    return ops.transpose(value, ops.constant(np.array(order, "int64"))).output(0)


def _inverse(order: Permutation) -> Permutation:
    return tuple(int(axis) for axis in np.argsort(order))


def _again(node: Any, inputs: list[Any]) -> Any:
    """The same operation on other inputs."""
    from openvino.utils.node_factory import NodeFactory

    copy = NodeFactory("opset13").create(node.get_type_name(), inputs, node.get_attributes())
    copy.set_friendly_name(node.get_friendly_name())
    return copy


def _replace(node: Any, computed: Any, order: Permutation) -> None:
    """Put the turned result of ``computed`` in the place of ``node``."""
    node.output(0).replace(_transpose(computed.output(0), order))


def _merge(node: Any) -> None:
    """Two transpositions become one, or none."""
    own = _turned(node.output(0))
    before = _turned(node.input_value(0))
    if own is None or before is None:
        return
    order = tuple(before[1][axis] for axis in own[1])
    same = order == tuple(range(len(order)))
    node.output(0).replace(before[0] if same else _transpose(before[0], order))


def _sink_unary(node: Any) -> None:
    before = _turned(node.input_value(0))
    further = node.input_values()[1:]
    # Swish has a scalar beside its data; the shape of a tensor there would have to follow.
    if before and all(list(value.get_partial_shape()) == [] for value in further):
        _replace(node, _again(node, [before[0], *further]), before[1])


def _sink_binary(node: Any) -> None:
    """Both inputs are turned alike, or one is, and the other is a constant or can be turned back."""
    import openvino.opset13 as ops

    values = [node.input_value(0), node.input_value(1)]
    turned = [_turned(value) for value in values]
    order = next((one[1] for one in turned if one), None)
    if order is None:
        return
    inputs = []
    for value, before in zip(values, turned, strict=True):
        constant = _constant(value)
        if before and before[1] == order:
            inputs.append(before[0])
        elif constant is not None and constant.ndim <= len(order):
            whole = constant.reshape((1,) * (len(order) - constant.ndim) + constant.shape)
            inputs.append(ops.constant(np.ascontiguousarray(whole.transpose(_inverse(order)))).output(0))
        elif value.get_partial_shape().rank.is_static and len(value.get_partial_shape()) == len(order):
            inputs.append(_transpose(value, _inverse(order)))
        else:
            return
    _replace(node, _again(node, inputs), order)


def _sink_batch_norm(node: Any) -> None:
    """Its channels are axis 1, which must still be axis 1 before the turn."""
    data = next(value for value in node.input_values() if len(value.get_partial_shape()) > 1)
    before = _turned(data)
    if before and before[1][:2] == (0, 1):
        inputs = [before[0] if value == data else value for value in node.input_values()]
        _replace(node, _again(node, inputs), before[1])


def _sink_pad(node: Any) -> None:
    import openvino.opset13 as ops

    before = _turned(node.input_value(0))
    begin, end = _constant(node.input_value(1)), _constant(node.input_value(2))
    if not before or begin is None or end is None:
        return
    back = list(_inverse(before[1]))
    sizes = [ops.constant(amount[back]).output(0) for amount in (begin, end)]
    _replace(node, _again(node, [before[0], *sizes, *node.input_values()[3:]]), before[1])


def _sink_concat(node: Any) -> None:
    turned = [_turned(value) for value in node.input_values()]
    order = next((one[1] for one in turned if one), None)
    if order is None:
        return
    import openvino.opset13 as ops

    inputs = [
        one[0] if one and one[1] == order else _transpose(value, _inverse(order))
        for one, value in zip(turned, node.input_values(), strict=True)
    ]
    axis = int(node.get_attributes()["axis"]) % len(order)
    _replace(node, ops.concat(inputs, order[axis]), order)


def _sink_reduce(node: Any) -> None:
    import openvino.opset13 as ops

    before, axes = _turned(node.input_value(0)), _constant(node.input_value(1))
    if not before or axes is None:
        return
    source, order = before
    removed = [int(axis) % len(order) for axis in np.atleast_1d(axes)]
    moved = ops.constant(np.array([order[axis] for axis in removed], "int64")).output(0)
    reduced = _again(node, [source, moved])
    if node.get_attributes()["keep_dims"]:
        _replace(node, reduced, order)
        return
    # The axes that are left keep their places among each other, or they are turned after all.
    left = [axis for place, axis in enumerate(order) if place not in removed]
    rank = sorted(left)
    rest = tuple(rank.index(axis) for axis in left)
    same = rest == tuple(range(len(rest)))
    node.output(0).replace(reduced.output(0) if same else _transpose(reduced.output(0), rest))
