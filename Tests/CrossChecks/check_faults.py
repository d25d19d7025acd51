#!/usr/bin/env python3
"""Ends the daemon, or lets it fail, at each call in turn that changes a file system.

usage: check_faults.py RENE [--library FILE] [--every N] [--fault kill|after|ENOSPC|EIO]… [--apart] [--keep DIR]

A model is dropped into a fresh folder and `rene watch --once` runs with a library in front of the C library
(Tests/FaultInjection) that counts the calls of the daemon, not of its workers. Run N meets its fault at the Nth call;
then the daemon runs once more without faults. Afterwards the model must be, whole, in exactly one of outbox and failed,
its source must be where it belongs, byte for byte, nothing may be left under way, and the database must be sound.
`--apart` puts inbox, outbox, done and failed on file systems of their own (needs the right to mount). `--every N` tries
every Nth call, from a first one that differs by fault. Ends with `N passed, N failed`.
"""

from __future__ import annotations

import argparse
import errno
import hashlib
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

SAMPLE = Path(__file__).resolve().parent.parent.parent / "Sources/rene/Samples/cnn.onnx"
SETTINGS = "stability_delay: 0.1\nattempts: 50\nretry_delay: 0.1\nretry_delay_limit: 0.2\n"
APART = ("inbox", "outbox", "done", "failed")


class Trial:
    """One folder, one model, one fault."""

    def __init__(self, rene: Path, library: Path, folder: Path, apart: bool) -> None:
        self.rene, self.library, self.apart = rene, library, apart
        self.folder, self.root = folder, folder / "root"
        self.log = folder / "calls"

    def __enter__(self) -> Trial:
        shutil.rmtree(self.folder, ignore_errors=True)
        (self.root / "inbox").mkdir(parents=True)
        (self.folder / "rene.yaml").write_text(SETTINGS)
        if self.apart:
            for name in APART:
                (self.root / name).mkdir(exist_ok=True)
                subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16m", "rene-faults", self.root / name], check=True)
        shutil.copy(SAMPLE, self.root / "inbox/m.onnx")
        return self

    def __exit__(self, *_: object) -> None:
        if self.apart:
            for name in APART:
                subprocess.run(["umount", "-l", self.root / name], check=True)
        shutil.rmtree(self.folder, ignore_errors=True)

    def run(self, at: int | None = None, fault: str = "") -> int | None:
        """Runs the daemon until nothing is left to do, with a fault at a call (0: counts only) or without any.
        `None` when it did not come to an end."""
        environment = {"PATH": "/usr/bin:/bin"}
        if at is not None:
            environment |= {
                "LD_PRELOAD": str(self.library),
                "RENE_FAULT_AT": str(at),
                "RENE_FAULT": fault if fault in ("kill", "after") else str(getattr(errno, fault, 0)),
                "RENE_FAULT_BELOW": " watch ",
                "RENE_FAULT_LOG": str(self.log),
            }
        command = [self.rene, "watch", self.root, "--config", self.folder / "rene.yaml", "--once"]
        with open(self.folder / "log", "a") as log:
            try:
                return subprocess.run(command, stdout=log, stderr=log, env=environment, timeout=120).returncode
            except subprocess.TimeoutExpired:
                return None

    @property
    def calls(self) -> list[str]:
        """The names of the counted calls."""
        return [line.split()[1] for line in self.log.read_text().splitlines()] if self.log.exists() else []

    def faults(self, may_fail: bool) -> list[str]:
        """What is not as it must be."""
        found: list[str] = []
        files = {
            name: sorted(str(p.relative_to(self.root / name)) for p in (self.root / name).rglob("*") if p.is_file())
            for name in (*APART, ".work")
        }
        original = SAMPLE.read_bytes()
        wanted = ["m.onnx", "m.report.html", "m.report.json"]
        if files["inbox"] or files[".work"] or list((self.root / ".work").iterdir()):
            found.append(f"left under way: {files['inbox']} {list((self.root / '.work').rglob('*'))}")
        if files["failed"]:
            if not may_fail or files["outbox"] or files["done"]:
                found.append(f"failed: {files}")
            elif "m/error.json" not in files["failed"] or (self.root / "failed/m/m.onnx").read_bytes() != original:
                found.append(f"failed is not whole: {files['failed']}")
        elif files["outbox"] != wanted or files["done"] != ["m.onnx"]:
            found.append(f"outbox {files['outbox']}, done {files['done']}")
        else:
            report = json.loads((self.root / "outbox/m.report.json").read_text())
            written = hashlib.sha256((self.root / "outbox/m.onnx").read_bytes()).hexdigest()
            if report["result"]["sha256"] != written:
                found.append("the model is not the one of its report")
            if (self.root / "done/m.onnx").read_bytes() != original:
                found.append("the source has changed")
        with sqlite3.connect(self.root / "state.sqlite") as store:
            if (problem := store.execute("PRAGMA integrity_check").fetchall()) != [("ok",)]:
                found.append(f"database: {problem}")
            states = [row[0] for row in store.execute("SELECT state FROM job")]
            if states not in (["done"], ["failed"]):
                found.append(f"jobs: {states}")
        store.close()
        return found


def sweep(arguments: argparse.Namespace, fault: str, scratch: Path) -> tuple[int, int]:
    """All calls of one fault; returns how many held and how many did not."""

    def trial(number: int) -> tuple[int, str, list[str]]:
        with Trial(arguments.rene, arguments.library, scratch / f"{fault}-{number}", arguments.apart) as t:
            first = t.run(number, fault)
            calls = t.calls
            name = calls[number - 1] if number <= len(calls) else ""
            problems = [] if first is not None else ["the run with the fault did not end"]
            status = t.run()
            if status not in ((0, 65, 73, 74) if fault == "EIO" else (0,)):
                problems.append(f"the run without faults ended with {status}")
            problems += t.faults(may_fail=fault == "EIO")
            if problems:
                problems.append((t.folder / "log").read_text()[-3000:])
                if arguments.keep:
                    shutil.copytree(t.folder, arguments.keep / t.folder.name, dirs_exist_ok=True)
            return number, name, problems

    with Trial(arguments.rene, arguments.library, scratch / "count", arguments.apart) as t:
        if t.run(0) != 0:
            print((t.folder / "log").read_text())
            return 0, 1
        total = len(t.calls)
    # Runs differ a little in length; the last tries find no call to meet.
    numbers = range(1 + sum(fault.encode()) % arguments.every, total + 6, arguments.every)
    met, good = {}, 0
    with ThreadPoolExecutor(2) as pool:
        for number, name, problems in pool.map(trial, numbers):
            if name:
                met[name] = met.get(name, 0) + 1
            good += not problems
            for problem in problems:
                print(f"{fault} at call {number} ({name or 'not met'}): {problem}")
    kinds = ", ".join(f"{count} {name}" for name, count in sorted(met.items()))
    print(f"{fault}{', apart' if arguments.apart else ''}: {total} calls, met {sum(met.values())} ({kinds})")
    return good, len(numbers) - good


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("rene", type=Path)
    parser.add_argument("--library", type=Path, help="default: beside the program")
    parser.add_argument("--every", type=int, default=1)
    parser.add_argument("--fault", action="append", choices=["kill", "after", "ENOSPC", "EIO"])
    parser.add_argument("--apart", action="store_true")
    parser.add_argument("--keep", type=Path, help="keeps the folders of what failed")
    arguments = parser.parse_args()
    arguments.rene = arguments.rene.resolve()
    arguments.library = (arguments.library or arguments.rene.parent / "libFaultInjection.so").resolve()
    passed = failed = 0
    with tempfile.TemporaryDirectory(prefix="rene-faults-") as scratch:
        for fault in arguments.fault or ["kill", "after", "ENOSPC", "EIO"]:
            good, bad = sweep(arguments, fault, Path(scratch))
            passed, failed = passed + good, failed + bad
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
