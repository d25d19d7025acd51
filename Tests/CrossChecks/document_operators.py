#!/usr/bin/env python3
"""Writes what is executed into the documentation: the table of operators and the result of ONNX's cases.

usage: document_operators.py RENE_CONFORMANCE OPERATORS.md

Replaces what stands between the marks `operators:begin` and `operators:end`, and `conformance:begin` and
`conformance:end`.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections import defaultdict
from pathlib import Path


def between(text: str, mark: str, content: str) -> str:
    """The text with other content between the marks."""
    begin, end = f"<!-- {mark}:begin -->\n", f"<!-- {mark}:end -->"
    head, _, rest = text.partition(begin)
    _, found, tail = rest.partition(end)
    if not found:
        raise ValueError(f"there are no marks {mark}:begin and {mark}:end")
    return head + begin + content.strip() + "\n" + end + tail


def operators(runner: str) -> str:
    """A table for each domain."""
    output = subprocess.run([runner, "--operators"], capture_output=True, text=True, check=True).stdout
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in output.splitlines()[2:]]
    named: dict[str, list[str]] = defaultdict(list)
    for domain, name, gradient in rows:
        named[domain].append(f"| {name} | {gradient} |")
    parts = []
    for domain, lines in named.items():
        differentiable = sum("| yes |" in line for line in lines)
        parts += [f"### {domain}", "", f"{len(lines)} operators, {differentiable} of them with a gradient.", ""]
        parts += ["| operator | gradient |", "|---|---|", *lines, ""]
    return "\n".join(parts)


def conformance(runner: str) -> str:
    """The counts, and what was skipped with its reasons."""
    with tempfile.TemporaryDirectory() as folder:
        results = Path(folder) / "results.json"
        run = subprocess.run([runner, "--json", results], capture_output=True, text=True, check=False)
        cases = json.loads(results.read_text())
    counts: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    reasons: dict[str, list[str]] = defaultdict(list)
    for case in cases:
        group, name = case["name"].split("/")
        counts[group][case["outcome"]] += 1
        if case["outcome"] != "passed":
            reasons[case["reason"].replace(" [execution.unsupported]", "")].append(f"`{name}`")
    lines = [f"**{run.stdout.strip().splitlines()[-1]}**", "", "| folder | passed | failed | skipped |", "|---|---|---|---|"]
    for group, count in sorted(counts.items()):
        lines.append(f"| {group} | {count['passed']} | {count['failed']} | {count['skipped']} |")
    lines += ["", "| reason | cases |", "|---|---|"]
    lines += [f"| {reason} | {', '.join(names)} |" for reason, names in sorted(reasons.items())]
    return "\n".join(lines)


def main() -> None:
    if len(sys.argv) != 3 or sys.argv[1] in ("-h", "--help"):
        sys.exit(__doc__)
    runner, path = sys.argv[1], Path(sys.argv[2])
    text = between(path.read_text(), "operators", operators(runner))
    path.write_text(between(text, "conformance", conformance(runner)))


if __name__ == "__main__":
    main()
