"""Protocol buffer wire format, written by hand so that it can be written wrongly."""

from __future__ import annotations

VARINT, FIXED64, BYTES, GROUP, END_GROUP, FIXED32 = 0, 1, 2, 3, 4, 5

# Field numbers of onnx.proto.
MODEL_IR, MODEL_PRODUCER, MODEL_GRAPH, MODEL_OPSET, MODEL_METADATA, MODEL_FUNCTION = 1, 2, 7, 8, 14, 25
OPSET_DOMAIN, OPSET_VERSION = 1, 2
GRAPH_NODE, GRAPH_NAME, GRAPH_INITIALIZER, GRAPH_INPUT, GRAPH_OUTPUT = 1, 2, 5, 11, 12
NODE_INPUT, NODE_OUTPUT, NODE_NAME, NODE_OPERATOR, NODE_ATTRIBUTE = 1, 2, 3, 4, 5
ATTRIBUTE_NAME, ATTRIBUTE_GRAPH, ATTRIBUTE_TYPE = 1, 6, 20
TENSOR_DIMS, TENSOR_TYPE, TENSOR_FLOATS, TENSOR_NAME, TENSOR_RAW = 1, 2, 4, 8, 9


def varint(value: int) -> bytes:
    """The encoding of a number of up to 64 bits; negative ones take ten bytes."""
    value &= (1 << 64) - 1
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def key(number: int, kind: int) -> bytes:
    """The tag of a field."""
    return varint(number << 3 | kind)


def integer(number: int, value: int) -> bytes:
    """A varint field."""
    return key(number, VARINT) + varint(value)


def message(number: int, *parts: bytes) -> bytes:
    """A length-delimited field."""
    body = b"".join(parts)
    return key(number, BYTES) + varint(len(body)) + body


def opset(version: int = 17, domain: bytes = b"") -> bytes:
    """An opset import of a model."""
    return message(MODEL_OPSET, message(OPSET_DOMAIN, domain), integer(OPSET_VERSION, version))


def model(*graph: bytes, tail: bytes = b"") -> bytes:
    """IR 8, opset 17 and a graph of these fields."""
    return integer(MODEL_IR, 8) + opset() + message(MODEL_GRAPH, *graph) + tail
