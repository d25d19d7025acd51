#!/usr/bin/env python3
"""Loads an original and its conversion in onnxruntime and prints how they compare.

usage: show_result.py ORIGINAL CONVERTED [--data FILE.npz]
"""

from __future__ import annotations

import argparse
import statistics
import time
from pathlib import Path

import numpy as np
import onnx
from crosscheck import Executor, random_inputs, relative_error, report_of
from images import labelled, normalized, top1
from model_builder import parameter_count


def milliseconds(executor: Executor, inputs: dict[str, np.ndarray], rounds: int = 30) -> float:
    """Median time of one run, after a first that is not counted."""
    executor.run(inputs)
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        executor.run(inputs)
        times.append(time.perf_counter() - start)
    return 1000 * statistics.median(times)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("original", type=Path)
    parser.add_argument("converted", type=Path)
    parser.add_argument("--data", type=Path, help=".npz with x (images) and y (labels)")
    arguments = parser.parse_args()
    report = report_of(arguments.converted.parent, arguments.converted.stem)
    before, after = arguments.original, arguments.converted
    left, right = onnx.load(before), onnx.load(after)
    pair = Executor(before), Executor(after)
    if arguments.data:
        images, labels = labelled(arguments.data)
        inputs = {pair[0].session.get_inputs()[0].name: normalized(pair[0].session, images[:256])}
    else:
        inputs = random_inputs(left)
    chosen = [layer for layer in report["layers"] if layer.get("decomposition")]
    rows: list[tuple[str, str, str]] = [
        ("parameters", f"{parameter_count(left):,}", f"{parameter_count(right):,}"),
        ("multiply-accumulates", f"{report['source']['macs']:,}", f"{report['result']['macs']:,}"),
        ("bytes", f"{before.stat().st_size:,}", f"{after.stat().st_size:,}"),
        ("milliseconds a run, one thread", *(f"{milliseconds(executor, inputs):.2f}" for executor in pair)),
    ]
    if arguments.data:
        rows.append((f"top-1 of {len(labels)} images", *(f"{top1(m, images, labels):.2f} %" for m in (before, after))))
    print(f"{'in onnxruntime':<32}{'original':>14}{'converted':>14}")
    for name, was, now in rows:
        print(f"{name:<32}{was:>14}{now:>14}")
    error = relative_error(pair[0].run(inputs), pair[1].run(inputs))
    print(f"{len(chosen)} of {len(report['layers'])} layers factorized; outputs differ by {error:.2%} of their size")


if __name__ == "__main__":
    main()
