"""Conv in one, two and three dimensions: strides, dilations, pads of every kind, groups, with and without bias."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
from model_builder import Net, decaying_kernel, separable_kernel

from .registry import CANONICAL, CANONICAL_2D, KERNEL, KERNEL_2D, MATRIX, add

EXTENT = {1: [23], 2: [13, 11], 3: [7, 6, 5]}


def conv(
    opset: int, shape: list[int], *, separable: bool = False, bias: bool = True, seed: int = 1, **attributes: Any
) -> onnx.ModelProto:
    """One Conv with a weight `[out, in / group, kernel…]` between an input and a Relu."""
    net = Net(seed, opset)
    spatial = len(shape) - 2
    x = net.input("x", [2, shape[1] * attributes.get("group", 1), *EXTENT[spatial]])
    kernel = (separable_kernel if separable else decaying_kernel)(net.rng, shape)
    inputs = [x, net.weight("w", kernel)]
    if bias:
        inputs.append(net.weight("b", net.rng.standard_normal(shape[0]).astype(np.float32)))
    y = net.add("Conv", inputs, "conv", **attributes)
    net.output(net.add("Relu", [y], "relu") if attributes.get("group", 1) == 1 else y)
    return net.model()


# name, opset, weight shape, options
PLAIN: list[tuple[str, int, list[int], dict[str, Any]]] = [
    ("conv1d", 7, [16, 12, 5], dict(kernel_shape=[5])),
    ("conv1d-no-kernel-shape", 8, [16, 12, 3], dict(bias=False)),
    ("conv1d-stride-dilation", 9, [16, 12, 3], dict(strides=[2], dilations=[3], pads=[2, 1])),
    ("conv1d-same-upper", 10, [16, 12, 4], dict(strides=[2], auto_pad="SAME_UPPER")),
    ("conv2d", 7, [16, 12, 3, 3], dict(kernel_shape=[3, 3])),
    ("conv2d-no-bias", 8, [16, 12, 3, 3], dict(bias=False, pads=[1, 1, 1, 1])),
    ("conv2d-stride", 9, [16, 12, 3, 3], dict(strides=[2, 2], pads=[1, 1, 1, 1])),
    ("conv2d-stride-uneven", 10, [16, 12, 3, 5], dict(strides=[2, 3], pads=[1, 2, 1, 2])),
    ("conv2d-dilation", 11, [16, 12, 3, 3], dict(dilations=[2, 3], pads=[2, 3, 2, 3])),
    ("conv2d-asymmetric-pads", 12, [16, 12, 3, 3], dict(pads=[0, 1, 2, 3], strides=[2, 1])),
    ("conv2d-same-upper", 13, [16, 12, 3, 3], dict(auto_pad="SAME_UPPER", strides=[2, 2])),
    ("conv2d-same-lower", 14, [16, 12, 4, 2], dict(auto_pad="SAME_LOWER", strides=[2, 3])),
    ("conv2d-same-dilation", 15, [16, 12, 3, 3], dict(auto_pad="SAME_UPPER", dilations=[2, 1])),
    ("conv2d-valid", 16, [16, 12, 3, 3], dict(auto_pad="VALID", strides=[2, 1])),
    ("conv2d-notset", 17, [16, 12, 3, 3], dict(auto_pad="NOTSET", pads=[1, 0, 0, 1])),
    ("conv2d-even-kernel", 18, [12, 16, 4, 4], dict(pads=[1, 2, 2, 1])),
    ("conv2d-row-kernel", 19, [16, 12, 1, 7], dict(pads=[0, 3, 0, 3])),
    ("conv3d", 13, [12, 10, 3, 3, 3], dict(pads=[1, 1, 1, 1, 1, 1])),
    ("conv3d-stride-dilation", 17, [12, 10, 3, 2, 2], dict(strides=[2, 1, 2], dilations=[1, 2, 1], pads=[1, 0, 1] * 2)),
    ("conv3d-same-lower", 21, [12, 10, 2, 3, 3], dict(auto_pad="SAME_LOWER", strides=[1, 2, 1], bias=False)),
]

GROUPED: list[tuple[str, int, list[int], dict[str, Any]]] = [
    ("conv1d-groups", 12, [16, 8, 3], dict(group=2)),
    ("conv2d-groups", 13, [24, 8, 3, 3], dict(group=3, pads=[1, 1, 1, 1])),
    ("conv2d-groups-stride", 17, [16, 6, 3, 3], dict(group=2, strides=[2, 2], dilations=[1, 2], bias=False)),
    ("conv3d-groups", 18, [12, 6, 2, 2, 2], dict(group=2)),
]

for _name, _opset, _shape, _options in PLAIN:
    # A kernel of one row or column has no second spatial factor.
    _flat = len(_shape) != 4 or 1 in _shape[2:]
    add(_name, lambda o=_opset, s=_shape, k=_options: conv(o, s, **k), KERNEL if _flat else KERNEL_2D)
    add(
        f"{_name}-separable",
        lambda o=_opset, s=_shape, k=_options: conv(o, s, separable=True, **k),
        CANONICAL if _flat else CANONICAL_2D,
    )

for _name, _opset, _shape, _options in GROUPED:
    add(_name, lambda o=_opset, s=_shape, k=_options: conv(o, s, **k), KERNEL)

for _spatial in (1, 2, 3):
    _ones = [1] * _spatial
    add(f"conv{_spatial}d-pointwise", lambda n=_ones: conv(11, [24, 16, *n]), MATRIX)
    add(f"conv{_spatial}d-pointwise-stride", lambda n=_ones: conv(14, [24, 16, *n], strides=[2] * len(n)), MATRIX)
add("conv2d-pointwise-pads", lambda: conv(16, [24, 16, 1, 1], pads=[1, 0, 1, 2]), MATRIX)
add("conv2d-pointwise-groups", lambda: conv(15, [24, 8, 1, 1], group=3), MATRIX)


def chained() -> onnx.ModelProto:
    """Convolutions after one another with normalization between them, and a symbolic batch and size."""
    net = Net(5, 17)
    x = net.input("x", ["N", 8, "H", "W"])
    for i, (channels, out) in enumerate([(8, 16), (16, 16), (16, 12)]):
        weight = net.weight(f"w{i}", decaying_kernel(net.rng, [out, channels, 3, 3]))
        x = net.add("Conv", [x, weight], f"/block{i}/conv", pads=[1, 1, 1, 1])
        moments = [
            net.weight(f"{part}{i}", value.astype(np.float32))
            for part, value in (
                ("scale", net.rng.uniform(0.5, 1.5, out)),
                ("shift", net.rng.standard_normal(out)),
                ("mean", net.rng.standard_normal(out)),
                ("var", net.rng.uniform(0.5, 2, out)),
            )
        ]
        x = net.add("BatchNormalization", [x, *moments], f"/block{i}/norm")
        x = net.add("Relu", [x], f"/block{i}/relu")
    net.output(x, shape=["N", 12, "H", "W"])
    return net.model()


add("conv2d-chain-symbolic", chained, KERNEL_2D, layers=3)
