#!/usr/bin/env python3
"""Writes the models that the training benchmark trains: ResNet-20 for CIFAR-10, dense and in two factorized forms.

usage: training_models.py SOURCE.onnx FOLDER

dense.onnx is SOURCE.onnx itself. In the other two every 3×3 Conv becomes a chain of three whose factors are random, from
a fixed seed; stride and pads stand on the middle one, everything else (BatchNormalization too) stays as it is:

tt.onnx   1×1 (in → r2), 3×3 (r2 → r1), 1×1 (r1 → out), with r2 = 0.4 in and r1 = 0.4 out, rounded, at least 1
cp.onnx   1×1 (in → 24), 3×3 depthwise (24), 1×1 (24 → out)

The factors of `NAME.weight` are called `NAME.0.weight`, `NAME.1.weight` and `NAME.2.weight`. Needs onnx and numpy.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import onnx
from onnx import helper, numpy_helper

FORMS = ("dense", "tt", "cp")
SHARE = 0.4
TERMS = 24


def factor_shapes(form: str, shape: tuple[int, ...]) -> list[tuple[int, ...]]:
    """Shapes of the three kernels that take the place of one of `shape`."""
    out, channels, *kernel = shape
    if form == "tt":
        inner, outer = (max(1, round(SHARE * n)) for n in (channels, out))
        return [(inner, channels, 1, 1), (outer, inner, *kernel), (out, outer, 1, 1)]
    return [(TERMS, channels, 1, 1), (TERMS, 1, *kernel), (out, TERMS, 1, 1)]


def factorized(source: onnx.ModelProto, form: str, seed: int = 20) -> onnx.ModelProto:
    """The model with each of its 3×3 convolutions as a chain."""
    rng = np.random.default_rng(seed)
    model = onnx.ModelProto()
    model.CopyFrom(source)
    graph = model.graph
    weights = {tensor.name: tensor for tensor in graph.initializer}
    nodes: list[onnx.NodeProto] = []
    factors: dict[str, list[onnx.TensorProto]] = {}
    for node in graph.node:
        if node.op_type != "Conv" or tuple(weights[node.input[1]].dims[2:]) != (3, 3):
            nodes.append(node)
            continue
        attributes = {a.name: helper.get_attribute_value(a) for a in node.attribute}
        if attributes.get("group", 1) != 1 or len(node.input) != 2:
            raise ValueError(f"a convolution with groups or a bias: {node.output[0]}")
        stem = node.input[1].removesuffix(".weight")
        value = node.input[0]
        made = []
        for place, shape in enumerate(factor_shapes(form, tuple(weights[node.input[1]].dims))):
            # Variances stay the same along the chain; ReLU, after it, halves them.
            deviation = np.sqrt((2 if place == 2 else 1) / np.prod(shape[1:]))
            kernel = (deviation * rng.standard_normal(shape)).astype(np.float32)
            made.append(numpy_helper.from_array(kernel, f"{stem}.{place}.weight"))
            middle = place == 1
            output = node.output[0] if place == 2 else f"{node.output[0]}/{place}"
            link = helper.make_node(
                "Conv",
                [value, made[-1].name],
                [output],
                name=f"{node.name}/{place}" if node.name else "",
                kernel_shape=shape[2:],
                group=TERMS if middle and form == "cp" else 1,
                dilations=attributes.get("dilations", [1, 1]) if middle else [1, 1],
                strides=attributes.get("strides", [1, 1]) if middle else [1, 1],
                pads=attributes.get("pads", [0] * 4) if middle else [0] * 4,
            )
            nodes.append(link)
            value = output
        factors[node.input[1]] = made
    initializers = [new for old in graph.initializer for new in factors.get(old.name, [old])]
    del graph.node[:], graph.initializer[:]
    graph.node.extend(nodes)
    graph.initializer.extend(initializers)
    onnx.checker.check_model(model, full_check=True)
    return model


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", type=Path)
    parser.add_argument("folder", type=Path)
    arguments = parser.parse_args()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    source = onnx.load(arguments.source)
    (arguments.folder / "dense.onnx").write_bytes(arguments.source.read_bytes())
    for form in FORMS[1:]:
        onnx.save(factorized(source, form), arguments.folder / f"{form}.onnx")


if __name__ == "__main__":
    main()
