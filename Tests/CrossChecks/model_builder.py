"""Builds small ONNX models for the cross-checks: one graph under construction, seeded weights, the IR of an opset."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import onnx
from onnx import AttributeProto, TensorProto, helper, numpy_helper

# The IR version that was current when an opset came out.
IR_OF_OPSET = {7: 3, 8: 3, 9: 4, 10: 5, 11: 6, 12: 7, 13: 7, 14: 7, 15: 8, 16: 8, 17: 8, 18: 8, 19: 9, 20: 9, 21: 10}

FLOAT = TensorProto.FLOAT


def decaying_matrix(rng: np.random.Generator, rows: int, columns: int, decay: float = 0.7) -> np.ndarray:
    """A matrix of full rank whose singular values fall by `decay` from one to the next, down to 1e-3 of the largest."""
    size = min(rows, columns)
    left, _ = np.linalg.qr(rng.standard_normal((rows, size)))
    right, _ = np.linalg.qr(rng.standard_normal((columns, size)))
    values = np.maximum(decay ** np.arange(size), 1e-3)
    return ((left * values) @ right.T * np.sqrt(size)).astype(np.float32)


def decaying_kernel(rng: np.random.Generator, shape: Sequence[int], decay: float = 0.7) -> np.ndarray:
    """A weight `[out, in, kernel…]` of full rank with decaying spectra in both channel unfoldings."""
    out, channels, *kernel = shape
    taps = int(np.prod(kernel))
    core = rng.standard_normal((out, channels, taps)) * np.exp(-0.5 * np.arange(taps))
    core *= np.maximum(decay ** np.arange(out), 1e-3)[:, None, None]
    core *= np.maximum(decay ** np.arange(channels), 1e-3)[None, :, None]
    left, _ = np.linalg.qr(rng.standard_normal((out, out)))
    right, _ = np.linalg.qr(rng.standard_normal((channels, channels)))
    space, _ = np.linalg.qr(rng.standard_normal((taps, taps)))
    return np.einsum("abs,oa,ib,ts->oit", core, left, right, space).reshape(shape).astype(np.float32)


def separable_kernel(rng: np.random.Generator, shape: Sequence[int], terms: int = 3) -> np.ndarray:
    """A weight that is a sum of `terms` rank-one tensors over all its axes: CP decompositions of it can be exact."""
    total = np.zeros(shape)
    bases = [np.linalg.qr(rng.standard_normal((n, min(n, terms))))[0] for n in shape]
    for t in range(terms):
        term = np.array(0.5**t)
        for base in bases:
            term = np.multiply.outer(term, base[:, t % base.shape[1]])
        total += term
    return (total * np.sqrt(np.prod(shape)) / 2).astype(np.float32)


class Net:
    """A model under construction. Nodes are named by the caller; each has one output named after it."""

    def __init__(self, seed: int = 0, opset: int = 17, domain_opsets: dict[str, int] | None = None) -> None:
        self.rng = np.random.default_rng(seed)
        self.opset = opset
        self.domains = domain_opsets or {}
        self.nodes: list[onnx.NodeProto] = []
        self.initializers: list[onnx.TensorProto] = []
        self.inputs: list[onnx.ValueInfoProto] = []
        self.outputs: list[onnx.ValueInfoProto] = []
        self.functions: list[onnx.FunctionProto] = []

    def input(self, name: str, shape: Sequence[int | str], dtype: int = FLOAT) -> str:
        """A graph input."""
        self.inputs.append(helper.make_tensor_value_info(name, dtype, list(shape)))
        return name

    def weight(self, name: str, value: np.ndarray, dtype: int | None = None, as_input: bool = False) -> str:
        """An initializer; with `dtype` stored in that type (bfloat16 too), with `as_input` a graph input as well."""
        tensor = (
            numpy_helper.from_array(np.asarray(value, order="C"), name) if dtype is None else typed(name, value, dtype)
        )
        self.initializers.append(tensor)
        if as_input:
            self.inputs.append(helper.make_tensor_value_info(name, tensor.data_type, list(tensor.dims)))
        return name

    def add(self, operator: str, inputs: Sequence[str], name: str | None = None, **attributes: Any) -> str:
        """A node with the output `{name}_out`."""
        domain = attributes.pop("domain", "")
        label = name or f"{operator.lower()}_{len(self.nodes)}"
        self.nodes.append(
            helper.make_node(operator, list(inputs), [f"{label}_out"], name=label, domain=domain, **attributes)
        )
        return f"{label}_out"

    def constant(self, name: str, value: np.ndarray) -> str:
        """A Constant node."""
        return self.add("Constant", [], name, value=numpy_helper.from_array(np.asarray(value, order="C"), f"{name}_v"))

    def output(self, name: str, dtype: int = FLOAT, shape: Sequence[int | str] | None = None) -> None:
        """Declares a graph output; without a shape it is inferred."""
        self.outputs.append(helper.make_tensor_value_info(name, dtype, shape))

    def graph(self, name: str = "graph") -> onnx.GraphProto:
        """The graph alone, for a body of If, Loop or Scan."""
        return helper.make_graph(self.nodes, name, self.inputs, self.outputs, self.initializers)

    def model(self, name: str = "form", ir: int | None = None, infer: bool = True) -> onnx.ModelProto:
        """The finished model with metadata that has to survive a conversion."""
        imports = [helper.make_opsetid("", self.opset)]
        imports += [helper.make_opsetid(domain, version) for domain, version in self.domains.items()]
        version = ir or IR_OF_OPSET[self.opset]
        if version < 4:  # before IR 4 every initializer is a graph input as well
            listed = {i.name for i in self.inputs}
            self.inputs += [
                helper.make_tensor_value_info(t.name, t.data_type, list(t.dims))
                for t in self.initializers
                if t.name not in listed
            ]
        model = helper.make_model(
            self.graph(name),
            opset_imports=imports,
            ir_version=version,
            producer_name="cross-checks",
            functions=self.functions,
            doc_string="A generated model.",
        )
        helper.set_model_props(model, {"origin": "generated", "author": "cross-checks"})
        if infer and any(not o.type.tensor_type.HasField("shape") for o in model.graph.output):
            inferred = onnx.shape_inference.infer_shapes(model)
            for mine, theirs in zip(model.graph.output, inferred.graph.output):
                mine.CopyFrom(theirs)
        return model


def typed(name: str, value: np.ndarray, dtype: int) -> onnx.TensorProto:
    """`value` as raw data of an ONNX element type, bfloat16 included."""
    if dtype == TensorProto.BFLOAT16:
        bits = value.astype(np.float32).view(np.uint32)
        rounded = ((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16).astype("<u2")
        return onnx.TensorProto(name=name, data_type=dtype, dims=value.shape, raw_data=rounded.tobytes())
    return numpy_helper.from_array(value.astype(helper.tensor_dtype_to_np_dtype(dtype)), name)


def parameter_count(model: onnx.ModelProto) -> int:
    """Elements of all floating-point weights of a model: initializers and Constant values, subgraphs and functions
    included. Written without regard to how the program counts, so that the two can be held against each other."""
    floats = {TensorProto.FLOAT, TensorProto.FLOAT16, TensorProto.BFLOAT16, TensorProto.DOUBLE}

    def of_tensor(tensor: onnx.TensorProto) -> int:
        return int(np.prod(tensor.dims, dtype=np.int64)) if tensor.data_type in floats else 0

    def of_nodes(nodes: Sequence[onnx.NodeProto]) -> int:
        total = 0
        for node in nodes:
            for attribute in node.attribute:
                if attribute.type == AttributeProto.TENSOR:
                    total += of_tensor(attribute.t)
                elif attribute.type == AttributeProto.GRAPH:
                    total += of_graph(attribute.g)
                elif attribute.type == AttributeProto.GRAPHS:
                    total += sum(of_graph(g) for g in attribute.graphs)
                elif node.op_type == "Constant" and attribute.name == "value_floats":
                    total += len(attribute.floats)
                elif node.op_type == "Constant" and attribute.name == "value_float":
                    total += 1
        return total

    def of_graph(graph: onnx.GraphProto) -> int:
        return sum(of_tensor(t) for t in graph.initializer) + of_nodes(graph.node)

    return of_graph(model.graph) + sum(of_nodes(f.node) for f in model.functions)
