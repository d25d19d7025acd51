#!/usr/bin/env python3
"""The peer of `rene convert`: the same work in Python, as one would write it with the usual libraries.

usage: peer_convert.py MODEL OUT --routine numpy|torch|torch-gram [--remove 0.5]

Loads the model with onnx, factorizes every Conv, Gemm and MatMul with a constant weight (SVD pairs for matrices and
1×1 kernels, Tucker-2 by HOSVD with TensorLy for larger kernels), at ranks that remove the given share of the model's
parameters with the same share kept in every layer, rewrites the nodes and saves. Prints seconds by stage as JSON.

`numpy` and `torch` take the library's SVD; `torch-gram` the eigenvectors of the Gram matrix in double precision, which
is the fastest exact routine of PyTorch.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import tensorly
from onnx import helper, numpy_helper

Pair = tuple[np.ndarray, np.ndarray]


def svd_numpy(matrix: np.ndarray, rank: int) -> Pair:
    """`matrix ≈ left · right` by NumPy's SVD."""
    u, s, vt = np.linalg.svd(matrix, full_matrices=False)
    root = np.sqrt(s[:rank])
    return u[:, :rank] * root, root[:, None] * vt[:rank]


def svd_torch(matrix: np.ndarray, rank: int) -> Pair:
    """The same by PyTorch's SVD."""
    import torch

    u, s, vt = torch.linalg.svd(torch.from_numpy(matrix), full_matrices=False)
    root = torch.sqrt(s[:rank])
    return (u[:, :rank] * root).numpy(), (root[:, None] * vt[:rank]).numpy()


def svd_torch_gram(matrix: np.ndarray, rank: int) -> Pair:
    """The same by the eigenvectors of the smaller Gram matrix."""
    import torch

    wide = matrix.shape[0] <= matrix.shape[1]
    a = torch.from_numpy(matrix if wide else np.ascontiguousarray(matrix.T)).double()
    _, vectors = torch.linalg.eigh(a @ a.T)
    basis = vectors[:, -rank:].flip(1).contiguous()
    left, right = basis.float().numpy(), (basis.T @ a).float().numpy()
    return (left, right) if wide else (right.T, left.T)


ROUTINES: dict[str, Callable[[np.ndarray, int], Pair]] = {
    "numpy": svd_numpy,
    "torch": svd_torch,
    "torch-gram": svd_torch_gram,
}


def leading(unfolded: np.ndarray, rank: int, routine: str) -> np.ndarray:
    """Orthonormal basis of the leading left singular vectors."""
    if routine == "torch-gram":
        import torch

        a = torch.from_numpy(np.ascontiguousarray(unfolded)).double()
        return torch.linalg.eigh(a @ a.T)[1][:, -rank:].float().numpy()
    tensor = tensorly.tensor(unfolded)
    return tensorly.to_numpy(tensorly.tenalg.svd_interface(tensor, n_eigenvecs=rank)[0])


def tucker(kernel: np.ndarray, ranks: tuple[int, int], routine: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """HOSVD over the two channel axes: `in → r2`, the core, `r1 → out`."""
    out = leading(kernel.reshape(kernel.shape[0], -1), ranks[0], routine)
    inner = leading(np.moveaxis(kernel, 1, 0).reshape(kernel.shape[1], -1), ranks[1], routine)
    core = tensorly.to_numpy(
        tensorly.tenalg.multi_mode_dot(
            tensorly.tensor(kernel), [tensorly.tensor(out.T), tensorly.tensor(inner.T)], modes=[0, 1]
        )
    )
    return inner.T[:, :, None, None], core, out[:, :, None, None]


def tucker_ranks(shape: tuple[int, ...], keep: float) -> tuple[int, int]:
    """Ranks in one proportion to the channels, at which the chain has `keep` of the kernel's elements."""
    out, inner, *taps = shape
    square, line = out * inner * int(np.prod(taps)), out * out + inner * inner
    scale = (-line + np.sqrt(line * line + 4 * square * keep * square)) / (2 * square)
    return max(1, int(scale * out)), max(1, int(scale * inner))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--routine", choices=list(ROUTINES), default="numpy")
    parser.add_argument("--remove", type=float, default=0.5)
    arguments = parser.parse_args()
    tensorly.set_backend("numpy" if arguments.routine == "numpy" else "pytorch")
    clock = [time.perf_counter()]
    model = onnx.load(arguments.model)
    weights = {t.name: t for t in model.graph.initializer}
    clock.append(time.perf_counter())

    sites = [
        (n, weights[n.input[1]])
        for n in model.graph.node
        if n.op_type in ("Conv", "Gemm", "MatMul") and len(n.input) > 1 and n.input[1] in weights
    ]
    total = sum(int(np.prod(t.dims)) for t in weights.values() if t.data_type == onnx.TensorProto.FLOAT)
    dense = sum(int(np.prod(t.dims)) for _, t in sites)
    keep = ((1 - arguments.remove) * total - (total - dense)) / dense
    if keep <= 0:
        raise SystemExit("the share to remove is larger than what the layers hold")

    chains: dict[str, list[onnx.NodeProto]] = {}
    spent: set[str] = set()
    for node, tensor in sites:
        value = numpy_helper.to_array(tensor).copy()  # PyTorch takes writable memory only
        attributes = {a.name: helper.get_attribute_value(a) for a in node.attribute}
        kernel = value.shape[2:]
        if len(kernel) == 2 and kernel != (1, 1):
            factors: list[np.ndarray] = list(tucker(value, tucker_ranks(value.shape, keep), arguments.routine))
        else:
            matrix = value.reshape(value.shape[0], -1)
            rank = max(1, int(keep * matrix.size / sum(matrix.shape)))
            left, right = ROUTINES[arguments.routine](matrix, rank)
            if node.op_type == "Conv":
                factors = [right[:, :, None, None], left[:, :, None, None]]
            elif node.op_type == "Gemm" and attributes.get("transB"):
                factors = [right.T, left]
            else:
                factors = [left, right]
        names = [f"{tensor.name}.{i}" for i in range(len(factors))]
        model.graph.initializer.extend(
            numpy_helper.from_array(np.ascontiguousarray(f, np.float32), n) for f, n in zip(factors, names)
        )
        spent.add(tensor.name)
        x, chain = node.input[0], []
        for i, name in enumerate(names):
            last = i == len(names) - 1
            y = node.output[0] if last else f"{node.output[0]}.{i}"
            bias = list(node.input[2:]) if last else []
            if node.op_type == "Conv":
                carries = i == (1 if len(names) == 3 else 0)
                own = {k: v for k, v in attributes.items() if k in ("strides", "pads", "dilations")} if carries else {}
                chain.append(helper.make_node("Conv", [x, name, *bias], [y], name=f"{node.name}/{i}", **own))
            elif last and node.op_type == "Gemm":
                chain.append(helper.make_node("Gemm", [x, name, *bias], [y], name=f"{node.name}/{i}", **attributes))
            else:
                chain.append(helper.make_node("MatMul", [x, name], [y], name=f"{node.name}/{i}"))
            x = y
        chains[node.output[0]] = chain
    clock.append(time.perf_counter())

    nodes = [link for node in model.graph.node for link in chains.get(node.output[0] if node.output else "", [node])]
    kept = [t for t in model.graph.initializer if t.name not in spent]
    after = sum(int(np.prod(t.dims)) for t in kept if t.data_type == onnx.TensorProto.FLOAT)
    del model.graph.node[:], model.graph.initializer[:]
    model.graph.node.extend(nodes)
    model.graph.initializer.extend(kept)
    onnx.save(model, arguments.out)
    clock.append(time.perf_counter())
    stages = dict(zip(("load", "factorize", "save"), (b - a for a, b in zip(clock, clock[1:]))))
    print(json.dumps({"layers": len(sites), "removed": 1 - after / total, **stages}))


if __name__ == "__main__":
    main()
