"""What the cross-checks share: running a program under limits, running a model, comparing outputs, counting results."""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
from onnx import helper
from onnx.reference import ReferenceEvaluator

onnxruntime.set_default_logger_severity(4)


@dataclass
class Outcome:
    """How a process ended."""

    status: int  # exit status; minus the signal's number when a signal ended it
    seconds: float
    peak: int  # bytes of the largest resident set of the process and its children
    output: str
    error: str
    timed_out: bool = False

    @property
    def complaint(self) -> str:
        """The last line of standard error that says something, for a table."""
        lines = [line.strip() for line in self.error.splitlines() if line.strip()]
        told = [line for line in lines if "[" in line and "]" in line]
        return (told or lines or [""])[-1 if not told else 0][:160]


def run(
    command: Sequence[str | Path],
    *,
    deadline: float = 600,
    address_space: int | None = None,
    environment: Mapping[str, str] | None = None,
    cwd: Path | None = None,
) -> Outcome:
    """Runs a command in a process group of its own, which is killed at the deadline."""

    def limit() -> None:
        if address_space:
            resource.setrlimit(resource.RLIMIT_AS, (address_space, address_space))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))

    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as error:
        start = time.perf_counter()
        process = subprocess.Popen(
            [str(part) for part in command],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=error,
            preexec_fn=limit,
            start_new_session=True,
            env=dict(environment) if environment is not None else None,
            cwd=cwd,
        )
        expired = threading.Event()

        def expire() -> None:
            expired.set()
            os.killpg(process.pid, signal.SIGKILL)

        timer = threading.Timer(deadline, expire)
        timer.start()
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - start
        timer.cancel()
        process.returncode = os.waitstatus_to_exitcode(status)
        texts = []
        for stream in (output, error):
            stream.seek(0)
            texts.append(stream.read().decode(errors="replace"))
    return Outcome(process.returncode, seconds, usage.ru_maxrss * 1024, *texts, timed_out=expired.is_set())


class Executor:
    """Runs a model in onnxruntime, or in ONNX's reference evaluator where onnxruntime lacks the type, operator or
    attribute. `kind` says which of the two was used last; one that is given to the initializer is not departed from."""

    def __init__(self, path: Path, kind: str | None = None, threads: int = 1) -> None:
        self.kind = kind or "onnxruntime"
        self.path = path
        self.fixed = kind is not None
        self.evaluator: ReferenceEvaluator | None = None
        if self.kind == "onnxruntime":
            options = onnxruntime.SessionOptions()
            options.intra_op_num_threads = threads
            options.log_severity_level = 4
            try:
                self.session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
            except Exception as failure:
                if not self._falls_back(failure):
                    raise
        if self.kind == "reference" and self.evaluator is None:
            self.evaluator = ReferenceEvaluator(str(path))

    def _falls_back(self, failure: Exception) -> bool:
        if self.fixed or not any(
            word in str(failure) for word in ("NOT_IMPLEMENTED", "INVALID_GRAPH", "not supported")
        ):
            return False
        self.kind = "reference"
        self.evaluator = ReferenceEvaluator(str(self.path))
        return True

    def run(self, inputs: Mapping[str, np.ndarray]) -> list[Any]:
        """All outputs, in order."""
        if self.kind == "onnxruntime":
            try:
                return self.session.run(None, dict(inputs))
            except Exception as failure:
                if not self._falls_back(failure):
                    raise
        return self.evaluator.run(None, dict(inputs))


def real_inputs(graph: onnx.GraphProto) -> list[onnx.ValueInfoProto]:
    """The graph's inputs without those that are initializers as well."""
    constant = {t.name for t in graph.initializer}
    return [i for i in graph.input if i.name not in constant]


# Sizes by the name that a model gives them, where the defaults (2 for the first axis, 8 for others) do not fit.
SIZES = {
    "batch_size": 2,
    "seq_len": 8,
    "past_seq_len": 8,
    "total_seq_len": 16,
    "p2o.DynamicDimension.1": 48,
    "p2o.DynamicDimension.2": 192,
}


def random_inputs(model: onnx.ModelProto, seed: int = 0) -> dict[str, np.ndarray]:
    """Seeded inputs of the right types and shapes, with values that suit the input's type and name."""
    rng = np.random.default_rng(seed)
    values: dict[str, np.ndarray] = {}
    for info in real_inputs(model.graph):
        tensor = info.type.tensor_type
        shape = [
            d.dim_value if d.dim_value > 0 else SIZES.get(d.dim_param, 2 if axis == 0 else 8)
            for axis, d in enumerate(tensor.shape.dim)
        ]
        kind = helper.tensor_dtype_to_np_dtype(tensor.elem_type)
        name = info.name.lower()
        if tensor.elem_type == onnx.TensorProto.BOOL:
            values[info.name] = np.asarray(rng.random(shape) < 0.5)
        elif "mask" in name:
            values[info.name] = np.ones(shape, kind)
        elif "position" in name and kind.kind in "iu":
            values[info.name] = np.broadcast_to(np.arange(shape[-1], dtype=kind), shape).copy()
        elif kind.kind in "iu":
            limit = 256 if kind == np.uint8 else 100  # text as bytes; otherwise ids of a small vocabulary
            values[info.name] = np.asarray(rng.integers(0, limit, shape)).astype(kind)
        elif name == "bytes":
            values[info.name] = rng.integers(0, 257, shape).astype(kind)
        else:
            values[info.name] = np.asarray(rng.standard_normal(shape)).astype(kind)
    return values


def flatten(value: Any) -> list[np.ndarray]:
    """The arrays in an output, which may be a sequence or a list of maps."""
    if isinstance(value, dict):
        return [np.array([value[key] for key in sorted(value)])]
    if isinstance(value, list):
        return [array for part in value for array in flatten(part)]
    return [np.asarray(value)]


def relative_error(expected: Sequence[Any], actual: Sequence[Any]) -> float:
    """Largest `‖y − ŷ‖ / ‖y‖` of the outputs; infinite when shapes, integers, or the places of NaN or Inf differ in
    floating-point outputs of all kinds. Integer outputs count the share of elements that differ."""
    worst = 0.0
    left, right = flatten(list(expected)), flatten(list(actual))
    if len(left) != len(right):
        return float("inf")
    for y, z in zip(left, right):
        if y.shape != z.shape or y.dtype != z.dtype:
            return float("inf")
        if y.dtype.kind in "iubSUO":
            worst = max(worst, float(np.mean(y != z)) if y.size else 0.0)
            continue
        y, z = y.astype(np.float64), z.astype(np.float64)
        finite = np.isfinite(y)
        if not np.array_equal(finite, np.isfinite(z)):
            return float("inf")
        y, z = y[finite], z[finite]
        scale = float(np.linalg.norm(y))
        difference = float(np.linalg.norm(y - z))
        worst = max(worst, difference / scale if scale > 0 else (0.0 if difference == 0 else float("inf")))
    return worst


def differences_in_frame(source: onnx.ModelProto, result: onnx.ModelProto) -> list[str]:
    """What a conversion must not change and did: inputs, outputs, opsets, IR version, metadata, names, doc strings."""
    found = []
    if [i.SerializeToString() for i in real_inputs(source.graph)] != [
        i.SerializeToString() for i in real_inputs(result.graph)
    ]:
        found.append("inputs differ")
    if list(source.graph.output) != list(result.graph.output):
        found.append("outputs differ")
    if sorted((o.domain, o.version) for o in source.opset_import) != sorted(
        (o.domain, o.version) for o in result.opset_import
    ):
        found.append("opset imports differ")
    for name in ("ir_version", "doc_string", "producer_name", "producer_version", "domain", "model_version"):
        if getattr(source, name) != getattr(result, name):
            found.append(f"{name} differs")
    before = {p.key: p.value for p in source.metadata_props}
    after = {p.key: p.value for p in result.metadata_props if not p.key.startswith("rene.")}
    if before != after:
        found.append("metadata differ")
    if source.graph.name != result.graph.name:
        found.append("graph name differs")
    return found


def report_of(folder: Path, stem: str) -> dict[str, Any]:
    """The report beside a converted model."""
    return json.loads((folder / f"{stem}.report.json").read_text())


SCHEMA = Path(__file__).resolve().parents[2] / "Schemas" / "report.schema.json"


def schema_violations(report: dict[str, Any]) -> list[str]:
    """Where a report departs from its schema."""
    # Imported here, since only the cross-checks' own environment has it.
    from jsonschema import Draft202012Validator

    validator = Draft202012Validator(json.loads(SCHEMA.read_text()))
    return [f"report {error.json_path}: {error.message[:120]}" for error in validator.iter_errors(report)]


@dataclass
class Tally:
    """A table of results that is printed as it grows, and the count at its end."""

    columns: Sequence[tuple[str, int]]
    quiet: bool = False
    passed: int = 0
    failed: int = 0
    lines: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        if not self.quiet:
            self._print([name for name, _ in self.columns], "")

    def _print(self, cells: Sequence[object], end: str) -> None:
        text = "  ".join(str(cell).ljust(width) for cell, (_, width) in zip(cells, self.columns))
        print(f"{text}  {end}".rstrip(), flush=True)

    def add(self, cells: Sequence[object], problem: str | None) -> None:
        """One row. `problem` is `None` when all is well; with `quiet` only problems are printed."""
        if problem is None:
            self.passed += 1
        else:
            self.failed += 1
        if problem is not None or not self.quiet:
            self._print(cells, "ok" if problem is None else f"FAILED: {problem}")

    def finish(self) -> None:
        """Prints the count and leaves the program: status 1 when something failed or nothing ran."""
        print(f"{self.passed} passed, {self.failed} failed")
        sys.exit(0 if self.passed and not self.failed else 1)
