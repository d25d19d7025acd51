#!/usr/bin/env python3
"""Converts every model of a folder and runs original and result side by side in onnxruntime.

usage: check_zoo.py RENE DIR [--twice] [--only TEXT] [--keep DIR] [--quiet] [-- OPTION…]

Each conversion has to succeed, its report to suit the schema, its result to load with the same frame (inputs, outputs,
opsets, IR, metadata) and to give outputs within the stated error: `verification.relative_output_error` of the report
where the program executed the model, the sum of the layers' errors otherwise. `--twice` converts again and compares the
bytes. Options after `--` go to `rene convert`.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path
from typing import Any

import onnx
from crosscheck import (
    Executor,
    Tally,
    differences_in_frame,
    random_inputs,
    relative_error,
    report_of,
    run,
    schema_violations,
)

# What arithmetic in another order does to outputs: float32 chains, and graphs that are float16 throughout.
ROUNDING = {onnx.TensorProto.FLOAT: 1e-4, onnx.TensorProto.FLOAT16: 2e-2}


def stated_error(report: dict[str, Any]) -> float:
    """The error of the outputs that the report admits."""
    measured = (report.get("verification") or {}).get("relative_output_error")
    if measured is not None:
        # Measured by the program on inputs of its own.
        return 2 * float(measured)
    return sum(float(layer.get("relative_error") or 0) for layer in report["layers"])


def judge(model: Path, rene: Path, folder: Path, options: list[str], twice: bool) -> tuple[list[Any], str | None]:
    """Converts one model; the table's row and the problem, if there is one."""
    row: list[Any] = [model.stem, "", "", "", "", "", ""]
    outcome = run([rene, "convert", model, "--output", folder, *options], deadline=900)
    row[5], row[6] = f"{outcome.seconds:.2f}", f"{outcome.peak / 2**20:.0f}"
    if outcome.status != 0:
        return row, f"status {outcome.status}: {outcome.complaint}"
    report = report_of(folder, model.stem)
    target = folder / model.name
    original, result = onnx.load(model), onnx.load(target)
    problems = differences_in_frame(original, result) + schema_violations(report)[:2]
    inputs = random_inputs(original)
    reference = Executor(model)
    expected = reference.run(inputs)
    error = relative_error(expected, Executor(target, reference.kind).run(inputs))
    chosen = [layer for layer in report["layers"] if layer.get("decomposition")]
    row[1] = f"{len(chosen)}/{len(report['layers'])}"
    row[2], row[3] = f"{report['reduction']['parameters']:.1%}", f"{error:.1e}"
    kinds = {i.type.tensor_type.elem_type for i in original.graph.input}
    bound = stated_error(report) + max(ROUNDING.get(kind, 1e-4) for kind in kinds)
    row[4] = f"{bound:.1e}"
    if not error <= bound:
        problems.append(f"outputs differ by {error:.2e}, stated is {bound:.2e}")
    if not chosen and error != 0:
        problems.append("nothing was factorized, yet the outputs differ")
    if twice:
        again = folder.with_name(folder.name + "-again")
        second = run([rene, "convert", model, "--output", again, *options], deadline=900)
        files = [path.name for path in sorted(folder.iterdir()) if ".report." not in path.name]
        if second.status != 0 or any((again / f).read_bytes() != (folder / f).read_bytes() for f in files):
            problems.append("a second conversion gives other bytes")
    return row, "; ".join(problems) or None


def main() -> None:
    options: list[str] = []
    own = sys.argv[1:]
    if "--" in own:
        own, options = own[: own.index("--")], own[own.index("--") + 1 :]
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("rene", type=Path)
    parser.add_argument("models", type=Path, help="a folder with .onnx files, searched below too, or one file")
    parser.add_argument("--twice", action="store_true", help="convert twice and compare the bytes")
    parser.add_argument("--only", default="", help="models whose path contains this")
    parser.add_argument("--keep", type=Path, help="write here instead of to a temporary folder")
    parser.add_argument("--quiet", action="store_true")
    arguments = parser.parse_args(own)
    found = [arguments.models] if arguments.models.is_file() else sorted(arguments.models.rglob("*.onnx"))
    tally = Tally(
        [("model", 30), ("layers", 8), ("fewer", 7), ("error", 8), ("stated", 8), ("s", 7), ("MiB", 6)],
        quiet=arguments.quiet,
    )
    with tempfile.TemporaryDirectory(prefix="rene-zoo-") as scratch:
        for number, model in enumerate(path for path in found if arguments.only in str(path)):
            folder = (arguments.keep or Path(scratch)) / f"{number:03d}-{model.stem}"
            try:
                row, problem = judge(model, arguments.rene, folder, options, arguments.twice)
            except Exception as failure:
                row, problem = [model.stem] + [""] * 6, f"{type(failure).__name__}: {str(failure)[:300]}"
            tally.add(row, problem)
    tally.finish()


if __name__ == "__main__":
    main()
