"""Rows I1 to I6 and I8: empty, cut, flipped, deep, amplifying and wrongly encoded files."""

from __future__ import annotations

import random
from pathlib import Path

import onnx
from model_builder import Net, decaying_kernel, decaying_matrix

from . import wire
from .registry import MEBIBYTE, accepted, rejected


def small_model() -> onnx.ModelProto:
    """A sound model of about 3 KB: the seed of cuts and flips."""
    net = Net(61, 17)
    x = net.input("x", [1, 4, 6, 6])
    y = net.add("Conv", [x, net.weight("w", decaying_kernel(net.rng, [8, 4, 3, 3]))], "conv", pads=[1, 1, 1, 1])
    y = net.add("Flatten", [y], "flatten")
    net.output(net.add("Gemm", [y, net.weight("v", decaying_matrix(net.rng, 288, 2))], "gemm"))
    return net.model()


def sound(content: bytes) -> bool:
    """Whether ONNX's own parser and checker take it."""
    try:
        onnx.checker.check_model(onnx.load_from_string(content))
        return True
    except Exception:
        return False


def nested(levels: int) -> bytes:
    """Graph in attribute in node in graph, `levels` deep; each graph is the last field of what holds it, so that the
    lengths can be worked out from the inside."""
    heads: list[bytes] = []
    length = 0
    for _ in range(levels):
        graph = wire.key(wire.ATTRIBUTE_GRAPH, wire.BYTES) + wire.varint(length)
        name = wire.message(wire.ATTRIBUTE_NAME, b"then_branch") + wire.integer(wire.ATTRIBUTE_TYPE, 5)
        attribute = wire.key(wire.NODE_ATTRIBUTE, wire.BYTES) + wire.varint(len(name) + len(graph) + length)
        front = wire.message(wire.NODE_OPERATOR, b"If")
        node_length = len(front) + len(attribute) + len(name) + len(graph) + length
        node = wire.key(wire.GRAPH_NODE, wire.BYTES) + wire.varint(node_length)
        head = node + front + attribute + name + graph
        heads.append(head)
        length += len(head)
    body = b"".join(reversed(heads))
    return wire.integer(wire.MODEL_IR, 8) + wire.opset() + wire.message(wire.MODEL_GRAPH, body)


def nested_branches(levels: int) -> onnx.ModelProto:
    """A sound model with If in If, `levels` deep."""
    from onnx import TensorProto, helper

    def value(name: str) -> onnx.ValueInfoProto:
        return helper.make_tensor_value_info(name, TensorProto.FLOAT, [2])

    inner = helper.make_graph([helper.make_node("Identity", ["x"], ["y0"])], "level0", [], [value("y0")])
    for level in range(1, levels + 1):
        other = helper.make_graph([helper.make_node("Identity", ["x"], [f"z{level}"])], "z", [], [value(f"z{level}")])
        node = helper.make_node("If", ["c"], [f"y{level}"], then_branch=inner, else_branch=other)
        inner = helper.make_graph([node], f"level{level}", [], [value(f"y{level}")])
    inner.input.extend([value("x"), helper.make_tensor_value_info("c", TensorProto.BOOL, [])])
    return helper.make_model(inner, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


rejected("I1", "empty", b"")
rejected("I1", "one-byte", b"\x08")
rejected("I1", "only-ir-version", wire.integer(wire.MODEL_IR, 8))
rejected("I1", "text", b"this is not a model\n" * 20)
rejected("I1", "html", b"<!DOCTYPE html><html><body>404</body></html>")
rejected(
    "I1", "git-lfs-pointer", b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"0" * 64 + b"\nsize 12345\n"
)
rejected("I1", "zeros", bytes(4096))
rejected("I1", "ones", b"\xff" * 4096)
rejected("I1", "zip", b"PK\x03\x04" + bytes(100))

_SEED = small_model().SerializeToString(deterministic=True)
for _length in [*range(1, 64), *range(64, len(_SEED), 97), len(_SEED) - 1]:
    (accepted if sound(_SEED[:_length]) else rejected)(
        "I2", f"cut-{_length:04d}", _SEED[:_length], **({"strictly": False} if sound(_SEED[:_length]) else {})
    )

_random = random.Random(62)
for _number in range(120):
    _flipped = bytearray(_SEED)
    for _ in range(1 + _number % 4):
        # Half of the flips in the first and last bytes, where the structure is; the middle is weights.
        _near = _random.choice(
            [_random.randrange(160), len(_SEED) - 1 - _random.randrange(160), _random.randrange(len(_SEED))]
        )
        _flipped[_near] ^= 1 << _random.randrange(8)
    accepted("I3", f"flipped-{_number:03d}", bytes(_flipped), strictly=False)
for _number in range(12):
    rejected("I3", f"noise-{_number:02d}", _random.randbytes(1 << (_number + 3)))

accepted("I4", "nested-8", lambda: nested_branches(8))
accepted("I4", "nested-30", lambda: nested_branches(30))
for _levels in (33, 100, 1000, 5000, 100000):
    rejected("I4", f"nested-{_levels}", lambda n=_levels: nested(n), "deep|depth|nest")
rejected("I4", "groups-in-groups", lambda: wire.key(99, wire.GROUP) * 200_000)

rejected(
    "I5",
    "two-million-empty-nodes",
    lambda: wire.model(wire.message(wire.GRAPH_NODE) * 2_000_000),
    "nodes",
    memory=256 * MEBIBYTE,
)
rejected(
    "I5",
    "two-million-empty-initializers",
    lambda: wire.model(wire.message(wire.GRAPH_INITIALIZER) * 2_000_000),
    "initializer|tensor",
    memory=256 * MEBIBYTE,
)
rejected(
    "I5",
    "two-million-empty-attributes",
    lambda: wire.model(wire.message(wire.GRAPH_NODE, wire.message(wire.NODE_ATTRIBUTE) * 2_000_000)),
    "attribute",
    memory=256 * MEBIBYTE,
)
rejected(
    "I5",
    "two-million-empty-functions",
    lambda: wire.model(tail=wire.message(wire.MODEL_FUNCTION) * 2_000_000),
    "function",
    memory=256 * MEBIBYTE,
)
rejected(
    "I5",
    "two-million-empty-inputs-of-a-node",
    lambda: wire.model(wire.message(wire.GRAPH_NODE, wire.message(wire.NODE_INPUT) * 2_000_000)),
    memory=512 * MEBIBYTE,
)

accepted("I6", "unknown-fields", lambda: _SEED + wire.message(4000, b"new") + wire.integer(4001, 7))
accepted("I6", "future-ir", lambda: _SEED + wire.integer(wire.MODEL_IR, 40), strictly=False)

rejected("I8", "length-beyond-the-end", wire.key(wire.MODEL_GRAPH, wire.BYTES) + wire.varint(1 << 40) + bytes(10))
rejected("I8", "length-negative", wire.key(wire.MODEL_GRAPH, wire.BYTES) + wire.varint(-1) + bytes(10))
rejected("I8", "length-2-31", wire.key(wire.MODEL_GRAPH, wire.BYTES) + wire.varint(1 << 31) + bytes(10))
rejected(
    "I8",
    "inner-length-beyond-outer",
    lambda: (
        wire.integer(wire.MODEL_IR, 8)
        + wire.opset()
        + wire.key(wire.MODEL_GRAPH, wire.BYTES)
        + wire.varint(4)
        + wire.key(wire.GRAPH_NODE, wire.BYTES)
        + wire.varint(100)
        + bytes(200)
    ),
)
rejected("I8", "varint-of-eleven-bytes", wire.key(wire.MODEL_IR, wire.VARINT) + b"\x80" * 10 + b"\x01" + _SEED)
rejected("I8", "varint-without-end", wire.key(wire.MODEL_IR, wire.VARINT) + b"\x80" * 5000)
rejected("I8", "tag-of-eleven-bytes", b"\xff" * 10 + b"\x01" + _SEED)
rejected("I8", "field-number-zero", b"\x02\x01a" + _SEED)
rejected("I8", "wire-type-6", b"\x0e\x00" + _SEED)
rejected("I8", "wire-type-7", b"\x0f\x00" + _SEED)
rejected("I8", "group-without-end", _SEED + wire.key(4000, wire.GROUP))
accepted("I8", "end-without-group", _SEED + wire.key(4000, wire.END_GROUP), strictly=False)
rejected("I8", "graph-as-varint", wire.integer(wire.MODEL_IR, 8) + wire.opset() + wire.integer(wire.MODEL_GRAPH, 5))
rejected("I8", "ir-as-bytes", wire.message(wire.MODEL_IR, b"8") + _SEED[2:])
rejected("I8", "invalid-utf8-name", lambda: _SEED.replace(b"gemm", b"ge\xffm"), "utf|name|string")
rejected("I8", "nul-in-name", lambda: _SEED.replace(b"gemm", b"ge\x00m"), "nul|name|string")
accepted("I8", "graph-twice-merged", lambda: _SEED + wire.message(wire.MODEL_GRAPH), strictly=False)
accepted("I8", "ir-twice", lambda: _SEED + wire.integer(wire.MODEL_IR, 8))


def packed_and_unpacked(folder: Path) -> Path:
    """Dims given partly packed, partly not: both are valid."""
    tensor = (
        wire.message(wire.TENSOR_DIMS, wire.varint(6))
        + wire.integer(wire.TENSOR_DIMS, 5)
        + wire.integer(wire.TENSOR_TYPE, 1)
        + wire.message(wire.TENSOR_NAME, b"w")
        + wire.message(wire.TENSOR_RAW, bytes(120))
    )
    graph = onnx.load_from_string(_SEED).graph
    del graph.node[:], graph.initializer[:], graph.output[:], graph.input[:]
    node = onnx.helper.make_node("MatMul", ["x", "w"], ["y"], name="matmul")
    values = [onnx.helper.make_tensor_value_info(n, 1, [3, s]) for n, s in (("x", 6), ("y", 5))]
    content = wire.model(
        wire.message(wire.GRAPH_NAME, b"g"),
        wire.message(wire.GRAPH_NODE, node.SerializeToString()),
        wire.message(wire.GRAPH_INITIALIZER, tensor),
        wire.message(wire.GRAPH_INPUT, values[0].SerializeToString()),
        wire.message(wire.GRAPH_OUTPUT, values[1].SerializeToString()),
    )
    path = folder / "model.onnx"
    path.write_bytes(content)
    return path


accepted("I8", "dims-packed-and-unpacked", packed_and_unpacked)
