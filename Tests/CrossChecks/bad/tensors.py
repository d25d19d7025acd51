"""Rows I7 and I13: shapes that do not fit their data, and values that numerics must survive."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import onnx
from model_builder import Net, decaying_matrix
from onnx import TensorProto

from .registry import accepted, rejected


def with_weight(tensor: onnx.TensorProto, columns: int = 5) -> onnx.ModelProto:
    """A MatMul by a weight that is given as it is."""
    net = Net(63, 17)
    x = net.input("x", [3, 6])
    tensor.name = "w"
    net.initializers.append(tensor)
    net.output(net.add("MatMul", [x, "w"], "matmul"), shape=[3, columns])
    return net.model(infer=False)


def tensor(dims: Sequence[int], dtype: int = TensorProto.FLOAT, **data: object) -> onnx.TensorProto:
    """A tensor with fields as given."""
    return onnx.TensorProto(dims=list(dims), data_type=dtype, **data)


def shape(name: str, dims: Sequence[int], code: str = "shape|size|overflow|tensor|dim", **data: object) -> None:
    """A weight whose dims do not agree with its data."""
    data = data or {"raw_data": bytes(120)}
    rejected("I7", name, lambda: with_weight(tensor(dims, **data)), code)


shape("dims-negative", [-6, 5])
shape("dims-both-negative", [-6, -5])
shape("dims-minimum", [-(2**63), 5])
shape("dims-huge", [2**40, 2**40])
shape("dims-2-32-squared", [2**32, 2**32])
shape("dims-2-62", [2**62, 5])
shape("dims-maximum", [2**63 - 1, 2**63 - 1])
shape("dims-large-times-zero", [2**62, 2**62, 0], raw_data=b"")
shape("dims-trillion", [2**20, 2**20])
shape("rank-64", [1] * 62 + [6, 5])
shape("rank-100000", [1] * 100_000)
shape("raw-too-short", [6, 5], raw_data=bytes(119))
shape("raw-empty", [6, 5], float_data=[])
shape("raw-too-long", [6, 5], raw_data=bytes(121))
shape("typed-too-short", [6, 5], float_data=[1.0] * 29)
shape("typed-too-long", [6, 5], float_data=[1.0] * 31)
shape("typed-and-raw", [6, 5], float_data=[1.0] * 30, raw_data=bytes(120))
shape("typed-of-another-type", [6, 5], int32_data=[1] * 30)
shape("bomb", [6, 2**33], raw_data=bytes(16))
rejected("I7", "type-undefined", lambda: with_weight(tensor([6, 5], TensorProto.UNDEFINED, raw_data=bytes(120))))
# An element type of a later version of the format: nothing is known about its size.
accepted("I7", "type-unknown", lambda: with_weight(tensor([6, 5], 99, raw_data=bytes(120))), strictly=False)
accepted("I7", "dims-zero", lambda: with_weight(tensor([6, 0], raw_data=b""), 0), strictly=False)
accepted(
    "I7",
    "int32-for-fp16",
    lambda: with_weight(tensor([6, 5], TensorProto.FLOAT16, int32_data=[15360] * 30)),
    strictly=False,
)


def conv_weight(dims: Sequence[int], **attributes: object) -> onnx.ModelProto:
    """A Conv whose weight or attributes do not suit its input."""
    net = Net(64, 17)
    x = net.input("x", [1, 6, 8, 8])
    w = net.weight("w", net.rng.standard_normal(tuple(dims)).astype(np.float32))
    net.output(net.add("Conv", [x, w], "conv", **attributes), shape=["a", "b", "c", "d"])
    return net.model(infer=False)


# Shape inference of the platform's libonnx crashes on some of these; they are broken, so they may be refused or kept.
for _name, _dims, _attributes in [
    ("conv-scalar-weight", [], {}),
    ("conv-rank-1-weight", [6], {}),
    ("conv-rank-mismatch", [8, 6, 3], {}),
    ("conv-rank-5-weight", [8, 6, 3, 3, 3], {}),
    ("conv-kernel-shape-lies", [8, 6, 3, 3], dict(kernel_shape=[5, 5])),
    ("conv-group-zero", [8, 6, 3, 3], dict(group=0)),
    ("conv-group-negative", [8, 6, 3, 3], dict(group=-2)),
    ("conv-group-does-not-divide", [8, 2, 3, 3], dict(group=3)),
    ("conv-group-huge", [8, 6, 3, 3], dict(group=2**62)),
    ("conv-strides-zero", [8, 6, 3, 3], dict(strides=[0, 0])),
    ("conv-strides-negative", [8, 6, 3, 3], dict(strides=[-1, 1])),
    ("conv-strides-huge", [8, 6, 3, 3], dict(strides=[2**62, 2**62])),
    ("conv-strides-short", [8, 6, 3, 3], dict(strides=[1])),
    ("conv-pads-huge", [8, 6, 3, 3], dict(pads=[2**62] * 4)),
    ("conv-pads-short", [8, 6, 3, 3], dict(pads=[1])),
    ("conv-dilations-zero", [8, 6, 3, 3], dict(dilations=[0, 1])),
    ("conv-dilations-huge", [8, 6, 3, 3], dict(dilations=[2**62, 2**62])),
    ("conv-empty-kernel", [8, 6, 0, 3], {}),
    ("conv-auto-pad-unknown", [8, 6, 3, 3], dict(auto_pad="SIDEWAYS")),
    ("conv-channels-do-not-fit", [8, 5, 3, 3], {}),
]:
    accepted("I14", _name, lambda d=_dims, a=_attributes: conv_weight(d, **a), strictly=False)


def values(matrix: np.ndarray) -> onnx.ModelProto:
    """A MatMul by a matrix with values as given."""
    net = Net(65, 17)
    x = net.input("x", [3, matrix.shape[0]])
    net.output(net.add("MatMul", [x, net.weight("w", matrix)], "matmul"))
    return net.model()


_full = decaying_matrix(np.random.default_rng(66), 32, 24)
_ladder = np.zeros((32, 24), np.float32)
np.fill_diagonal(_ladder, 10.0 ** np.linspace(30, -30, 24))
for _name, _matrix in {
    "weights-zero": np.zeros((32, 24), np.float32),
    "weights-constant": np.full((32, 24), 0.25, np.float32),
    "weights-rank-one": np.outer(_full[:, 0], _full[0]).astype(np.float32),
    "weights-denormal": (_full * np.float32(1e-41)).astype(np.float32),
    "weights-1e38": (_full / np.abs(_full).max() * np.float32(3e38)).astype(np.float32),
    "weights-1e-30": (_full * np.float32(1e-30)).astype(np.float32),
    "weights-ill-conditioned": _ladder,
    "weights-one-spike": np.where(np.arange(768).reshape(32, 24) == 99, np.float32(1e20), _full).astype(np.float32),
    "weights-fp16-largest": (_full / np.abs(_full).max() * 65504).astype(np.float16),
    "weights-fp16-denormal": (_full / np.abs(_full).max() * 6e-7).astype(np.float16),
}.items():
    accepted("I13", _name, lambda m=_matrix: values_of_kind(m))


def values_of_kind(matrix: np.ndarray) -> onnx.ModelProto:
    """`values` with an input of the matrix's type."""
    model = values(matrix)
    if matrix.dtype == np.float16:
        for info in [*model.graph.input, *model.graph.output]:
            info.type.tensor_type.elem_type = TensorProto.FLOAT16
    return model


for _name, _value in (("nan", np.nan), ("inf", np.inf), ("minus-inf", -np.inf)):
    for _place in (0, 100, 767):
        _bad = _full.copy()
        _bad.flat[_place] = _value
        accepted("I13", f"weights-{_name}-at-{_place}", lambda m=_bad: values(m))
