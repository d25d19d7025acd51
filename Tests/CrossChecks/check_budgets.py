#!/usr/bin/env python3
"""Checks that a reduction that is asked for is reached, and not overshot by more than one candidate.

usage: check_budgets.py RENE MODEL… [--share 50] [--search NAME] [--quiet]

For each model: `--reduce params=P%`, `--reduce macs=P%`, and both. Parameters of the written model are counted here,
from its initializers and Constant nodes; MACs are the report's. At most the cost of one candidate rank of the largest
factorized layer may be left over. A budget that cannot be met has to end with status 64, 65 or 78, the code
`search.unreachable` and a message that says what can be reached.
"""

from __future__ import annotations

import argparse
import re
import tempfile
from pathlib import Path
from typing import Any

import onnx
from crosscheck import Executor, Tally, random_inputs, report_of, run
from model_builder import parameter_count

REFUSALS = (64, 65, 78)


def step_of(layer: dict[str, Any], cost: str) -> float:
    """About what one candidate rank of a factorized layer costs: its cost over its smallest rank, once for each rank
    (a chain's cost is at most quadratic in its ranks)."""
    ranks = layer.get("rank") or [1]
    return len(ranks) * layer[cost][1] / max(1, min(ranks))


def judge(model: Path, wanted: dict[str, float], search: str, rene: Path, out: Path) -> tuple[list[Any], str | None]:
    """One model with one budget; the table's row and the problem, if there is one."""
    label = "+".join(wanted)
    row: list[Any] = [model.stem, label, "", "", "", ""]
    folder = out / model.stem / label
    options = [part for key, share in wanted.items() for part in ("--reduce", f"{key}={share:g}%")]
    outcome = run([rene, "convert", model, "--output", folder, "--search", search, *options], deadline=900)
    row[5] = f"{outcome.seconds:.2f}"
    if outcome.status in REFUSALS and "search.unreachable" in outcome.error:
        row[4] = "unreachable"
        told = re.search(r"\d+(\.\d+)?\s*%", outcome.error)
        return row, None if told else f"the error does not say what can be reached: {outcome.complaint}"
    if outcome.status != 0:
        return row, f"status {outcome.status}: {outcome.complaint}"
    report = report_of(folder, model.stem)
    before, after = onnx.load(model), onnx.load(folder / model.name)
    counted = 1 - parameter_count(after) / parameter_count(before)
    reached = {"params": counted, "macs": 1 - report["result"]["macs"] / report["source"]["macs"]}
    row[2], row[3] = f"{reached['params']:.2%}", f"{reached['macs']:.2%}"
    problems = []
    for key, field in (("parameters", "params"), ("macs", "macs")):
        if field in wanted and reached[field] < wanted[field] / 100 - 1e-9:
            problems.append(f"{key}: {reached[field]:.2%} of {wanted[field]:g} %")
    if abs(counted - report["reduction"]["parameters"]) > 1e-3:
        problems.append(
            f"the report says {report['reduction']['parameters']:.2%} of the parameters, {counted:.2%} counted"
        )
    # With several budgets the one that binds decides; the others are overshot.
    chosen = [layer for layer in report["layers"] if layer.get("decomposition")]
    fields = {"params": "parameters", "macs": "macs"}
    slack = []
    for key, share in wanted.items():
        total = report["source"][fields[key]]
        step = max((step_of(layer, fields[key]) for layer in chosen), default=0) / total
        slack.append(reached[key] - share / 100 - step)
    if slack and min(slack) > 1e-3:
        problems.append(f"overshot by {min(slack):.2%} more than one candidate")
    row[4] = f"{min(reached[key] - share / 100 for key, share in wanted.items()):+.2%}"
    Executor(folder / model.name).run(random_inputs(before))
    return row, "; ".join(problems) or None


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("rene", type=Path)
    parser.add_argument("models", type=Path, nargs="+")
    parser.add_argument("--share", type=float, default=50, help="percent to remove")
    parser.add_argument("--search", default="rene")
    parser.add_argument("--quiet", action="store_true")
    arguments = parser.parse_args()
    share = arguments.share
    tally = Tally(
        [("model", 30), ("budget", 12), ("params", 8), ("macs", 8), ("beyond", 12), ("s", 7)], quiet=arguments.quiet
    )
    with tempfile.TemporaryDirectory(prefix="rene-budgets-") as scratch:
        for model in arguments.models:
            for wanted in ({"params": share}, {"macs": share}, {"params": share, "macs": share}):
                try:
                    row, problem = judge(model, wanted, arguments.search, arguments.rene, Path(scratch))
                except Exception as failure:
                    row = [model.stem, "+".join(wanted), "", "", "", ""]
                    problem = f"{type(failure).__name__}: {str(failure)[:300]}"
                tally.add(row, problem)
    tally.finish()


if __name__ == "__main__":
    main()
