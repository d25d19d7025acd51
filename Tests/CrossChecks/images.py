"""Labelled images for a classifier: reading, normalization as a model's metadata says, top-1."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import onnxruntime


def labelled(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """`x` and `y` of an .npz file."""
    with np.load(path) as data:
        return data["x"], data["y"]


def normalized(session: onnxruntime.InferenceSession, images: np.ndarray) -> np.ndarray:
    """`(x · scale − mean) / std` by the model's metadata_props, in the type of the model's input."""
    said = session.get_modelmeta().custom_metadata_map

    def per_channel(key: str, default: str) -> np.ndarray:
        return np.array([float(v) for v in said.get(key, default).split(",")], np.float32).reshape(1, -1, 1, 1)

    kind = {"tensor(float)": np.float32, "tensor(float16)": np.float16}[session.get_inputs()[0].type]
    scale = np.float32(Fraction(said.get("scale", "1")))
    return ((images * scale - per_channel("mean", "0")) / per_channel("std", "1")).astype(kind)


def top1(model: Path, images: np.ndarray, labels: np.ndarray, batch: int = 250) -> float:
    """Percentage of images that the model classifies as labelled, in onnxruntime."""
    session = onnxruntime.InferenceSession(str(model), providers=["CPUExecutionProvider"])
    name, right = session.get_inputs()[0].name, 0
    for start in range(0, len(labels), batch):
        scores = session.run(None, {name: normalized(session, images[start : start + batch])})[0]
        right += int((scores.argmax(1) == labels[start : start + batch]).sum())
    return 100 * right / len(labels)
