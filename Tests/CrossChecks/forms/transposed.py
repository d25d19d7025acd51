"""ConvTranspose in one, two and three dimensions. Its weight is `[in, out / group, kernel…]`."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
from model_builder import Net, decaying_kernel, separable_kernel

from .registry import add

EXTENT = {1: [9], 2: [6, 5], 3: [4, 3, 3]}

CASES: list[tuple[str, int, list[int], dict[str, Any]]] = [
    ("convtranspose1d", 8, [16, 12, 3], {}),
    ("convtranspose1d-stride", 11, [16, 12, 4], dict(strides=[2], pads=[1, 1], output_padding=[1])),
    ("convtranspose2d", 9, [16, 12, 3, 3], dict(bias=False)),
    ("convtranspose2d-stride", 11, [16, 12, 3, 3], dict(strides=[2, 2], pads=[1, 1, 1, 1], output_padding=[1, 1])),
    ("convtranspose2d-dilation", 13, [16, 12, 3, 3], dict(dilations=[2, 1], strides=[1, 2], pads=[0, 1, 2, 0])),
    ("convtranspose2d-groups", 14, [16, 8, 3, 3], dict(group=2, strides=[2, 2])),
    ("convtranspose2d-same-upper", 15, [16, 12, 3, 3], dict(auto_pad="SAME_UPPER", strides=[2, 2])),
    ("convtranspose2d-output-shape", 17, [16, 12, 4, 4], dict(strides=[2, 2], output_shape=[13, 11])),
    ("convtranspose2d-pointwise", 16, [24, 16, 1, 1], {}),
    ("convtranspose3d", 17, [12, 10, 3, 2, 2], dict(strides=[2, 1, 2], output_padding=[1, 0, 1])),
    ("convtranspose3d-groups", 18, [12, 6, 2, 2, 2], dict(group=2, bias=False)),
]


def transposed(
    opset: int, shape: list[int], *, bias: bool = True, separable: bool = False, **attributes: Any
) -> onnx.ModelProto:
    """One ConvTranspose."""
    net = Net(2, opset)
    x = net.input("x", [2, shape[0], *EXTENT[len(shape) - 2]])
    inputs = [x, net.weight("w", (separable_kernel if separable else decaying_kernel)(net.rng, shape))]
    if bias:
        out = shape[1] * attributes.get("group", 1)
        inputs.append(net.weight("b", net.rng.standard_normal(out).astype(np.float32)))
    net.output(net.add("ConvTranspose", inputs, "convtranspose", **attributes))
    return net.model()


for _name, _opset, _shape, _options in CASES:
    _pointwise = set(_shape[2:]) == {1}
    add(
        _name,
        lambda o=_opset, s=_shape, k=_options: transposed(o, s, **k),
        ["svd"] if _pointwise else ["tt", "tucker"],
        expect="either",
    )
add(
    "convtranspose2d-stride-separable",
    lambda: transposed(11, [16, 12, 3, 3], separable=True, strides=[2, 2], pads=[1, 1, 1, 1], output_padding=[1, 1]),
    ["cp"],
    expect="either",
)
