"""Gemm with its attributes and MatMul with a constant on either side."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
from model_builder import Net, decaying_matrix

from .registry import MATRIX, add


def normal(net: Net, *shape: int) -> np.ndarray:
    """Standard normal float32 values from the model's own generator."""
    return net.rng.standard_normal(shape).astype(np.float32)


def gemm(
    opset: int,
    bias: tuple[int, ...] | None = (24,),
    *,
    constant_left: bool = False,
    live_bias: bool = False,
    **attributes: Any,
) -> onnx.ModelProto:
    """`alpha·A'·B' + beta·C` with M = 24 or 5, K = 20, N = 24, one of A and B constant."""
    net = Net(3, opset)
    rows, depth, columns = (24, 20, 7) if constant_left else (5, 20, 24)
    left, right = (
        (depth, rows) if attributes.get("transA") else (rows, depth),
        ((columns, depth) if attributes.get("transB") else (depth, columns)),
    )
    if constant_left:
        inputs = [net.weight("w", decaying_matrix(net.rng, *left)), net.input("x", right)]
    else:
        inputs = [net.input("x", left), net.weight("w", decaying_matrix(net.rng, *right))]
    if bias is not None:
        inputs.append(net.input("c", bias) if live_bias else net.weight("c", normal(net, *bias)))
    net.output(net.add("Gemm", inputs, "gemm", **attributes))
    return net.model()


add("gemm", lambda: gemm(7), MATRIX)
add("gemm-trans-b", lambda: gemm(9, transB=1), MATRIX)
add("gemm-trans-a", lambda: gemm(10, transA=1), MATRIX)
add("gemm-trans-both", lambda: gemm(11, transA=1, transB=1), MATRIX)
add("gemm-alpha-beta", lambda: gemm(12, alpha=0.5, beta=-2.0, transB=1), MATRIX)
add("gemm-beta-zero", lambda: gemm(13, beta=0.0), MATRIX)
add("gemm-no-c", lambda: gemm(11, None, alpha=1.5), MATRIX)
add("gemm-c-scalar", lambda: gemm(13, (1,), beta=0.5), MATRIX)
add("gemm-c-rank-0", lambda: gemm(13, (), beta=0.5), MATRIX)
add("gemm-c-row", lambda: gemm(14, (1, 24)), MATRIX)
add("gemm-c-column", lambda: gemm(17, (5, 1), alpha=2.0), MATRIX)
add("gemm-c-full", lambda: gemm(18, (5, 24), beta=3.0), MATRIX)
add("gemm-c-input", lambda: gemm(19, (24,), live_bias=True), MATRIX)
add("gemm-constant-a", lambda: gemm(13, (24, 1), constant_left=True), MATRIX, expect="either")
add("gemm-constant-a-trans", lambda: gemm(17, None, constant_left=True, transA=1, alpha=0.5), MATRIX, expect="either")
add(
    "gemm-constant-a-trans-both",
    lambda: gemm(21, (24, 7), constant_left=True, transA=1, transB=1),
    MATRIX,
    expect="either",
)


def matmul(opset: int, other: list[int | str], *, constant_left: bool = False, bias: bool = False) -> onnx.ModelProto:
    """A MatMul of an input with a constant 20×24 (right) or 24×20 (left) matrix."""
    net = Net(4, opset)
    x = net.input("x", other)
    if constant_left:
        y = net.add("MatMul", [net.weight("w", decaying_matrix(net.rng, 24, 20)), x], "matmul")
    else:
        y = net.add("MatMul", [x, net.weight("w", decaying_matrix(net.rng, 20, 24))], "matmul")
    if bias:
        y = net.add("Add", [net.weight("bias", normal(net, 24)), y], "add")
    net.output(y)
    return net.model()


add("matmul-2d", lambda: matmul(7, [5, 20]), MATRIX)
add("matmul-1d", lambda: matmul(8, [20]), MATRIX, expect="either")
add("matmul-3d-bias", lambda: matmul(9, [2, 5, 20], bias=True), MATRIX)
add("matmul-4d", lambda: matmul(13, [2, 3, 5, 20]), MATRIX)
add("matmul-symbolic", lambda: matmul(17, ["N", "S", 20]), MATRIX)
add("matmul-left-2d", lambda: matmul(13, [20, 7], constant_left=True), MATRIX)
add("matmul-left-1d", lambda: matmul(13, [20], constant_left=True), MATRIX, expect="either")
add("matmul-left-3d", lambda: matmul(17, [2, 20, 7], constant_left=True), MATRIX)
add("matmul-left-4d", lambda: matmul(21, [2, 3, 20, 7], constant_left=True), MATRIX)


def tall(rows: int, columns: int) -> onnx.ModelProto:
    """A matrix with very different sides."""
    net = Net(6, 17)
    x = net.input("x", [3, rows])
    net.output(net.add("MatMul", [x, net.weight("w", decaying_matrix(net.rng, rows, columns, 0.95))], "matmul"))
    return net.model()


add("matmul-tall", lambda: tall(300, 9), MATRIX)
add("matmul-wide", lambda: tall(9, 300), MATRIX)


def attention(opset: int) -> onnx.ModelProto:
    """Self-attention with projections, whose own products have no constant and stay as they are."""
    net = Net(7, opset)
    x = net.input("x", ["N", 6, 32])
    parts = []
    for part in ("query", "key", "value"):
        y = net.add("MatMul", [x, net.weight(f"{part}.w", decaying_matrix(net.rng, 32, 32))], f"/{part}/MatMul")
        parts.append(net.add("Add", [y, net.weight(f"{part}.b", normal(net, 32))], f"/{part}/Add"))
    keys = net.add("Transpose", [parts[1]], "/keys/Transpose", perm=[0, 2, 1])
    scores = net.add("MatMul", [parts[0], keys], "/scores/MatMul")
    mixed = net.add("MatMul", [net.add("Softmax", [scores], "/softmax", axis=-1), parts[2]], "/mixed/MatMul")
    net.output(net.add("MatMul", [mixed, net.weight("out.w", decaying_matrix(net.rng, 32, 32))], "/out/MatMul"))
    return net.model()


add("attention", lambda: attention(17), MATRIX, layers=4)
