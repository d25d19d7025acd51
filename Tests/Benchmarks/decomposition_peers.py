"""The peers of decomposition-bench: the same work by PyTorch, NumPy and TensorLy, one line of JSON for each case.

Usage: decomposition_peers.py TENSOR.f32   (writes the tensor that both sides fit, then measures)
"""

import json
import sys
import time

import numpy as np
import tensorly
import torch
from tensorly.decomposition import parafac


def report(case, seconds, **more):
    print(json.dumps({"case": case, "seconds": seconds, **more}), flush=True)


def timed(body):
    start = time.perf_counter()
    value = body()
    return time.perf_counter() - start, value


def main():
    rng = np.random.default_rng(1)
    factors = [rng.standard_normal((extent, 96)) for extent in (256, 9, 256)]
    tensor = np.einsum("ar,br,cr->abc", *factors, optimize=True)
    tensor += tensor.std() * rng.standard_normal(tensor.shape)
    tensor = tensor.astype(np.float32)
    tensor.tofile(sys.argv[1])
    for start in ("svd", "random"):
        seconds, cp = timed(
            lambda: parafac(tensor, rank=128, n_iter_max=30, init=start, tol=0, normalize_factors=False, random_state=1)
        )
        error = tensorly.norm(tensor - tensorly.cp_to_tensor(cp)) / tensorly.norm(tensor)
        report(f"cp-tensorly-{start}", seconds, relative_error=float(error))
    shapes = 4 * [(768, 768)] + [(3072, 768), (768, 3072)]
    weights = [rng.standard_normal(shape).astype(np.float32) for shape in shapes]
    for name, body in (
        ("svd-torch", lambda w: torch.linalg.svd(torch.from_numpy(w), full_matrices=False)),
        ("svd-numpy", lambda w: np.linalg.svd(w, full_matrices=False)),
    ):
        body(weights[0])
        seconds, _ = timed(lambda: [body(weight) for weight in weights])
        report(name, 12 * seconds, note="measured for one layer, times 12")


main()
