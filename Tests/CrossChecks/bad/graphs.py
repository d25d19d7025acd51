"""Rows I9 to I12: graphs that break the rules of the format."""

from __future__ import annotations

from collections.abc import Sequence

import onnx
from model_builder import Net, decaying_matrix
from onnx import TensorProto, helper

from . import wire
from .bytes_ import small_model
from .registry import accepted, rejected

Edge = tuple[str, Sequence[str], Sequence[str]]


def graph(
    nodes: Sequence[Edge], outputs: Sequence[str] = ("y",), inputs: Sequence[str] = ("x",), **names: str
) -> onnx.ModelProto:
    """Nodes `(operator, inputs, outputs)` over 4×4 matrices with one constant `w`."""
    net = Net(71, 17)
    for name in inputs:
        net.input(name, [4, 4])
    net.weight("w", decaying_matrix(net.rng, 4, 4))
    for i, (operator, given, made) in enumerate(nodes):
        net.nodes.append(helper.make_node(operator, list(given), list(made), name=names.get("name", f"node{i}")))
    for name in outputs:
        net.output(name, shape=[4, 4])
    return net.model(infer=False)


RELU: Edge = ("Relu", ["x"], ["y"])

accepted(
    "I9", "nodes-with-one-name", lambda: graph([("MatMul", ["x", "w"], ["t"]), ("Relu", ["t"], ["y"])], name="same")
)
accepted("I9", "nodes-without-name", lambda: graph([("MatMul", ["x", "w"], ["t"]), ("Relu", ["t"], ["y"])], name=""))
rejected("I9", "value-made-twice", lambda: graph([RELU, ("Tanh", ["x"], ["y"])]))
rejected("I9", "value-made-twice-by-one-node", lambda: graph([("Split", ["x"], ["y", "y"])]))
rejected("I9", "value-has-the-name-of-an-input", lambda: graph([("Relu", ["x"], ["x"]), ("Tanh", ["x"], ["y"])]))
rejected("I9", "value-has-the-name-of-a-weight", lambda: graph([("Relu", ["x"], ["w"]), ("Tanh", ["w"], ["y"])]))
rejected("I9", "input-twice", lambda: graph([RELU], inputs=("x", "x")))


def initializer_twice() -> onnx.ModelProto:
    """Two initializers with one name."""
    model = graph([("MatMul", ["x", "w"], ["y"])])
    model.graph.initializer.append(model.graph.initializer[0])
    return model


rejected("I9", "initializer-twice", initializer_twice)


def shadowed() -> onnx.ModelProto:
    """A branch that makes a value of a name that the outer graph has."""
    info = helper.make_tensor_value_info("t", TensorProto.FLOAT, [4, 4])
    inner = helper.make_graph([helper.make_node("Relu", ["x"], ["t"])], "inner", [], [info])
    model = graph([("Tanh", ["x"], ["t"])])
    model.graph.input.append(helper.make_tensor_value_info("c", TensorProto.BOOL, []))
    model.graph.node.append(helper.make_node("If", ["c"], ["y"], name="if", then_branch=inner, else_branch=inner))
    return model


accepted("I9", "shadowed-in-a-branch", shadowed, strictly=False)

rejected("I10", "cycle-of-one", lambda: graph([("Add", ["x", "y"], ["y"])]), "cycle|order|sort|dangling|undefined")
rejected(
    "I10", "cycle-of-two", lambda: graph([("Add", ["x", "b"], ["a"]), ("Relu", ["a"], ["b"]), ("Relu", ["b"], ["y"])])
)
rejected("I10", "unsorted", lambda: graph([("Relu", ["t"], ["y"]), ("Tanh", ["x"], ["t"])]))


def functions(calls: dict[str, list[str]], entry: str = "A", through_branch: bool = False) -> onnx.ModelProto:
    """Local functions that call one another."""
    net = Net(72, 17, {"my": 1})
    for name, called in calls.items():
        value, nodes = "x", []
        for i, other in enumerate(called):
            made = f"v{i}"
            call = helper.make_node(other, [value], [made], domain="my" if other in calls else "")
            if through_branch:
                info = helper.make_tensor_value_info(made, TensorProto.FLOAT, [4, 4])
                inner = helper.make_graph([call], "inner", [], [info])
                nodes.append(
                    helper.make_node(
                        "Constant", [], [f"c{i}"], value=helper.make_tensor("c", TensorProto.BOOL, [], [True])
                    )
                )
                call = helper.make_node("If", [f"c{i}"], [f"o{i}"], then_branch=inner, else_branch=inner)
                made = f"o{i}"
            nodes.append(call)
            value = made
        imports = [helper.make_opsetid("", 17), helper.make_opsetid("my", 1)]
        net.functions.append(helper.make_function("my", name, ["x"], [value], nodes, imports))
    x = net.input("x", [4, 4])
    net.output(net.add(entry, [x], "call", domain="my"), shape=[4, 4])
    return net.model(infer=False)


rejected("I10", "function-calls-itself", lambda: functions({"A": ["A"]}), "cycl|recurs|function")
rejected("I10", "functions-call-each-other", lambda: functions({"A": ["B"], "B": ["A"]}), "cycl|recurs|function")
rejected(
    "I10",
    "function-calls-itself-in-a-branch",
    lambda: functions({"A": ["A"]}, through_branch=True),
    "cycl|recurs|function",
)
rejected(
    "I10",
    "function-cycle-of-50",
    lambda: functions({f"F{i}": [f"F{(i + 1) % 50}"] for i in range(50)}, "F0"),
    "cycl|recurs|function",
)
rejected(
    "I10",
    "function-chain-of-5000",
    lambda: functions({f"F{i}": [f"F{i + 1}"] if i < 4999 else ["Relu"] for i in range(5000)}, "F0"),
)
accepted(
    "I10",
    "function-doubling-30",
    lambda: functions({f"F{i}": [f"F{i + 1}"] * 2 if i < 29 else ["Relu"] for i in range(30)}, "F0"),
    strictly=False,
)


def versions(ir: int | None, opsets: Sequence[tuple[str, int]]) -> bytes:
    """A sound graph under these versions."""
    model = small_model()
    body = wire.message(wire.MODEL_GRAPH, model.graph.SerializeToString())
    head = wire.integer(wire.MODEL_IR, ir) if ir is not None else b""
    return head + b"".join(wire.opset(version, domain.encode()) for domain, version in opsets) + body


for _name, _ir, _opsets in [
    ("opset-missing", 8, []),
    ("opset-0", 8, [("", 0)]),
    ("opset-negative", 8, [("", -1)]),
    ("opset-billion", 8, [("", 10**9)]),
    ("opset-twice", 8, [("", 17), ("", 13)]),
    ("opset-twice-same", 8, [("", 17)] * 2),
    ("opset-both-names-of-the-domain", 8, [("", 17), ("ai.onnx", 13)]),
    ("opset-of-another-domain-only", 8, [("my", 1)]),
    ("ir-absent", None, [("", 17)]),
    ("ir-0", 0, [("", 17)]),
    ("ir-negative", -1, [("", 17)]),
    ("ir-1", 1, [("", 17)]),
    ("ir-99", 99, [("", 17)]),
    ("ir-maximum", 2**63 - 1, [("", 17)]),
    ("opset-1", 3, [("", 1)]),
]:
    accepted("I11", _name, lambda i=_ir, o=_opsets: versions(i, o), strictly=False)

rejected("I12", "input-dangling", lambda: graph([("Relu", ["nothing"], ["y"])]))
rejected("I12", "output-missing", lambda: graph([RELU], outputs=("z",)))
accepted("I12", "output-twice", lambda: graph([RELU], outputs=("y", "y")), strictly=False)
accepted("I12", "output-none", lambda: graph([RELU], outputs=()), strictly=False)
accepted("I12", "optional-inputs-empty", lambda: graph([("Clip", ["x", "", "m"], ["y"])], inputs=("x", "m")))
accepted("I12", "optional-output-empty", lambda: graph([("Dropout", ["x"], ["y", ""])]))
accepted("I12", "no-nodes", lambda: graph([], outputs=("x",)), strictly=False)
rejected("I12", "operator-empty", lambda: graph([("", ["x"], ["y"])]))
accepted("I12", "conv-without-weight", lambda: graph([("Conv", ["x"], ["y"])]), strictly=False)
accepted("I12", "conv-with-empty-weight-name", lambda: graph([("Conv", ["x", ""], ["y"])]), strictly=False)
accepted("I12", "matmul-without-inputs", lambda: graph([("MatMul", [], ["y"])]), strictly=False)
accepted("I12", "gemm-without-outputs", lambda: graph([("Gemm", ["x", "w"], []), RELU]), strictly=False)
