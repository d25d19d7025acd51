#!/usr/bin/env python3
"""CP-ALS by TensorLy: the peer of `decomposition-bench cp`.

usage: peer_cp.py TENSOR.f32 --shape A,B,C --rank R --iterations N --backend numpy|pytorch

Prints seconds of the fit alone and the relative error as JSON.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

import numpy as np
import tensorly
from tensorly.decomposition import parafac


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tensor", type=Path)
    parser.add_argument("--shape", required=True, help="extents of the raw float32 tensor")
    parser.add_argument("--rank", type=int, required=True)
    parser.add_argument("--iterations", type=int, required=True)
    parser.add_argument("--backend", choices=["numpy", "pytorch"], default="numpy")
    arguments = parser.parse_args()
    tensorly.set_backend(arguments.backend)
    value = np.fromfile(arguments.tensor, np.float32).reshape([int(n) for n in arguments.shape.split(",")])
    tensor = tensorly.tensor(value)
    start = time.perf_counter()
    # No tolerance: all iterations are made, and no error is worked out in between.
    fitted = parafac(tensor, arguments.rank, n_iter_max=arguments.iterations, init="random", random_state=0, tol=0)
    seconds = time.perf_counter() - start
    rebuilt = tensorly.to_numpy(tensorly.cp_to_tensor(fitted))
    error = float(np.linalg.norm(value - rebuilt) / np.linalg.norm(value))
    print(json.dumps({"seconds": seconds, "relative_error": error}))


if __name__ == "__main__":
    main()
