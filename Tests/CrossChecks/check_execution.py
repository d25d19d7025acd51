#!/usr/bin/env python3
"""Runs every model below the folders by `rene run` and by onnxruntime, on the same inputs, and compares all outputs.

usage: check_execution.py RENE FOLDER… [--only TEXT] [--quiet]

Inputs are drawn from a fixed seed; free extents are small; images are noise in the range that the model was trained
with. An output passes when `‖y − ŷ‖/‖y‖` is at most

    1e-4   of models in float32
    1e-2   of models in float16: onnxruntime rounds after other operators than we do
    5e-2   of models with QuantizeLinear: a value that lies between two steps is rounded to either

Where a folder has labelled images (cifar10/test2k.npz, or digits-test.npz), the classifiers that take them have to class
them as onnxruntime does: all but one in 2000; all but one in 100 where they are in float16 or quantized. Where the
README.md of the folder states their top-1 (its column `test2k`), it must be reached: to 0.05 points, 0.5 points if
float16 or quantized.

What onnxruntime or we do not execute is listed with the reason and counts as neither. Ends with `N passed, N failed`.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
from crosscheck import Tally, random_inputs, real_inputs, relative_error, run
from images import labelled, normalized

# (x · scale − mean) / std for noise of 0…255, by the beginning of the file's name; other images are normal numbers.
PIXELS = {
    "mnist-cntk": (1, 0, 1),
    "burn-mnist": (1 / 255, 0.1307, 0.3081),
    "ultraface": (1, 127, 128),
    "fastestdet": (1 / 255, 0, 1),
    "ppocr": (1 / 255, 0.5, 0.5),
    "squeezenet": (1, 118, 60),
}
# Largest error of outputs, share of other classes, difference of top-1 in points.
BOUNDS = {"float32": (1e-4, 1 / 2000, 0.05), "float16": (1e-2, 0.01, 0.5), "quantized": (5e-2, 0.01, 0.5)}
IMAGES = ("cifar10/test2k.npz", "digits-test.npz")


class Skipped(Exception):
    """Not comparable, and why."""


def kind_of(model: onnx.ModelProto) -> str:
    """Whose bounds hold."""
    if any(node.op_type in ("QuantizeLinear", "DynamicQuantizeLinear") for node in model.graph.node):
        return "quantized"
    halves = any(i.type.tensor_type.elem_type == onnx.TensorProto.FLOAT16 for i in model.graph.input)
    return "float16" if halves else "float32"


def inputs_of(path: Path, model: onnx.ModelProto) -> dict[str, np.ndarray]:
    """Drawn inputs."""
    values = random_inputs(model)
    pixels = next((p for name, p in PIXELS.items() if path.name.startswith(name)), None)
    if pixels:
        scale, mean, std = pixels
        rng = np.random.default_rng(1)
        values = {
            name: ((rng.integers(0, 256, v.shape) * scale - mean) / std).astype(v.dtype) if v.ndim == 4 else v
            for name, v in values.items()
        }
    return values


def session_of(path: Path) -> onnxruntime.InferenceSession:
    """A session of onnxruntime's."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    try:
        return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as failure:
        raise Skipped(f"onnxruntime: {str(failure).splitlines()[0][:120]}") from failure


def ours(rene: Path, path: Path, data: Path, scratch: Path, batch: int) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """The outputs by `rene run`, and what it says."""
    written = scratch / "out.npz"
    outcome = run(
        [rene, "run", path, "--data", data, "--output", written, "--overwrite", "--batch-size", batch, "--json"]
    )
    if "[execution.unsupported]" in outcome.error:
        raise Skipped(f"rene: {outcome.complaint}")
    if outcome.status != 0:
        raise RuntimeError(f"status {outcome.status}: {outcome.complaint}")
    with np.load(written) as arrays:
        return {name: arrays[name] for name in arrays.files}, json.loads(outcome.output)


def compare(rene: Path, path: Path, scratch: Path) -> tuple[list[Any], str | None]:
    """The table's row for drawn inputs, and the problem, if there is one."""
    model = onnx.load(path)
    kind = kind_of(model)
    session = session_of(path)
    inputs = inputs_of(path, model)
    try:
        expected = session.run(None, inputs)
    except Exception as failure:
        raise Skipped(f"onnxruntime: {str(failure).splitlines()[0][:120]}") from failure
    np.savez(scratch / "in.npz", **inputs)
    found, said = ours(rene, path, scratch / "in.npz", scratch, 1 << 20)
    problems, worst = [], 0.0
    for output, value in zip(session.get_outputs(), expected):
        if output.name not in found:
            problems.append(f"no output {output.name}")
            continue
        worst = max(worst, relative_error([value], [found[output.name]]))
    if not worst <= BOUNDS[kind][0]:
        problems.append(f"outputs differ by {worst:.2e}")
    shapes = " ".join("x".join(map(str, v.shape)) for v in inputs.values())
    return [path.stem, shapes[:34], kind, f"{worst:.1e}", f"{said['seconds']:.2f}"], "; ".join(problems) or None


def stated_top1(folder: Path) -> dict[str, float]:
    """Percentages of the column `test2k` in the folder's README, by the files' names."""
    try:
        lines = (folder / "README.md").read_text().splitlines()
    except OSError:
        return {}
    found, column = {}, None
    for line in lines:
        cells = [cell.strip() for cell in line.strip("| ").split("|")]
        if cells[0] == "file":
            column = cells.index("test2k") if "test2k" in cells else None
        elif column is not None and len(cells) > column and re.fullmatch(r"[0-9.]+", cells[column]):
            found[Path(cells[0].split(",")[0]).name] = float(cells[column])
    return found


def classify(
    rene: Path, path: Path, data: Path, stated: float | None, scratch: Path
) -> tuple[list[Any], str | None] | None:
    """The row for labelled images; `None` where the model does not take them."""
    images, labels = labelled(data)
    model = onnx.load(path)
    inputs = real_inputs(model.graph)
    extents = [[d.dim_value for d in i.type.tensor_type.shape.dim] for i in inputs]
    if len(inputs) != 1 or extents[0][1:] != list(images.shape[1:]):
        return None
    kind = kind_of(model)
    session = session_of(path)
    name = inputs[0].name
    expected = np.concatenate(
        [
            session.run(None, {name: normalized(session, images[start : start + 100])})[0]
            for start in range(0, len(images), 100)
        ]
    )
    found, said = ours(rene, path, data, scratch, 100)
    scores = found[session.get_outputs()[0].name]
    problems = []
    if scores.shape != expected.shape:
        return [path.stem, data.name, kind, "", ""], f"{scores.shape} scores, not {expected.shape}"
    other = int((scores.argmax(1) != expected.argmax(1)).sum())
    top1 = 100 * float((scores.argmax(1) == labels).mean())
    _, share, points = BOUNDS[kind]
    if other > share * len(images):
        problems.append(f"{other} of {len(images)} images are classed otherwise")
    if stated is not None and not abs(top1 - stated) <= points:
        problems.append(f"top-1 {top1:.2f}, stated is {stated:.2f}")
    label = f"{data.name}: {len(images) - other}/{len(images)}, {top1:.2f} %"
    return [path.stem, label, kind, "", f"{said['seconds']:.2f}"], "; ".join(problems) or None


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("rene", type=Path)
    parser.add_argument("folders", type=Path, nargs="+")
    parser.add_argument("--only", default="", help="models whose path contains this")
    parser.add_argument("--quiet", action="store_true")
    arguments = parser.parse_args()
    tally = Tally([("model", 28), ("inputs", 34), ("kind", 9), ("error", 8), ("s", 6)], quiet=arguments.quiet)
    skipped: list[str] = []

    def add(path: Path, work: Any) -> None:
        try:
            row = work()
            if row is not None:
                tally.add(*row)
        except Skipped as reason:
            skipped.append(f"{path.stem}: {reason}")
        except Exception as failure:
            tally.add([path.stem, "", "", "", ""], f"{type(failure).__name__}: {str(failure)[:300]}")

    with tempfile.TemporaryDirectory(prefix="rene-execution-") as name:
        scratch = Path(name)
        for folder in arguments.folders:
            stated = stated_top1(folder)
            data = [folder / images for images in IMAGES if (folder / images).exists()]
            for path in [folder] if folder.is_file() else sorted(folder.rglob("*.onnx")):
                if arguments.only not in str(path):
                    continue
                before = len(skipped)
                add(path, lambda path=path: compare(arguments.rene, path, scratch))
                if len(skipped) > before:
                    continue
                for images in data:
                    add(
                        path,
                        lambda path=path, images=images: classify(
                            arguments.rene, path, images, stated.get(path.name), scratch
                        ),
                    )
    for line in skipped:
        print(f"not compared: {line}")
    tally.finish()


if __name__ == "__main__":
    sys.exit(main())
