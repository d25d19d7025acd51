"""Layers inside the bodies of If, Loop and Scan, and inside local functions."""

from __future__ import annotations

import numpy as np
import onnx
from model_builder import FLOAT, Net, decaying_kernel, decaying_matrix
from onnx import TensorProto, helper

from .registry import KERNEL, MATRIX, add

WIDTH = 20


def branch(name: str, x: str, seed: int, outer_weight: str | None = None) -> onnx.GraphProto:
    """A branch of If: a MatMul with a weight of its own or of the outer graph."""
    net = Net(seed, 17)
    w = outer_weight or net.weight(f"{name}_w", decaying_matrix(net.rng, WIDTH, WIDTH))
    net.output(net.add("MatMul", [x, w], f"{name}_matmul"), shape=[3, WIDTH])
    return net.graph(name)


def conditional(opset: int, outer: bool) -> onnx.ModelProto:
    """If with a layer in each branch; `outer`: both branches use one weight of the outer graph."""
    net = Net(21, opset)
    x = net.input("x", [3, WIDTH])
    condition = net.input("condition", [], TensorProto.BOOL)
    weight = net.weight("w", decaying_matrix(net.rng, WIDTH, WIDTH)) if outer else None
    branches = {f"{name}_branch": branch(name, x, seed, weight) for name, seed in (("then", 22), ("else", 23))}
    net.output(net.add("If", [condition], "if", **branches), shape=[3, WIDTH])
    return net.model()


def loop() -> onnx.ModelProto:
    """Loop that applies a layer three times."""
    body = Net(24, 17)
    body.input("i", [], TensorProto.INT64)
    body.input("going", [], TensorProto.BOOL)
    state = body.input("state", [3, WIDTH])
    y = body.add("MatMul", [state, body.weight("loop_w", decaying_matrix(body.rng, WIDTH, WIDTH))], "loop_matmul")
    still = body.add("Identity", ["going"], "loop_identity")
    body.output(still, TensorProto.BOOL, [])
    body.output(body.add("Tanh", [y], "loop_tanh"), shape=[3, WIDTH])
    net = Net(25, 17)
    x = net.input("x", [3, WIDTH])
    trips, on = net.weight("trips", np.array(3, np.int64)), net.weight("on", np.array(True))
    net.output(net.add("Loop", [trips, on, x], "loop", body=body.graph("body")), shape=[3, WIDTH])
    return net.model()


def scan() -> onnx.ModelProto:
    """Scan over four rows with a layer in the body."""
    body = Net(26, 17)
    state, row = body.input("state", [3, WIDTH]), body.input("row", [3, WIDTH])
    total = body.add("Add", [state, row], "scan_add")
    y = body.add("MatMul", [total, body.weight("scan_w", decaying_matrix(body.rng, WIDTH, WIDTH))], "scan_matmul")
    body.output(body.add("Tanh", [y], "scan_tanh"), shape=[3, WIDTH])
    body.output(body.add("Identity", [y], "scan_row"), shape=[3, WIDTH])
    net = Net(27, 17)
    x, rows = net.input("x", [3, WIDTH]), net.input("rows", [4, 3, WIDTH])
    net.nodes.append(
        helper.make_node("Scan", [x, rows], ["last", "all"], name="scan", body=body.graph("body"), num_scan_inputs=1)
    )
    net.output("last", shape=[3, WIDTH])
    net.output("all", shape=[4, 3, WIDTH])
    return net.model()


def function_model(weight_inside: bool) -> onnx.ModelProto:
    """A local function with a convolution, called twice; the weight is a Constant inside or an argument."""
    net = Net(28, 17, {"my.blocks": 1})
    body = Net(29, 17)
    inputs = ["x"] if weight_inside else ["x", "w"]
    w = body.constant("w", decaying_kernel(body.rng, [12, 12, 3, 3])) if weight_inside else "w"
    y = body.add("Conv", ["x", w], "conv", pads=[1, 1, 1, 1])
    y = body.add("Relu", [y], "relu")
    net.functions.append(
        helper.make_function("my.blocks", "Block", inputs, [y], body.nodes, [helper.make_opsetid("", 17)])
    )
    x = net.input("x", [1, 12, 9, 9])
    for i in range(2):
        extra = [] if weight_inside else [net.weight(f"w{i}", decaying_kernel(net.rng, [12, 12, 3, 3]))]
        x = net.add("Block", [x, *extra], f"block{i}", domain="my.blocks")
    net.output(x, FLOAT, [1, 12, 9, 9])
    return net.model()


def shadowing() -> onnx.ModelProto:
    """A branch whose own initializer has the name that a new weight of the outer layer might take."""
    net = Net(30, 17)
    x = net.input("x", [3, WIDTH])
    condition = net.input("condition", [], TensorProto.BOOL)
    y = net.add("MatMul", [x, net.weight("w", decaying_matrix(net.rng, WIDTH, WIDTH))], "matmul")
    branches = {}
    for name, suffix in (("then", "svd_0"), ("else", "svd_1")):
        inner = Net(31, 17)
        value = inner.weight(f"w.{suffix}", inner.rng.standard_normal((3, WIDTH)).astype(np.float32))
        inner.output(inner.add("Add", [y, value], f"matmul/{suffix}"), shape=[3, WIDTH])
        branches[f"{name}_branch"] = inner.graph(name)
    net.output(net.add("If", [condition], "if", **branches), shape=[3, WIDTH])
    return net.model()


add("nested-if", lambda: conditional(13, outer=False), MATRIX, expect="either")
add("nested-if-outer-weight", lambda: conditional(17, outer=True), MATRIX, expect="either")
add("nested-loop", loop, MATRIX, expect="either")
add("nested-scan", scan, MATRIX, expect="either")
add("nested-function-constant", lambda: function_model(True), KERNEL, expect="either")
add("nested-function-argument", lambda: function_model(False), KERNEL, expect="either")
add("nested-shadowing-names", shadowing, MATRIX)
