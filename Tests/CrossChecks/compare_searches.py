#!/usr/bin/env python3
"""Compares the ways to choose ranks at the same budgets, as a Markdown table.

usage: compare_searches.py RENE MODEL.onnx DATA.npz [--reductions 30,50] [--searches A,B] [--write FILE]
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

import onnx
from crosscheck import report_of, run
from images import labelled, top1
from model_builder import parameter_count

BEGIN, END = "<!-- compare-searches:begin -->", "<!-- compare-searches:end -->"


def row(rene: Path, model: Path, data: Path, search: str, share: float, out: Path) -> list[str]:
    """Search, parameters removed, summed error squared and plain, top-1, seconds."""
    folder = out / f"{search}-{share:g}"
    outcome = run([rene, "convert", model, "--output", folder, "--search", search, "--reduce", f"params={share:g}%"])
    if outcome.status != 0:
        return [f"`{search}`", f"status {outcome.status}: {outcome.complaint}", "", "", "", ""]
    report = report_of(folder, model.stem)
    errors = [float(layer.get("relative_error") or 0) for layer in report["layers"]]
    written = folder / model.name
    removed = 1 - parameter_count(onnx.load(written)) / parameter_count(onnx.load(model))
    return [
        f"`{search}`",
        f"{removed:.2%}",
        f"{sum(e * e for e in errors):.4f}",
        f"{sum(errors):.3f}",
        f"{top1(written, *labelled(data)):.2f}",
        f"{outcome.seconds:.2f}",
    ]


def replace_between_markers(file: Path, text: str) -> None:
    """Puts `text` between the markers of a Markdown file."""
    whole = file.read_text()
    if whole.count(BEGIN) != 1 or whole.count(END) != 1 or whole.index(BEGIN) > whole.index(END):
        sys.exit(f"error: {file} does not have the lines {BEGIN} and {END}, once each and in this order")
    head, rest = whole.split(BEGIN)
    file.write_text(f"{head}{BEGIN}\n{text}\n{END}{rest.split(END)[1]}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("rene", type=Path)
    parser.add_argument("model", type=Path)
    parser.add_argument("data", type=Path)
    parser.add_argument("--reductions", default="30,50", help="percent of the parameters, separated by commas")
    parser.add_argument("--searches", default="knapsack,rene,uniform,energy")
    parser.add_argument("--write", type=Path, help="Markdown file with markers")
    arguments = parser.parse_args()
    if arguments.write:
        replace_between_markers(arguments.write, "")  # fails early when the markers are missing
    dense = top1(arguments.model, *labelled(arguments.data))
    lines = [
        f"`{arguments.model.stem}`, top-1 as it is {dense:.2f} % (`{arguments.data.stem}`), no data used, no "
        "fine-tuning. Errors are relative to each layer's weight."
    ]
    with tempfile.TemporaryDirectory(prefix="rene-searches-") as scratch:
        for share in (float(part) for part in arguments.reductions.split(",")):
            lines += [
                "",
                f"`--reduce params={share:g}%`",
                "",
                "| search | parameters removed | Σ error² | Σ error | top-1 % | seconds |",
                "|---|---|---|---|---|---|",
            ]
            for search in arguments.searches.split(","):
                cells = row(arguments.rene, arguments.model, arguments.data, search, share, Path(scratch))
                lines.append(f"| {' | '.join(cells)} |")
    text = "\n".join(lines)
    print(text)
    if arguments.write:
        replace_between_markers(arguments.write, text)


if __name__ == "__main__":
    main()
