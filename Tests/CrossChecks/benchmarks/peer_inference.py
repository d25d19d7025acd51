#!/usr/bin/env python3
"""Runs a model by onnxruntime on the CPU: the peer of the executor's inference.

usage: peer_inference.py MODEL --input NAME=1x3x32x32[:FILL]… [--threads 2] [--seconds 3 | --steps N]
                         [--runs N [--ours COMMAND]]

FILL is random (normal; default for floating point), ones (default for whole numbers) or range (0, 1, 2, … along the last
axis). Graph optimizations are onnxruntime's default, all. Prints JSON: the median and least seconds of a call after
three to warm up, calls in a second, seconds to load, and the largest resident set of the process with what onnxruntime
takes of it before it has a model. Without --steps calls are made for --seconds, ten at the least.

    peer_inference.py resnet20-cifar10.onnx --input input=100x3x32x32
    peer_inference.py minilm-l6.onnx --input input_ids=1x128:range --input attention_mask=1x128

--runs takes turns between processes of onnxruntime and of COMMAND, as bench.py does, and prints medians of both. COMMAND
is called with MODEL and the same --input, --threads, and --seconds or --steps, and has to print JSON with `seconds`, the
median of a call.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime

WARM_UP = 3


def filled(text: str, type_name: str) -> np.ndarray:
    """The value of an input from `SHAPE[:FILL]`."""
    sizes, _, fill = text.partition(":")
    shape = [int(n) for n in sizes.split("x")]
    element = type_name.removeprefix("tensor(").removesuffix(")")
    kind = {"float": "float32", "double": "float64"}.get(element, element)
    fill = fill or ("random" if "float" in kind else "ones")
    if fill == "random":
        value = np.random.default_rng(7).standard_normal(shape)
    else:
        value = np.ones(shape) if fill == "ones" else np.broadcast_to(np.arange(shape[-1]), shape)
    return np.ascontiguousarray(value.astype(kind))


def peak() -> int:
    """Bytes of the largest resident set so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def infer(arguments: argparse.Namespace) -> dict[str, Any]:
    """Times the calls."""
    before = peak()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = arguments.threads
    options.inter_op_num_threads = 1
    start = time.perf_counter()
    session = onnxruntime.InferenceSession(str(arguments.model), options, providers=["CPUExecutionProvider"])
    loaded = time.perf_counter() - start
    types = {i.name: i.type for i in session.get_inputs()}
    inputs = {name: filled(text, types[name]) for name, _, text in (i.rpartition("=") for i in arguments.input)}
    for _ in range(WARM_UP):
        session.run(None, inputs)
    seconds: list[float] = []
    while len(seconds) < (arguments.steps or 10) or (not arguments.steps and sum(seconds) < arguments.seconds):
        start = time.perf_counter()
        session.run(None, inputs)
        seconds.append(time.perf_counter() - start)
    return {
        "case": f"inference {arguments.model.stem}",
        "inputs": arguments.input,
        "threads": arguments.threads,
        "calls": len(seconds),
        "seconds": statistics.median(seconds),
        "least_seconds": min(seconds),
        "calls_per_second": 1 / statistics.median(seconds),
        "load_seconds": loaded,
        "peak_bytes": peak(),
        "peak_bytes_before": before,
        "onnxruntime": onnxruntime.__version__,
    }


def take_turns(arguments: argparse.Namespace) -> dict[str, Any]:
    """Runs both sides by turns, each in processes of its own."""
    from bench import Bench

    length = ["--steps", arguments.steps] if arguments.steps else ["--seconds", arguments.seconds]
    inputs = [part for text in arguments.input for part in ("--input", text)]
    common = [arguments.model, *inputs, "--threads", arguments.threads, *length]
    contestants = {"onnxruntime": lambda _: [sys.executable, __file__, *common]}
    if arguments.ours:
        contestants["rene"] = lambda _: [arguments.ours, *common]
    with tempfile.TemporaryDirectory() as scratch:
        bench = Bench(
            argparse.Namespace(
                rene=arguments.ours or Path(), decomposition_bench=None, cache=Path(scratch), runs=arguments.runs
            )
        )
        outcomes = bench.measure(contestants)
    result: dict[str, Any] = {"case": f"inference {arguments.model.stem}", "runs": arguments.runs}
    for name, runs in outcomes.items():
        seconds = [json.loads(o.output)["seconds"] for o in runs]
        result[name] = {
            "seconds": statistics.median(seconds),
            "least_seconds": min(seconds),
            "peak_bytes": statistics.median(o.peak for o in runs),
            "said": [json.loads(o.output) for o in runs],
        }
    if arguments.ours:
        result["ratio"] = result["onnxruntime"]["seconds"] / result["rene"]["seconds"]
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("--input", action="append", required=True, metavar="NAME=SHAPE[:FILL]")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--steps", type=int, help="calls to time, after three to warm up")
    parser.add_argument("--seconds", type=float, default=3)
    parser.add_argument("--runs", type=int, help="take turns, that many processes for each side")
    parser.add_argument("--ours", type=Path, help="command that runs the same model")
    arguments = parser.parse_args()
    if arguments.ours and not arguments.runs:
        parser.error("--ours needs --runs")
    print(json.dumps(take_turns(arguments) if arguments.runs else infer(arguments)))


if __name__ == "__main__":
    main()
