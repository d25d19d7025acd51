#!/usr/bin/env python3
"""Converts bad inputs and checks that each is refused cleanly.

usage: check_bad.py RENE [--bad DIR] [--only TEXT] [--every K] [--deadline S] [--jobs N] [--trace] [--quiet]

Expected of each: the exit status that make_bad.py says, no signal, no end by the deadline, little memory; of a refusal
an error code in brackets on standard error and no file in the output folder; of an acceptance a model in it. With
`--trace` strace watches the external-data cases: nothing outside of the model's folder may have been opened.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from crosscheck import Tally, run

# Files outside of the model's folder that the external-data cases point to, opened with success.
OUTSIDE = re.compile(r'open(?:at|at2)?\(.*"[^"]*(?:secret\.bin|/etc/passwd|/dev/zero)".*\)\s+= \d+')
CODE = re.compile(r"\[([a-z0-9-]+(?:\.[a-z0-9-]+)+)\]")


def judge(
    case: dict[str, Any], bad: Path, out: Path, rene: Path, deadline: float, trace: bool
) -> tuple[list[Any], str | None]:
    """One input; the table's row and the problem, if there is one."""
    folder = out / case["name"]
    command: list[str | Path] = [rene, "convert", bad / case["path"], "--output", folder]
    log = out / f"{case['name']}.trace"
    traced = trace and case["row"] == "I15"
    if traced:
        command = ["strace", "-f", "-qq", "-e", "trace=open,openat,openat2", "-o", log, *command]
    outcome = run(command, deadline=deadline, address_space=8 << 30)
    found = CODE.search(outcome.error)
    written = sorted(p.name for p in folder.rglob("*") if p.is_file()) if folder.exists() else []
    row = [
        case["row"],
        case["name"],
        outcome.status,
        found.group(1) if found else "",
        f"{outcome.seconds:.2f}",
        f"{outcome.peak / 2**20:.0f}",
    ]
    problems = []
    if outcome.timed_out:
        problems.append(f"still running after {deadline:g} s")
    elif outcome.status < 0:
        problems.append(f"ended by signal {-outcome.status}")
    elif outcome.status not in case["statuses"]:
        problems.append(
            f"status {outcome.status}, expected {' or '.join(map(str, case['statuses']))}: {outcome.complaint}"
        )
    elif outcome.status == 0:
        if "model.onnx" not in written:
            problems.append("status 0, but no model was written")
    else:
        if not found:
            problems.append(f"no error code: {outcome.complaint}")
        elif case["code"] and not re.search(case["code"], found.group(1)):
            problems.append(f"code {found.group(1)} does not match {case['code']}")
        if "Fatal error" in outcome.error or "Sanitizer" in outcome.error:
            problems.append("a crash is reported on standard error")
        if written:
            problems.append(f"files were left: {written}")
    if traced and (opened := OUTSIDE.search(log.read_text(errors="replace"))):
        problems.append(f"opened what lies outside: {opened.group(0)[:120]}")
    if outcome.peak > case["memory"]:
        problems.append(f"{outcome.peak / 2**20:.0f} MiB, at most {case['memory'] / 2**20:.0f} are allowed")
    return row, "; ".join(problems) or None


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("rene", type=Path)
    parser.add_argument("--bad", type=Path, help="folder made by make_bad.py; default: made now")
    parser.add_argument("--only", default="", help="inputs whose row or name contains this")
    parser.add_argument("--every", type=int, default=1, help="every K-th input")
    parser.add_argument("--deadline", type=float, default=20)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--trace", action="store_true", help="watch the external-data cases with strace")
    parser.add_argument("--quiet", action="store_true")
    arguments = parser.parse_args()
    tally = Tally([("row", 4), ("input", 38), ("exit", 4), ("code", 40), ("s", 6), ("MiB", 5)], quiet=arguments.quiet)
    with tempfile.TemporaryDirectory(prefix="rene-bad-") as scratch:
        bad = (arguments.bad or Path(scratch) / "bad").resolve()
        if arguments.bad is None:
            maker = Path(__file__).with_name("make_bad.py")
            subprocess.run([sys.executable, maker, bad], check=True, stdout=subprocess.DEVNULL)
        cases = [
            case
            for case in json.loads((bad / "bad.json").read_text())
            if arguments.only in case["row"] + " " + case["name"]
        ][:: arguments.every]
        (Path(scratch) / "out").mkdir()
        with ThreadPoolExecutor(arguments.jobs) as pool:
            results = pool.map(
                lambda case: judge(
                    case, bad, Path(scratch) / "out", arguments.rene, arguments.deadline, arguments.trace
                ),
                cases,
            )
            for row, problem in results:
                tally.add(row, problem)
    tally.finish()


if __name__ == "__main__":
    main()
