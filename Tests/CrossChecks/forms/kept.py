"""Models whose layers must stay: quantized, not constant, degenerate, visible from outside."""

from __future__ import annotations

import numpy as np
import onnx
from model_builder import FLOAT, Net, decaying_kernel, decaying_matrix
from onnx import TensorProto

from .registry import KERNEL_2D, MATRIX, add


def quantize(value: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Symmetric int8 values and their scale."""
    scale = np.float32(np.abs(value).max() / 127)
    return np.round(value / scale).astype(np.int8), np.array(scale)


def qdq(operator: str) -> onnx.ModelProto:
    """An int8 weight behind DequantizeLinear."""
    net = Net(41, 13)
    kernel = decaying_kernel(net.rng, [16, 12, 3, 3]) if operator == "Conv" else decaying_matrix(net.rng, 20, 24)
    values, scale = quantize(kernel)
    x = net.input("x", [1, 12, 9, 9] if operator == "Conv" else [3, 20])
    w = net.add(
        "DequantizeLinear",
        [net.weight("wq", values), net.weight("ws", scale), net.weight("wz", np.array(0, np.int8))],
        "dequantize",
    )
    net.output(net.add(operator, [x, w], operator.lower()))
    return net.model()


def qlinear_conv() -> onnx.ModelProto:
    """QLinearConv."""
    net = Net(42, 13)
    values, scale = quantize(decaying_kernel(net.rng, [16, 12, 3, 3]))
    x = net.input("x", [1, 12, 9, 9], TensorProto.UINT8)
    unit, middle = net.weight("xs", np.array(0.02, np.float32)), net.weight("xz", np.array(128, np.uint8))
    w = [net.weight("wq", values), net.weight("ws", scale), net.weight("wz", np.array(0, np.int8))]
    y = [net.weight("ys", np.array(0.1, np.float32)), net.weight("yz", np.array(128, np.uint8))]
    net.output(net.add("QLinearConv", [x, unit, middle, *w, *y], "qlinearconv"), TensorProto.UINT8)
    return net.model()


def conv_integer() -> onnx.ModelProto:
    """ConvInteger."""
    net = Net(43, 10)
    values, _ = quantize(decaying_kernel(net.rng, [16, 12, 3, 3]))
    x = net.input("x", [1, 12, 9, 9], TensorProto.UINT8)
    w = net.weight("wq", values.astype(np.uint8))
    net.output(net.add("ConvInteger", [x, w], "convinteger"), TensorProto.INT32)
    return net.model()


def matmul_integer() -> onnx.ModelProto:
    """MatMulInteger."""
    net = Net(44, 10)
    values, _ = quantize(decaying_matrix(net.rng, 20, 24))
    x = net.input("x", [3, 20], TensorProto.UINT8)
    net.output(net.add("MatMulInteger", [x, net.weight("wq", values)], "matmulinteger"), TensorProto.INT32)
    return net.model()


def visible_weight() -> onnx.ModelProto:
    """A weight that is an output of the graph: it must not go, so nothing is won."""
    net = Net(45, 17)
    x = net.input("x", [3, 20])
    w = net.weight("w", decaying_matrix(net.rng, 20, 24))
    net.output(net.add("MatMul", [x, w], "matmul"))
    net.output(w, FLOAT, [20, 24])
    return net.model()


def live_weight(operator: str) -> onnx.ModelProto:
    """A weight that is computed from an input."""
    net = Net(46, 17)
    if operator == "Conv":
        x, w = net.input("x", [1, 12, 9, 9]), net.input("w", [16, 12, 3, 3])
    else:
        x, w = net.input("x", [3, 20]), net.input("w", [20, 24])
    net.output(net.add(operator, [x, net.add("Tanh", [w], "tanh")], operator.lower()))
    return net.model()


def depthwise() -> onnx.ModelProto:
    """A depthwise convolution: one input channel a group."""
    net = Net(47, 17)
    x = net.input("x", [1, 16, 9, 9])
    net.output(net.add("Conv", [x, net.weight("w", decaying_kernel(net.rng, [16, 1, 3, 3]))], "conv", group=16))
    return net.model()


def degenerate(shape: tuple[int, int]) -> onnx.ModelProto:
    """A matrix with a side of one."""
    net = Net(48, 17)
    x = net.input("x", [3, shape[0]])
    net.output(net.add("MatMul", [x, net.weight("w", net.rng.standard_normal(shape).astype(np.float32))], "matmul"))
    return net.model()


def special(kind: str) -> onnx.ModelProto:
    """A weight with values that no decomposition takes."""
    net = Net(49, 17)
    x = net.input("x", [3, 20])
    value = decaying_matrix(net.rng, 20, 24)
    value[3, 5] = {"nan": np.nan, "inf": np.inf, "minus-inf": -np.inf}[kind]
    net.output(net.add("MatMul", [x, net.weight("w", value)], "matmul"))
    return net.model()


def batched_weight() -> onnx.ModelProto:
    """A constant stack of different matrices."""
    net = Net(50, 17)
    x = net.input("x", [2, 3, 20])
    stack = np.stack([decaying_matrix(net.rng, 20, 24) for _ in range(2)])
    net.output(net.add("MatMul", [x, net.weight("w", stack)], "matmul"))
    return net.model()


def unknown_operator() -> onnx.ModelProto:
    """An operator called Conv of a domain of its own."""
    net = Net(51, 17, {"my.ops": 3})
    x = net.input("x", [1, 12, 9, 9])
    w = net.weight("w", decaying_kernel(net.rng, [16, 12, 3, 3]))
    net.output(net.add("Conv", [x, w], "conv", domain="my.ops"), FLOAT, [1, 16, 7, 7])
    return net.model(infer=False)


add("kept-qdq-conv", lambda: qdq("Conv"), KERNEL_2D, expect="kept")
add("kept-qdq-matmul", lambda: qdq("MatMul"), MATRIX, expect="kept")
add("kept-qlinearconv", qlinear_conv, KERNEL_2D, expect="kept")
add("kept-convinteger", conv_integer, KERNEL_2D, expect="kept")
add("kept-matmulinteger", matmul_integer, MATRIX, expect="kept")
add("kept-weight-is-output", visible_weight, MATRIX, expect="kept")
add("kept-live-weight-conv", lambda: live_weight("Conv"), KERNEL_2D, expect="kept")
add("kept-live-weight-matmul", lambda: live_weight("MatMul"), MATRIX, expect="kept")
add("kept-depthwise", depthwise, KERNEL_2D, expect="kept")
add("kept-row", lambda: degenerate((1, 20)), MATRIX, expect="kept")
add("kept-column", lambda: degenerate((20, 1)), MATRIX, expect="kept")
for _kind in ("nan", "inf", "minus-inf"):
    add(f"kept-{_kind}", lambda k=_kind: special(k), MATRIX, expect="kept")
add("kept-batched-weight", batched_weight, MATRIX, expect="kept")
add("kept-other-domain", unknown_operator, KERNEL_2D, expect="kept")
