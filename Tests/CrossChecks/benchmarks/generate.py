#!/usr/bin/env python3
"""Writes the models that the benchmark works on: real sizes, random weights.

usage: generate.py bert-base|resnet50|single-944mb|external-3gb OUT.onnx
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from model_builder import Net  # noqa: E402


def normal(net: Net, *shape: int) -> np.ndarray:
    """float32 values of variance 1 / (first extent), as at the start of a training."""
    return net.rng.standard_normal(shape, np.float32) / np.float32(np.sqrt(shape[0]))


def uniform(net: Net, *shape: int) -> np.ndarray:
    """float32 values of variance 1 / (first extent), three times as fast to draw as normal ones."""
    value = net.rng.random(shape, np.float32)
    value -= np.float32(0.5)
    value *= np.float32(np.sqrt(12 / shape[0]))
    return value


def linear(net: Net, name: str, x: str, inputs: int, outputs: int) -> str:
    """MatMul and Add."""
    y = net.add("MatMul", [x, net.weight(f"{name}.weight", normal(net, inputs, outputs))], f"/{name}/MatMul")
    return net.add("Add", [y, net.weight(f"{name}.bias", np.zeros(outputs, np.float32))], f"/{name}/Add")


def norm(net: Net, name: str, x: str, width: int) -> str:
    """LayerNormalization."""
    scale = net.weight(f"{name}.weight", np.ones(width, np.float32))
    return net.add(
        "LayerNormalization", [x, scale, net.weight(f"{name}.bias", np.zeros(width, np.float32))], f"/{name}"
    )


def bert_base() -> onnx.ModelProto:
    """Encoder of 12 layers, width 768, feed-forward 3072, 12 heads, 30 522 words, 512 positions: 109 M parameters."""
    layers, width, hidden, heads = 12, 768, 3072, 12
    net = Net(91, 17)
    ids = net.input("input_ids", ["N", 128], TensorProto.INT64)
    x = net.add("Gather", [net.weight("embeddings.word", normal(net, 30522, width)), ids], "/embeddings/Gather")
    x = net.add("Add", [x, net.weight("embeddings.position", normal(net, 128, width))], "/embeddings/Add")
    x = norm(net, "embeddings.norm", x, width)
    split = net.weight("split", np.array([0, 128, heads, width // heads]))
    join = net.weight("join", np.array([0, 128, width]))
    scale = net.weight("scale", np.array((width // heads) ** -0.5, np.float32))
    half, one, root = (net.weight(n, np.array(v, np.float32)) for n, v in (("half", 0.5), ("one", 1), ("root", 2**0.5)))
    for i in range(layers):
        name = f"layer.{i}"

        def projected(part: str, order: list[int], x: str = x, name: str = name) -> str:
            y = linear(net, f"{name}.{part}", x, width, width)
            y = net.add("Reshape", [y, split], f"/{name}.{part}/Reshape")
            return net.add("Transpose", [y], f"/{name}.{part}/Transpose", perm=order)

        scores = net.add(
            "MatMul", [projected("query", [0, 2, 1, 3]), projected("key", [0, 2, 3, 1])], f"/{name}/scores"
        )
        scores = net.add("Mul", [scores, scale], f"/{name}/scaled")
        weights = net.add("Softmax", [scores], f"/{name}/softmax", axis=-1)
        mixed = net.add("MatMul", [weights, projected("value", [0, 2, 1, 3])], f"/{name}/mixed")
        mixed = net.add("Transpose", [mixed], f"/{name}/joined", perm=[0, 2, 1, 3])
        mixed = net.add("Reshape", [mixed, join], f"/{name}/flat")
        y = linear(net, f"{name}.out", mixed, width, width)
        x = norm(net, f"{name}.norm1", net.add("Add", [x, y], f"/{name}/sum1"), width)
        up = linear(net, f"{name}.up", x, width, hidden)
        erf = net.add("Erf", [net.add("Div", [up, root], f"/{name}/gelu/Div")], f"/{name}/gelu/Erf")
        up = net.add("Mul", [up, net.add("Add", [erf, one], f"/{name}/gelu/Add")], f"/{name}/gelu/Mul")
        up = net.add("Mul", [up, half], f"/{name}/gelu/Mul_1")
        y = linear(net, f"{name}.down", up, hidden, width)
        x = norm(net, f"{name}.norm2", net.add("Add", [x, y], f"/{name}/sum2"), width)
    net.output(x, shape=["N", 128, width])
    return net.model("bert-base", infer=False)


def resnet50() -> onnx.ModelProto:
    """ResNet-50 for 224×224 images, batch normalization folded: 25.5 M parameters."""
    net = Net(92, 17)
    x = net.input("image", ["N", 3, 224, 224])

    def conv(name: str, x: str, inputs: int, outputs: int, kernel: int, stride: int = 1) -> str:
        value = net.rng.standard_normal((outputs, inputs, kernel, kernel), np.float32) / np.float32(
            np.sqrt(inputs * kernel * kernel / 2)
        )
        weight = net.weight(f"{name}.weight", value)
        bias = net.weight(f"{name}.bias", np.zeros(outputs, np.float32))
        return net.add(
            "Conv",
            [x, weight, bias],
            f"/{name}/Conv",
            kernel_shape=[kernel] * 2,
            strides=[stride] * 2,
            pads=[kernel // 2] * 4,
        )

    x = net.add("Relu", [conv("stem", x, 3, 64, 7, 2)], "/stem/Relu")
    x = net.add("MaxPool", [x], "/stem/MaxPool", kernel_shape=[3, 3], strides=[2, 2], pads=[1] * 4)
    channels = 64
    for stage, (blocks, width) in enumerate(((3, 64), (4, 128), (6, 256), (3, 512))):
        for block in range(blocks):
            name, stride = f"layer{stage + 1}.{block}", 2 if stage and not block else 1
            y = net.add("Relu", [conv(f"{name}.conv1", x, channels, width, 1)], f"/{name}/Relu1")
            y = net.add("Relu", [conv(f"{name}.conv2", y, width, width, 3, stride)], f"/{name}/Relu2")
            y = conv(f"{name}.conv3", y, width, 4 * width, 1)
            if block == 0:
                x = conv(f"{name}.shortcut", x, channels, 4 * width, 1, stride)
            x = net.add("Relu", [net.add("Add", [x, y], f"/{name}/Add")], f"/{name}/Relu3")
            channels = 4 * width
    x = net.add("Flatten", [net.add("GlobalAveragePool", [x], "/pool")], "/flatten")
    weight, bias = (
        net.weight("fc.weight", normal(net, 1000, channels)),
        net.weight("fc.bias", np.zeros(1000, np.float32)),
    )
    net.output(net.add("Gemm", [x, weight, bias], "/fc/Gemm", transB=1), shape=["N", 1000])
    return net.model("resnet50", infer=False)


def perceptron(matrices: int, seed: int, rest: int = 0) -> tuple[Net, list[tuple[str, int, int]]]:
    """A chain of 2048×8192 and 8192×2048 matrices without their values, and the list of these."""
    net = Net(seed, 17)
    x = net.input("x", ["N", 2048])
    shapes = []
    for i in range(matrices):
        rows, columns = (2048, 8192) if i % 2 == 0 else (8192, 2048)
        shapes.append((f"fc{i}.weight", rows, columns))
        x = net.add("Relu", [net.add("MatMul", [x, f"fc{i}.weight"], f"/fc{i}/MatMul")], f"/fc{i}/Relu")
    if rest:
        shapes.append(("last.weight", 2048, rest))
        x = net.add("MatMul", [x, "last.weight"], "/last/MatMul")
    net.output(x, shape=["N", rest or 2048])
    return net, shapes


def single_file() -> onnx.ModelProto:
    """One file of 944 MB."""
    net, shapes = perceptron(14, 93, rest=546)
    for name, rows, columns in shapes:
        net.weight(name, uniform(net, rows, columns))
    return net.model("single-944mb", infer=False)


def external(path: Path) -> None:
    """A model whose 3.1 GB of weights lie in a second file; written matrix by matrix."""
    net, shapes = perceptron(46, 94)
    offset = 0
    with path.with_suffix(".onnx.data").open("wb") as data:
        for name, rows, columns in shapes:
            value = uniform(net, rows, columns)
            data.write(value)
            tensor = onnx.TensorProto(name=name, data_type=TensorProto.FLOAT, dims=value.shape)
            tensor.data_location = TensorProto.EXTERNAL
            for key, entry in (("location", f"{path.name}.data"), ("offset", offset), ("length", value.nbytes)):
                tensor.external_data.add(key=key, value=str(entry))
            net.initializers.append(tensor)
            offset += value.nbytes
    path.write_bytes(net.model("external-3gb", infer=False).SerializeToString())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name", choices=["bert-base", "resnet50", "single-944mb", "external-3gb"])
    parser.add_argument("out", type=Path)
    arguments = parser.parse_args()
    if arguments.name == "external-3gb":
        external(arguments.out)
        return
    build = {"bert-base": bert_base, "resnet50": resnet50, "single-944mb": single_file}[arguments.name]
    arguments.out.write_bytes(build().SerializeToString())


if __name__ == "__main__":
    main()
