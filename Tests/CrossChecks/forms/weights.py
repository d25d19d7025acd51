"""Where a weight can be: initializer, Constant, behind other nodes, shared, in every floating-point type."""

from __future__ import annotations

import numpy as np
import onnx
from model_builder import Net, decaying_kernel, decaying_matrix
from onnx import TensorProto

from .registry import KERNEL_2D, MATRIX, add


def constant_node() -> onnx.ModelProto:
    """Weights as Constant nodes."""
    net = Net(11, 13)
    x = net.input("x", [1, 12, 9, 9])
    y = net.add("Conv", [x, net.constant("w", decaying_kernel(net.rng, [16, 12, 3, 3]))], "conv")
    net.output(y)
    return net.model()


def constant_floats() -> onnx.ModelProto:
    """A Constant with `value_floats`, brought into shape by Reshape."""
    net = Net(12, 13)
    x = net.input("x", [3, 20])
    flat = net.add("Constant", [], "flat", value_floats=decaying_matrix(net.rng, 20, 24).ravel().tolist())
    w = net.add("Reshape", [flat, net.weight("shape", np.array([20, 24]))], "reshape")
    net.output(net.add("MatMul", [x, w], "matmul"))
    return net.model()


def behind(operator: str, opset: int) -> onnx.ModelProto:
    """A matrix behind one node."""
    net = Net(13, opset)
    x = net.input("x", [3, 20])
    value = decaying_matrix(net.rng, 20, 24)
    if operator == "Identity":
        w = net.add("Identity", [net.weight("w", value)], "identity")
    elif operator == "Transpose":
        w = net.add("Transpose", [net.weight("w", value.T)], "transpose", perm=[1, 0])
    elif operator == "Reshape":
        w = net.add(
            "Reshape", [net.weight("w", value.reshape(4, 5, 24)), net.weight("s", np.array([20, -1]))], "reshape"
        )
    elif operator == "Cast":
        w = net.add("Cast", [net.weight("w", value, TensorProto.FLOAT16)], "cast", to=TensorProto.FLOAT)
    else:
        w = net.add("Cast", [net.weight("w", value.T, TensorProto.DOUBLE)], "cast", to=TensorProto.FLOAT)
        w = net.add("Identity", [net.add("Transpose", [w], "transpose", perm=[1, 0])], "identity")
    net.output(net.add("MatMul", [x, w], "matmul"))
    return net.model()


def conv_behind_reshape() -> onnx.ModelProto:
    """A kernel behind Reshape whose other end is shared with a second use of the flat tensor's shape."""
    net = Net(14, 8)
    x = net.input("x", [1, 12, 9, 9])
    flat = net.weight("w", decaying_kernel(net.rng, [16, 12, 3, 3]).reshape(16, 108))
    w = net.add("Reshape", [flat, net.weight("s", np.array([16, 12, 3, 3]))], "reshape")
    net.output(net.add("Conv", [x, w], "conv"))
    return net.model()


def overridable(ir: int, opset: int) -> onnx.ModelProto:
    """Initializers that are graph inputs as well: constants in IR 3, defaults from IR 4 on."""
    net = Net(15, opset)
    x = net.input("x", [1, 12, 9, 9])
    w = net.weight("w", decaying_kernel(net.rng, [16, 12, 3, 3]), as_input=True)
    b = net.weight("b", net.rng.standard_normal(16).astype(np.float32), as_input=True)
    net.output(net.add("Conv", [x, w, b], "conv"))
    return net.model(ir=ir)


def shared(same_operator: bool) -> onnx.ModelProto:
    """One weight, two nodes."""
    net = Net(16, 17)
    w = net.weight("w", decaying_matrix(net.rng, 24, 24))
    x = net.input("x", [3, 24])
    y = net.add("MatMul", [x, w], "first")
    y = net.add("Tanh", [y], "tanh")
    net.output(net.add("MatMul", [y, w], "second") if same_operator else net.add("Gemm", [y, w], "second", transB=1))
    return net.model()


def shared_conv() -> onnx.ModelProto:
    """One kernel, two convolutions with different strides and biases."""
    net = Net(17, 13)
    w = net.weight("w", decaying_kernel(net.rng, [12, 12, 3, 3]))
    x = net.input("x", [1, 12, 11, 11])
    y = net.add("Conv", [x, w], "first", pads=[1, 1, 1, 1])
    b = net.weight("b", net.rng.standard_normal(12).astype(np.float32))
    net.output(net.add("Conv", [y, w, b], "second", strides=[2, 2]))
    return net.model()


def of_type(dtype: int, operator: str, opset: int) -> onnx.ModelProto:
    """A model that is of one floating-point type throughout."""
    net = Net(18, opset)
    if operator == "Conv":
        x = net.input("x", [1, 12, 9, 9], dtype)
        y = net.add("Conv", [x, net.weight("w", decaying_kernel(net.rng, [16, 12, 3, 3]), dtype)], "conv")
    else:
        x = net.input("x", [3, 20], dtype)
        y = net.add(operator, [x, net.weight("w", decaying_matrix(net.rng, 20, 24), dtype)], operator.lower())
    net.output(y, dtype)
    return net.model()


add("weight-constant-node", constant_node, KERNEL_2D)
add("weight-constant-floats", constant_floats, MATRIX)
for _operator, _opset in [("Identity", 13), ("Transpose", 9), ("Reshape", 8), ("Cast", 13), ("Chain", 17)]:
    add(
        f"weight-behind-{_operator.lower()}",
        lambda o=_operator, n=_opset: behind(o, n),
        MATRIX,
        tolerance=1e-3 if _operator == "Cast" else 1e-4,
    )
add("weight-conv-behind-reshape", conv_behind_reshape, KERNEL_2D)
add("weight-overridable-ir3", lambda: overridable(3, 8), KERNEL_2D)
add("weight-overridable-ir4", lambda: overridable(4, 9), KERNEL_2D, expect="either")
add("weight-shared", lambda: shared(True), MATRIX)
add("weight-shared-transposed", lambda: shared(False), MATRIX, expect="either")
add("weight-shared-conv", shared_conv, KERNEL_2D)
for _label, _dtype, _tolerance in [
    ("fp16", TensorProto.FLOAT16, 1e-2),
    ("bf16", TensorProto.BFLOAT16, 5e-2),
    ("fp64", TensorProto.DOUBLE, 1e-4),
]:
    for _operator in ("Conv", "MatMul", "Gemm"):
        # The types that Conv and Gemm take have grown: bfloat16 came to MatMul and Gemm in 13, to Conv in 22.
        if not (_label == "bf16" and _operator == "Conv"):
            add(
                f"weight-{_label}-{_operator.lower()}",
                lambda t=_dtype, o=_operator: of_type(t, o, 17),
                KERNEL_2D if _operator == "Conv" else MATRIX,
                tolerance=_tolerance,
            )
