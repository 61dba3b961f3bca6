"""From NHWC to NCHW: remove the transpositions from an exported network.

Keras keeps channels last and OpenVINO's convolutions want them first, so an exported network transposes its data before
and after every layer. That takes more than half of MobileNetV2's time, and prevents the fusion of convolutions. Here
each transposition is moved behind the operation that follows it, until it meets its inverse and both vanish.
"""

from __future__ import annotations

from typing import Any

import numpy as np

Permutation = tuple[int, ...]

#: Elementwise operations.
_UNARY = frozenset(
    "Abs Clamp Convert Elu Erf Exp Gelu HSigmoid HSwish HardSigmoid Mish Negative PRelu Relu Selu Sigmoid SoftPlus "  # noqa: SIM905
    "SoftSign Sqrt Swish Tanh".split()
)
#: Elementwise operations on two tensors, with broadcasting.
_BINARY = frozenset(["Add", "Divide", "Maximum", "Minimum", "Multiply", "Power", "SquaredDifference", "Subtract"])
_REDUCE = frozenset(["ReduceMax", "ReduceMean", "ReduceMin", "ReduceSum"])


def to_nchw(graph: Any) -> Any:
    """The ``openvino.Model`` with as few transpositions as possible; what it computes stays the same.

    A network written for channels last, such as ConvNeXt with its dense layers, would get more of them; it is left as
    it is.
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
    rules = {
        "Transpose": _merge,
        "BatchNormInference": _sink_batch_norm,
        "Pad": _sink_pad,
        "Concat": _sink_concat,
        **dict.fromkeys(_UNARY, _sink_unary),
        **dict.fromkeys(_BINARY, _sink_binary),
        **dict.fromkeys(_REDUCE, _sink_reduce),
    }
    for node in graph.get_ordered_ops():
        if rule := rules.get(node.get_type_name()):
            rule(node)
    graph.validate_nodes_and_infer_types()


def _transposed(value: Any) -> tuple[Any, Permutation] | None:
    """The input and the order of the transposition that made a value, if one did."""
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


def _rebuild(node: Any, inputs: list[Any]) -> Any:
    """The same operation on other inputs."""
    from openvino.utils.node_factory import NodeFactory

    copy = NodeFactory("opset13").create(node.get_type_name(), inputs, node.get_attributes())
    copy.set_friendly_name(node.get_friendly_name())
    return copy


def _replace(node: Any, computed: Any, order: Permutation) -> None:
    """Replace ``node`` by the transposed result of ``computed``."""
    node.output(0).replace(_transpose(computed.output(0), order))


def _merge(node: Any) -> None:
    """Merge two transpositions into one, or none."""
    own = _transposed(node.output(0))
    before = _transposed(node.input_value(0))
    if own is None or before is None:
        return
    order = tuple(before[1][axis] for axis in own[1])
    same = order == tuple(range(len(order)))
    node.output(0).replace(before[0] if same else _transpose(before[0], order))


def _sink_unary(node: Any) -> None:
    before = _transposed(node.input_value(0))
    further = node.input_values()[1:]
    # Swish has a scalar beside its data; the shape of a tensor there would have to follow.
    if before and all(list(value.get_partial_shape()) == [] for value in further):
        _replace(node, _rebuild(node, [before[0], *further]), before[1])


def _sink_binary(node: Any) -> None:
    """Where both inputs have the same transposition, or one has and the other can be transposed back."""
    import openvino.opset13 as ops

    values = [node.input_value(0), node.input_value(1)]
    transposed = [_transposed(value) for value in values]
    order = next((one[1] for one in transposed if one), None)
    if order is None:
        return
    inputs = []
    for value, before in zip(values, transposed, strict=True):
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
    _replace(node, _rebuild(node, inputs), order)


def _sink_batch_norm(node: Any) -> None:
    """Its channels are axis 1, which must be axis 1 before the transposition too."""
    data = next(value for value in node.input_values() if len(value.get_partial_shape()) > 1)
    before = _transposed(data)
    if before and before[1][:2] == (0, 1):
        inputs = [before[0] if value == data else value for value in node.input_values()]
        _replace(node, _rebuild(node, inputs), before[1])


def _sink_pad(node: Any) -> None:
    import openvino.opset13 as ops

    before = _transposed(node.input_value(0))
    begin, end = _constant(node.input_value(1)), _constant(node.input_value(2))
    if not before or begin is None or end is None:
        return
    back = list(_inverse(before[1]))
    sizes = [ops.constant(amount[back]).output(0) for amount in (begin, end)]
    _replace(node, _rebuild(node, [before[0], *sizes, *node.input_values()[3:]]), before[1])


def _sink_concat(node: Any) -> None:
    transposed = [_transposed(value) for value in node.input_values()]
    order = next((one[1] for one in transposed if one), None)
    if order is None:
        return
    import openvino.opset13 as ops

    inputs = [
        one[0] if one and one[1] == order else _transpose(value, _inverse(order))
        for one, value in zip(transposed, node.input_values(), strict=True)
    ]
    axis = int(node.get_attributes()["axis"]) % len(order)
    _replace(node, ops.concat(inputs, order[axis]), order)


def _sink_reduce(node: Any) -> None:
    import openvino.opset13 as ops

    before, axes = _transposed(node.input_value(0)), _constant(node.input_value(1))
    if not before or axes is None:
        return
    source, order = before
    removed = [int(axis) % len(order) for axis in np.atleast_1d(axes)]
    moved = ops.constant(np.array([order[axis] for axis in removed], "int64")).output(0)
    reduced = _rebuild(node, [source, moved])
    if node.get_attributes()["keep_dims"]:
        _replace(node, reduced, order)
        return
    # Where the remaining axes change their order, they are transposed after all.
    left = [axis for place, axis in enumerate(order) if place not in removed]
    rank = sorted(left)
    rest = tuple(rank.index(axis) for axis in left)
    same = rest == tuple(range(len(rest)))
    node.output(0).replace(reduced.output(0) if same else _transpose(reduced.output(0), rest))
