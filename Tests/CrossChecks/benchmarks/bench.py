#!/usr/bin/env python3
"""Time and memory of the program beside Python peers that do the same work, in one run on one machine.

usage: bench.py --rene FILE [--decomposition-bench FILE] --cache DIR [--runs N] [--only CASE] [--json FILE]

Whole processes are measured, from start to end, with the peak of their resident memory; figures are medians, the runs
of the contestants alternate. Peers use all cores and an environment without OPENBLAS_ or OMP_ settings. Prints a table
(case, ours, peer, ratio, unit); ratio is peer over ours, so that more is better.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from crosscheck import Outcome, run  # noqa: E402

HERE = Path(__file__).resolve().parent
CLEAN = {k: v for k, v in os.environ.items() if not k.startswith(("OPENBLAS_", "OMP_", "MKL_", "GOTO_"))}
MIB = 1 << 20


@dataclass
class Row:
    """One line of the result."""

    case: str
    ours: float
    peer: float | None
    unit: str
    peer_name: str
    wanted: str

    @property
    def ratio(self) -> float | None:
        """How many times less ours takes."""
        return self.peer / self.ours if self.peer is not None and self.ours else None


class Bench:
    """The cases, and what they have found."""

    def __init__(self, arguments: argparse.Namespace) -> None:
        self.rene: Path = arguments.rene.resolve()
        self.kernels: Path | None = arguments.decomposition_bench and arguments.decomposition_bench.resolve()
        self.cache: Path = arguments.cache
        self.runs: int = arguments.runs
        self.rows: list[Row] = []
        self.details: dict[str, Any] = {}
        self.failures: list[str] = []
        self.cache.mkdir(parents=True, exist_ok=True)

    def model(self, name: str) -> Path:
        """A generated model, made once."""
        path = self.cache / f"{name}.onnx"
        if not path.exists():
            with tempfile.TemporaryDirectory(dir=self.cache) as scratch:
                draft = Path(scratch) / path.name
                subprocess.run([sys.executable, HERE / "generate.py", name, draft], check=True, env=CLEAN)
                for file in sorted(Path(scratch).iterdir(), reverse=True):
                    file.rename(self.cache / file.name)
        return path

    def measure(
        self, contestants: dict[str, Callable[[Path], list[Any]]], runs: int | None = None
    ) -> dict[str, list[Outcome]]:
        """Runs each contestant's command, taking turns; a command gets a fresh folder to write to."""
        found: dict[str, list[Outcome]] = {name: [] for name in contestants}
        for _ in range(runs or self.runs):
            for name, command in contestants.items():
                scratch = Path(tempfile.mkdtemp(dir=self.cache))
                # What the one before left to be written would be waited for by the one that synchronizes its files.
                os.sync()
                try:
                    outcome = run(command(scratch), deadline=3600, environment=CLEAN)
                finally:
                    shutil.rmtree(scratch)
                if outcome.status != 0:
                    raise RuntimeError(f"{name}: status {outcome.status}: {outcome.error.strip()[-500:]}")
                found[name].append(outcome)
        return found

    def compare(self, case: str, found: dict[str, list[Outcome]], wanted: str, memory: str = "") -> None:
        """A row of seconds against each peer and one of memory against the first."""
        seconds = {name: statistics.median(o.seconds for o in outcomes) for name, outcomes in found.items()}
        peaks = {name: statistics.median(o.peak for o in outcomes) / MIB for name, outcomes in found.items()}
        peers = [name for name in seconds if name != "rene"]
        for name in peers:
            self.rows.append(Row(case, seconds["rene"], seconds[name], "s", name, "" if "gram" in name else wanted))
        self.rows.append(Row(f"{case} (memory)", peaks["rene"], peaks[peers[0]], "MiB", peers[0], memory))
        self.details[case] = {
            name: [{"seconds": o.seconds, "peak_bytes": o.peak, "said": o.output.strip()[-500:]} for o in outcomes]
            for name, outcomes in found.items()
        }

    def convert(self, name: str) -> None:
        """Plan and convert at half of the parameters: with the decompositions that the peers try, and with our default,
        which tries more where there are kernels larger than 1×1."""
        model = self.model(name)
        peers = {
            f"python {r}": (
                lambda out, r=r: [sys.executable, HERE / "peer_convert.py", model, out / "out.onnx", "--routine", r]
            )
            for r in ("numpy", "torch", "torch-gram")
        }

        def ours(decompositions: str) -> Callable[[Path], list[Any]]:
            budget = ["--reduce", "params=50%", "--decomposition", decompositions]
            return lambda out: [self.rene, "convert", model, "--output", out, *budget]

        found = self.measure({"rene": ours("svd,tucker"), "rene auto": ours("auto"), **peers})
        automatic = found.pop("rene auto")
        self.compare(name, found, "≥ 3")
        self.compare(f"{name}, auto", {**found, "rene": automatic}, "")

    def cp(self) -> None:
        """CP-ALS at rank 128 on 256×9×256: 30 sweeps each, and with ours stopped at the first count of sweeps, in steps of
        two, at which its error is at most the peer's. Seconds of the fit alone, as each side reports them."""
        if self.kernels is None:
            raise RuntimeError("--decomposition-bench is not given")
        tensor = self.cache / "cp-256x9x256.f32"
        if not tensor.exists():
            rng = np.random.default_rng(95)
            factors = [rng.standard_normal((n, 96)) for n in (256, 9, 256)]
            value = np.einsum("ar,br,cr,r->abc", *factors, 0.97 ** np.arange(96), optimize=True)
            value += 0.2 * value.std() * rng.standard_normal(value.shape)
            value.astype(np.float32).tofile(tensor)
        sizes = ["--shape", "256,9,256", "--rank", 128, "--iterations", 30]
        peers = {
            f"tensorly {b}": (lambda _, b=b: [sys.executable, HERE / "peer_cp.py", tensor, *sizes, "--backend", b])
            for b in ("numpy", "pytorch")
        }

        def results(
            contestants: dict[str, Callable[[Path], list[Any]]], runs: int | None = None
        ) -> dict[str, list[dict[str, float]]]:
            found = self.measure(contestants, runs)
            return {name: [json.loads(o.output) for o in outcomes] for name, outcomes in found.items()}

        def ours(sweeps: int) -> Callable[[Path], list[Any]]:
            return lambda _: [self.kernels, "cp", tensor, f"sweeps={sweeps}"]

        probe = results(peers, runs=1)
        target = min(probe[name][0]["relative_error"] for name in peers)
        equal = next(
            n for n in range(2, 31, 2) if results({"rene": ours(n)}, runs=1)["rene"][0]["relative_error"] <= target
        )
        found = results({"30 sweeps": ours(30), f"{equal} sweeps": ours(equal), **peers})
        for name in peers:
            for mine, wanted in (("30 sweeps", ""), (f"{equal} sweeps", "≥ 5")):
                for key, unit, least in (("seconds", "s", wanted), ("relative_error", "‖T−T̂‖/‖T‖", "≥ 1")):
                    a, b = (statistics.median(r[key] for r in found[n]) for n in (mine, name))
                    self.rows.append(Row(f"cp-als {mine} ({'error' if unit != 's' else 's'})", a, b, unit, name, least))
        self.details["cp-als"] = found

    def convolution(self) -> None:
        """Forward pass and both gradients of ResNet-20's 3×3 convolutions at batch 128."""
        if self.kernels is None:
            raise RuntimeError("--decomposition-bench is not given")
        found = self.measure(
            {
                "rene": lambda _: [self.kernels.with_name("convolution-bench")],
                "pytorch": lambda _: [sys.executable, HERE / "peer_convolution.py"],
            }
        )
        results = {n: [[json.loads(line) for line in o.output.splitlines()] for o in os] for n, os in found.items()}
        for index, stage in enumerate(results["rene"][0]):
            ours, peer = (statistics.median(r[index]["seconds"] for r in results[n]) for n in ("rene", "pytorch"))
            self.rows.append(Row(f"convolution {stage['case']}", ours, peer, "s", "pytorch", ""))
        self.details["convolution"] = results

    def copy(self) -> None:
        """Read and write 944 MB."""
        model = self.model("single-944mb")
        size = model.stat().st_size / MIB
        found = self.measure(
            {
                "rene": lambda out: [self.rene, "copy", model, "--output", out],
                "python onnx": lambda out: [sys.executable, HERE / "peer_copy.py", model, out / "out.onnx"],
            }
        )
        self.compare("copy 944 MB", found, "≥ 3", f"ours ≤ {1.5 * size:.0f} MiB")

    def external(self) -> None:
        """Convert 3 GB of external data."""
        model = self.model("external-3gb")
        found = self.measure(
            {"rene": lambda out: [self.rene, "convert", model, "--output", out, "--reduce", "params=50%"]}, runs=1
        )["rene"]
        self.rows.append(Row("external 3 GB", found[0].seconds, None, "s", "", ""))
        self.rows.append(
            Row("external 3 GB (memory)", found[0].peak / MIB, None, "MiB", "", "ours < 2000 MB (1907 MiB)")
        )
        self.details["external 3 GB"] = [{"seconds": o.seconds, "peak_bytes": o.peak} for o in found]

    def show(self) -> None:
        """The table."""
        layout = "{:<28} {:>10} {:>10} {:>7} {:<11} {:<18} {}"
        print(layout.format("case", "ours", "peer", "ratio", "unit", "peer is", "wanted"))
        for row in self.rows:
            digits = ".0f" if row.unit == "MiB" else ".3f"
            print(
                layout.format(
                    row.case,
                    format(row.ours, digits),
                    format(row.peer, digits) if row.peer is not None else "–",
                    f"{row.ratio:.2f}" if row.ratio else "–",
                    row.unit,
                    row.peer_name,
                    row.wanted,
                ).rstrip()
            )
        for failure in self.failures:
            print(f"failed: {failure}")


def surroundings() -> dict[str, Any]:
    """What the figures depend on."""
    model = next(
        (
            line.split(":", 1)[1].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if line.startswith("model name")
        ),
        platform.machine(),
    )
    return {
        "processor": model,
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        **{name: version(name) for name in ("numpy", "torch", "tensorly", "onnx", "scipy")},
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rene", type=Path, required=True)
    parser.add_argument("--decomposition-bench", type=Path)
    parser.add_argument("--cache", type=Path, required=True, help="folder for models and scratch files; 12 GB")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--only", choices=["bert-base", "resnet50", "cp", "convolution", "copy", "external"], action="append")
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    bench = Bench(arguments)
    cases: dict[str, Callable[[], None]] = {
        "bert-base": lambda: bench.convert("bert-base"),
        "resnet50": lambda: bench.convert("resnet50"),
        "cp": bench.cp,
        "convolution": bench.convolution,
        "copy": bench.copy,
        "external": bench.external,
    }
    around = surroundings()
    print(", ".join(f"{key} {value}" for key, value in around.items()))
    for name, case in cases.items():
        if arguments.only is None or name in arguments.only:
            print(f"{name} …", file=sys.stderr, flush=True)
            try:
                case()
            except Exception as failure:
                bench.failures.append(f"{name}: {failure}")
    bench.show()
    if arguments.json:
        rows = [
            {
                "case": r.case,
                "ours": r.ours,
                "peer": r.peer,
                "ratio": r.ratio,
                "unit": r.unit,
                "peer_name": r.peer_name,
                "wanted": r.wanted,
            }
            for r in bench.rows
        ]
        arguments.json.write_text(
            json.dumps(
                {"surroundings": around, "rows": rows, "details": bench.details, "failures": bench.failures}, indent=1
            )
        )
    return 1 if bench.failures else 0


if __name__ == "__main__":
    sys.exit(main())
