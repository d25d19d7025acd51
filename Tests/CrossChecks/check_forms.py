#!/usr/bin/env python3
"""Factorizes every layer form at full rank and compares the outputs with the original's.

usage: check_forms.py RENE [--forms DIR] [--only TEXT] [--every K] [--jobs N] [--quiet]

For each model of make_forms.py and each decomposition that applies to it: `rene convert --full-rank`, then the written
model must pass ONNX's checker with shape inference, have the same frame (inputs, outputs, opsets, IR, metadata) and
give the same outputs to the form's tolerance. Models that must stay must come out with the same graph and a reason.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import onnx
from crosscheck import Executor, Tally, differences_in_frame, random_inputs, relative_error, report_of, run


def judge(
    form: dict[str, Any], source: Path, decomposition: str, rene: Path, out: Path
) -> tuple[list[Any], str | None]:
    """Converts one form by one decomposition; the table's row and the problem, if there is one."""
    folder = out / form["name"] / decomposition
    row: list[Any] = [form["name"], decomposition, "", "", "", ""]
    # By default the program keeps depthwise convolutions and the classifier's head; `--include` overrules that.
    overrule = [] if form["name"] == "kept-depthwise" else ["--include", "*"]
    outcome = run(
        [rene, "convert", source, "--output", folder, "--full-rank", "--decomposition", decomposition, *overrule],
        deadline=120,
    )
    if outcome.status != 0:
        return row, f"status {outcome.status}: {outcome.complaint}"
    target = folder / source.name
    original, result = onnx.load(source), onnx.load(target)
    problems = differences_in_frame(original, result)
    try:
        onnx.checker.check_model(str(target), full_check=True)
    except Exception as failure:
        problems.append(f"checker: {str(failure).strip().splitlines()[-1]}")
    layers = report_of(folder, source.stem)["layers"]
    chosen = [layer for layer in layers if layer.get("decomposition")]
    unexplained = [layer["node"] for layer in layers if not layer.get("decomposition") and not layer.get("reason")]
    row[2] = f"{len(chosen)}/{len(layers)}"
    if unexplained:
        problems.append(f"no reason for {unexplained[0]}")
    if any(layer.get("decomposition") != decomposition for layer in chosen):
        problems.append(f"another decomposition was used: {[layer['decomposition'] for layer in chosen]}")
    if form["expect"] == "kept" and (chosen or original.graph != result.graph):
        problems.append("the graph changed")
    if form["expect"] == "factorized" and len(chosen) < form["layers"]:
        problems.append(f"{form['layers']} layers expected: {[layer.get('reason') for layer in layers]}")
    if chosen and original.graph == result.graph and list(original.functions) == list(result.functions):
        problems.append("the report names a factorized layer, the graph is the same")
    if form["name"] != "kept-other-domain":
        reference = Executor(source)
        inputs = random_inputs(original)
        expected = reference.run(inputs)
        error = relative_error(expected, Executor(target, reference.kind).run(inputs))
        row[3], row[4] = f"{error:.1e}", reference.kind
        if not error <= form["tolerance"]:
            problems.append(f"relative error {error:.2e}, at most {form['tolerance']:.0e} is allowed")
    row[5] = ",".join(sorted({str(layer["reason"]) for layer in layers if layer.get("reason")}))[:40]
    return row, "; ".join(problems) or None


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("rene", type=Path)
    parser.add_argument("--forms", type=Path, help="folder made by make_forms.py; default: made now")
    parser.add_argument("--only", default="", help="forms whose name contains this")
    parser.add_argument("--every", type=int, default=1, help="every K-th form and decomposition")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--quiet", action="store_true")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="rene-forms-") as scratch:
        forms = arguments.forms or Path(scratch) / "forms"
        if arguments.forms is None:
            maker = Path(__file__).with_name("make_forms.py")
            subprocess.run([sys.executable, maker, forms], check=True, stdout=subprocess.DEVNULL)
        cases = [
            (form, decomposition)
            for form in json.loads((forms / "forms.json").read_text())
            if arguments.only in form["name"]
            for decomposition in form["decompositions"]
        ][:: arguments.every]
        tally = Tally(
            [("form", 36), ("by", 11), ("layers", 6), ("error", 8), ("run in", 11), ("reasons", 30)],
            quiet=arguments.quiet,
        )

        def attempt(case: tuple[dict[str, Any], str]) -> tuple[list[Any], str | None]:
            form, decomposition = case
            try:
                return judge(form, forms / f"{form['name']}.onnx", decomposition, arguments.rene, Path(scratch) / "out")
            except Exception as failure:
                return [form["name"], decomposition, "", "", "", ""], f"{type(failure).__name__}: {str(failure)[:200]}"

        with ThreadPoolExecutor(arguments.jobs) as pool:
            for row, problem in pool.map(attempt, cases):
                tally.add(row, problem)
    tally.finish()


if __name__ == "__main__":
    main()
