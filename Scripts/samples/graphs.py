"""The sample networks as ONNX graphs, node by node, so that names and attributes do not depend on an exporter."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import onnx
from networks import BLOCKS, HEADS, PATCH, TOKENS, WIDTH, DigitsCNN
from onnx import TensorProto, helper, numpy_helper
from torch import Tensor

METADATA = {
    "mean": "0",
    "std": "1",
    "scale": "0.0625",
    "layout": "NCHW",
    "classes": "0,1,2,3,4,5,6,7,8,9",
    "data": "scikit-learn digits (UCI Optical Recognition of Handwritten Digits, CC BY 4.0)",
    "license": "Apache-2.0",
}


class Builder:
    """A graph under construction: adds nodes with a name and one output named after it."""

    def __init__(self, state: Mapping[str, Tensor]) -> None:
        self.state = {name: value.detach().numpy() for name, value in state.items()}
        self.nodes: list[onnx.NodeProto] = []
        self.initializers: dict[str, onnx.TensorProto] = {}

    def weight(self, name: str, value: np.ndarray | None = None) -> str:
        """An initializer, by default the entry of the state with that name."""
        array = np.ascontiguousarray(self.state[name] if value is None else value)
        self.initializers[name] = numpy_helper.from_array(array, name)
        return name

    def add(self, operator: str, name: str, inputs: list[str], output: str | None = None, **attributes: Any) -> str:
        """A node with one output, which is named `{name}_output` unless `output` says otherwise."""
        result = output or f"{name}_output"
        self.nodes.append(helper.make_node(operator, inputs, [result], name=name, **attributes))
        return result

    def linear(self, name: str, path: str, x: str) -> str:
        """MatMul and Add, as exporters write a linear layer over more than two axes."""
        kernel = self.weight(f"{path}.weight_transposed", self.state[f"{path}.weight"].T)
        product = self.add("MatMul", f"{name}/MatMul", [x, kernel])
        return self.add("Add", f"{name}/Add", [self.weight(f"{path}.bias"), product])

    def model(self, name: str, description: str) -> onnx.ModelProto:
        """The finished model: input `image [N, 1, 8, 8]`, output `scores [N, 10]`, opset 17, IR 8."""
        graph = helper.make_graph(
            self.nodes,
            name,
            [helper.make_tensor_value_info("image", TensorProto.FLOAT, ["N", 1, 8, 8])],
            [helper.make_tensor_value_info("scores", TensorProto.FLOAT, ["N", 10])],
            list(self.initializers.values()),
            doc_string=description,
        )
        model = helper.make_model(
            graph,
            opset_imports=[helper.make_opsetid("", 17)],
            ir_version=8,
            producer_name="rene-samples",
            producer_version="1",
            doc_string=description,
        )
        helper.set_model_props(model, METADATA)
        onnx.checker.check_model(model, full_check=True)
        return model


def cnn_model(state: Mapping[str, Tensor]) -> onnx.ModelProto:
    """`DigitsCNN` with these parameters."""
    b = Builder(state)
    x = "image"
    for i, stride in enumerate(DigitsCNN.strides):
        x = b.add(
            "Conv",
            f"/conv.{i}/Conv",
            [x, b.weight(f"conv.{i}.weight")],
            kernel_shape=[3, 3],
            strides=[stride, stride],
            pads=[1, 1, 1, 1],
            dilations=[1, 1],
            group=1,
        )
        moments = [b.weight(f"norm.{i}.{part}") for part in ("weight", "bias", "running_mean", "running_var")]
        x = b.add("BatchNormalization", f"/norm.{i}/BatchNormalization", [x, *moments], epsilon=1e-5, momentum=0.9)
        x = b.add("Relu", f"/relu.{i}/Relu", [x])
    x = b.add("MaxPool", "/pool/MaxPool", [x], kernel_shape=[2, 2], strides=[2, 2])
    x = b.add("Flatten", "/flatten/Flatten", [x], axis=1)
    x = b.add("Gemm", "/hidden/Gemm", [x, b.weight("hidden.weight"), b.weight("hidden.bias")], transB=1)
    x = b.add("Relu", "/hidden/Relu", [x])
    b.add(
        "Gemm",
        "/classifier/Gemm",
        [x, b.weight("classifier.weight"), b.weight("classifier.bias")],
        output="scores",
        transB=1,
    )
    return b.model("digits-cnn", "Digit classifier: four 3x3 convolutions and two linear layers.")


def vit_model(state: Mapping[str, Tensor]) -> onnx.ModelProto:
    """`DigitsViT` with these parameters."""
    b = Builder(state)

    def integers(name: str, *values: int) -> str:
        return b.weight(name, np.array(values, np.int64))

    def scalar(name: str, value: float) -> str:
        return b.weight(name, np.array(value, np.float32))

    def normalized(name: str, path: str, x: str) -> str:
        return b.add(
            "LayerNormalization",
            f"{name}/LayerNormalization",
            [x, b.weight(f"{path}.weight"), b.weight(f"{path}.bias")],
            axis=-1,
            epsilon=1e-5,
        )

    def attention(name: str, path: str, x: str) -> str:
        shape = integers("heads_shape", 0, TOKENS, HEADS, WIDTH // HEADS)

        def heads(part: str, permutation: list[int]) -> str:
            y = b.linear(f"{name}/{part}", f"{path}.{part}", x)
            y = b.add("Reshape", f"{name}/{part}/Reshape", [y, shape])
            return b.add("Transpose", f"{name}/{part}/Transpose", [y], perm=permutation)

        products = b.add("MatMul", f"{name}/scores/MatMul", [heads("query", [0, 2, 1, 3]), heads("key", [0, 2, 3, 1])])
        scaled = b.add("Mul", f"{name}/scores/Mul", [products, scalar("attention_scale", (WIDTH // HEADS) ** -0.5)])
        weights = b.add("Softmax", f"{name}/Softmax", [scaled], axis=-1)
        mixed = b.add("MatMul", f"{name}/mixed/MatMul", [weights, heads("value", [0, 2, 1, 3])])
        joined = b.add("Transpose", f"{name}/mixed/Transpose", [mixed], perm=[0, 2, 1, 3])
        joined = b.add("Reshape", f"{name}/mixed/Reshape", [joined, integers("joined_shape", 0, TOKENS, WIDTH)])
        return b.linear(f"{name}/out", f"{path}.out", joined)

    def gelu(name: str, x: str) -> str:
        erf = b.add("Erf", f"{name}/Erf", [b.add("Div", f"{name}/Div", [x, scalar("sqrt_two", 2**0.5)])])
        shifted = b.add("Add", f"{name}/Add", [erf, scalar("one", 1)])
        return b.add("Mul", f"{name}/Mul_1", [b.add("Mul", f"{name}/Mul", [x, shifted]), scalar("half", 0.5)])

    x = b.add(
        "Conv",
        "/embed/Conv",
        ["image", b.weight("embed.weight"), b.weight("embed.bias")],
        kernel_shape=[PATCH, PATCH],
        strides=[PATCH, PATCH],
    )
    x = b.add("Reshape", "/embed/Reshape", [x, integers("tokens_shape", 0, WIDTH, TOKENS)])
    x = b.add("Transpose", "/embed/Transpose", [x], perm=[0, 2, 1])
    x = b.add("Add", "/embed/Add", [x, b.weight("position")])
    for i in range(BLOCKS):
        name, path = f"/blocks.{i}", f"blocks.{i}"
        y = attention(f"{name}/attention", path, normalized(f"{name}/norm1", f"{path}.norm1", x))
        x = b.add("Add", f"{name}/Add", [x, y])
        y = b.linear(f"{name}/up", f"{path}.up", normalized(f"{name}/norm2", f"{path}.norm2", x))
        y = b.linear(f"{name}/down", f"{path}.down", gelu(f"{name}/gelu", y))
        x = b.add("Add", f"{name}/Add_1", [x, y])
    x = normalized("/norm", "norm", x)
    x = b.add("ReduceMean", "/pool/ReduceMean", [x], axes=[1], keepdims=0)
    b.add(
        "Gemm",
        "/classifier/Gemm",
        [x, b.weight("classifier.weight"), b.weight("classifier.bias")],
        output="scores",
        transB=1,
    )
    return b.model("digits-vit", "Digit classifier: vision transformer with three blocks over 2x2 patches.")
