#!/usr/bin/env python3
"""Trains the two sample models that the program carries, on scikit-learn's digits, and writes them as ONNX.

usage: train-samples.py [--output DIR] [--only cnn|vit]

Writes cnn.onnx, vit.onnx and digits-test.npz (540 labelled test images). Needs torch, scikit-learn, numpy, onnx and
onnxruntime (`Scripts/bootstrap --bench`). Same seeds, library versions and processor: same files.

Both networks are larger than the task needs, and after a third of the training the tails of their weights' spectra
are damped after each epoch: they have the decaying spectra that nets of real size get by long training.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np
import onnxruntime
import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import Tensor, nn

sys.path.insert(0, str(Path(__file__).resolve().parent / "samples"))
from graphs import cnn_model, vit_model  # noqa: E402
from networks import DigitsCNN, DigitsViT, low_rank_weights  # noqa: E402

REPOSITORY = Path(__file__).resolve().parent.parent
TEST_IMAGES = 540
SCALE = 1 / 16  # pixel values are 0…16


class TailDamping:
    """Damps the small singular values of each weight's channel unfoldings. The number that is left alone is set once
    for each unfolding: as many as hold `energy` of the squares when damping starts."""

    def __init__(self, energy: float) -> None:
        self.energy = energy
        self.ranks: dict[tuple[int, int], int] = {}

    def apply(self, weights: list[Tensor]) -> None:
        """One pass over the weights, in place."""
        for index, weight in enumerate(weights):
            for axis in range(2 if weight.dim() > 2 else 1):
                moved = weight.detach().movedim(axis, 0)
                u, s, vt = torch.linalg.svd(moved.reshape(moved.shape[0], -1), full_matrices=False)
                share = torch.cumsum(s**2, 0) / torch.sum(s**2)
                rank = self.ranks.setdefault((index, axis), int((share < self.energy).sum()) + 1)
                s[rank:] *= 0.25
                with torch.no_grad():
                    weight.copy_(((u * s) @ vt).reshape(moved.shape).movedim(0, axis))


def jitter(images: Tensor, generator: torch.Generator) -> Tensor:
    """Shifts each image by up to one pixel in each direction."""
    padded = nn.functional.pad(images, (1, 1, 1, 1))
    shifts = torch.randint(0, 3, (len(images), 2), generator=generator)
    return torch.stack([p[:, dy : dy + 8, dx : dx + 8] for p, (dy, dx) in zip(padded, shifts.tolist())])


def train(net: nn.Module, x: Tensor, y: Tensor, epochs: int, rate: float, energy: float) -> None:
    """Adam with a cosine schedule; after a third of them the spectra's tails are damped after each."""
    damping, weights = TailDamping(energy), list(low_rank_weights(net))
    generator = torch.Generator().manual_seed(1)
    optimizer = torch.optim.AdamW(net.parameters(), lr=rate, weight_decay=1e-3)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, epochs)
    for epoch in range(epochs):
        net.train()
        for batch in torch.randperm(len(x), generator=generator).split(64):
            loss = nn.functional.cross_entropy(net(jitter(x[batch], generator)), y[batch], label_smoothing=0.05)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        schedule.step()
        if epoch >= epochs // 3:
            damping.apply(weights)
    net.eval()


def top1(model: bytes, x: np.ndarray, y: np.ndarray) -> float:
    """Share of images that onnxruntime classifies as labelled, in percent."""
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    scores = session.run(None, {session.get_inputs()[0].name: x})[0]
    return 100 * float((scores.argmax(1) == y).mean())


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", type=Path, default=REPOSITORY / "Sources/rene/Samples")
    parser.add_argument("--only", choices=["cnn", "vit"])
    arguments = parser.parse_args()
    torch.use_deterministic_algorithms(True)
    torch.set_num_threads(1)

    digits = load_digits()
    images = digits.images.astype(np.uint8)[:, None]
    train_x, test_x, train_y, test_y = train_test_split(
        images, digits.target.astype(np.int64), test_size=TEST_IMAGES, random_state=0, stratify=digits.target
    )
    arguments.output.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(arguments.output / "digits-test.npz", x=test_x, y=test_y)

    x = torch.from_numpy(train_x.astype(np.float32) * np.float32(SCALE))
    y = torch.from_numpy(train_y)
    held_out = test_x.astype(np.float32) * np.float32(SCALE)
    recipes = {
        "cnn": (DigitsCNN, cnn_model, dict(epochs=40, rate=2e-3, energy=0.6)),
        "vit": (DigitsViT, vit_model, dict(epochs=160, rate=1e-3, energy=0.7)),
    }
    status = 0
    for name, (network, export, recipe) in recipes.items():
        if arguments.only not in (None, name):
            continue
        torch.manual_seed(0)
        net = network()
        train(net, x, y, **recipe)
        model = export(net.state_dict()).SerializeToString(deterministic=True)
        with torch.no_grad():
            expected = net(torch.from_numpy(held_out)).numpy()
        session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
        difference = np.abs(session.run(None, {"image": held_out})[0] - expected).max()
        accuracy = top1(model, held_out, test_y)
        print(
            f"{name}: {len(model):,} bytes, top-1 {accuracy:.2f} % of {len(test_y)} test images, "
            f"largest difference from torch {difference:.1e}"
        )
        if accuracy < 97 or difference > 1e-3:
            print(f"{name}: not written; at least 97 % and at most 1e-3 are expected", file=sys.stderr)
            status = 1
            continue
        (arguments.output / f"{name}.onnx").write_bytes(model)
    return status


if __name__ == "__main__":
    sys.exit(main())
