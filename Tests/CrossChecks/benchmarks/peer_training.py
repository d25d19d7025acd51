#!/usr/bin/env python3
"""Trains ResNet-20, dense or factorized, by PyTorch: the peer of the executor's training.

usage: peer_training.py --form dense|tt|cp --models FOLDER [--batch 128] [--steps 20] [--threads 2]
                        [--layout channels_last|contiguous] [--reference FILE.npz | --runs N [--ours COMMAND]]

Steps are forward pass, mean cross-entropy, backward pass and SGD with momentum 0.9, in float32 with BatchNormalization
in training mode, on one random batch. The network and its weights are those of FOLDER/FORM.onnx, which
training_models.py writes. Prints JSON: the median and least seconds of a step after three to warm up, images/s,
GFLOP/s, the losses of all steps, and the largest resident set of the process with what PyTorch takes of it.

FLOPs are two for each multiplication of a convolution or matrix product: once forward, once for the gradient of the
weights and once for that of the input, which the first layer does not need.

--runs takes turns between processes of PyTorch and of COMMAND, as bench.py does, and prints medians of both. COMMAND is
called with `--model FILE --batch N --steps N --threads N` and has to print JSON with `seconds`, the median of a step.

--reference does one pass over 16 images in double precision and writes x, y, logits, loss, the gradient of each
parameter as grad/NAME and the running statistics after the pass as after/NAME. `deviation` is the largest relative
deviation (by Frobenius norms) of one of the gradients when PyTorch works in single precision, in either layout. A value
that rounding takes to the other side of a ReLU makes it 1e-3 or 1e-2; the images are the first, by their seed, with
which that happens in neither.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from onnx import numpy_helper
from torch import nn
from torch.nn import functional

WARM_UP = 3
RATE = 0.01
SMOOTH = 5e-5
Weights = dict[str, torch.Tensor]


def convolution(weights: Weights, name: str, stride: int = 1) -> nn.Module:
    """A 3×3 convolution, or the chain that stands in its place."""
    if f"{name}.weight" in weights:
        out, channels, *_ = weights[f"{name}.weight"].shape
        return nn.Conv2d(channels, out, 3, stride, padding=1, bias=False)
    first, middle, last = (weights[f"{name}.{place}.weight"].shape for place in range(3))
    return nn.Sequential(
        nn.Conv2d(first[1], first[0], 1, bias=False),
        nn.Conv2d(first[0], middle[0], 3, stride, padding=1, groups=first[0] // middle[1], bias=False),
        nn.Conv2d(last[1], last[0], 1, bias=False),
    )


class Block(nn.Module):
    """Two convolutions and a shortcut, which drops every other pixel and adds channels of zeros where shapes change."""

    def __init__(self, weights: Weights, name: str, channels: int, stride: int) -> None:
        super().__init__()
        self.conv1 = convolution(weights, f"{name}.conv1", stride)
        self.bn1 = nn.BatchNorm2d(channels)
        self.conv2 = convolution(weights, f"{name}.conv2")
        self.bn2 = nn.BatchNorm2d(channels)
        self.stride = stride
        self.missing = channels // 4 if stride > 1 else 0

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = functional.relu(self.bn1(self.conv1(x)), inplace=True)
        y = self.bn2(self.conv2(y))
        if self.missing:
            x = functional.pad(x[:, :, :: self.stride, :: self.stride], (0, 0, 0, 0, self.missing, self.missing))
        y += x
        return functional.relu(y, inplace=True)


class ResNet20(nn.Module):
    """The network of the file; its parameters have the names of the file's initializers."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        tensors = {t.name: numpy_helper.to_array(t) for t in onnx.load(path).graph.initializer}
        weights = {name: torch.from_numpy(value.copy()) for name, value in tensors.items() if value.dtype == np.float32}
        self.conv1 = convolution(weights, "conv1")
        self.bn1 = nn.BatchNorm2d(16)
        for index, channels in enumerate((16, 32, 64), 1):
            blocks = [
                Block(weights, f"layer{index}.{place}", channels, 2 if index > 1 and place == 0 else 1)
                for place in range(3)
            ]
            setattr(self, f"layer{index}", nn.Sequential(*blocks))
        self.linear = nn.Linear(64, 10)
        missing, unexpected = self.load_state_dict(weights, strict=False)
        wrong = [name for name in missing if not name.endswith("num_batches_tracked")] + unexpected
        if wrong:
            raise ValueError(f"{path} is no ResNet-20: {', '.join(wrong)}")

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = functional.relu(self.bn1(self.conv1(x)), inplace=True)
        x = self.layer3(self.layer2(self.layer1(x)))
        return self.linear(torch.flatten(functional.avg_pool2d(x, x.shape[3]), 1))


def batch_of(size: int, seed: int = 10) -> tuple[np.ndarray, np.ndarray]:
    """Images and labels."""
    rng = np.random.default_rng(seed)
    return rng.standard_normal((size, 3, 32, 32)).astype(np.float32), rng.integers(0, 10, size)


def operations(network: nn.Module, x: torch.Tensor) -> float:
    """FLOPs of the convolutions and matrix products of one step."""
    counts: list[int] = []

    def count(layer: nn.Module, _: Any, output: torch.Tensor) -> None:
        passes = 3 if counts else 2
        counts.append(2 * passes * layer.weight[0].numel() * output.numel())

    layers = [m for m in network.modules() if isinstance(m, nn.Conv2d | nn.Linear)]
    hooks = [layer.register_forward_hook(count) for layer in layers]
    with torch.no_grad():
        network.eval()(x[:1])
    for hook in hooks:
        hook.remove()
    network.train()
    return float(sum(counts) * len(x))


def peak() -> int:
    """Bytes of the largest resident set so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def train(arguments: argparse.Namespace) -> dict[str, Any]:
    """Times the steps."""
    torch.set_num_threads(arguments.threads)
    before = peak()
    layout = getattr(torch, f"{arguments.layout}_format" if arguments.layout == "contiguous" else arguments.layout)
    network = ResNet20(model_of(arguments)).to(memory_format=layout).train()
    optimizer = torch.optim.SGD(network.parameters(), lr=RATE, momentum=0.9)
    images, labels = batch_of(arguments.batch)
    x, y = torch.from_numpy(images).contiguous(memory_format=layout), torch.from_numpy(labels)
    flops = operations(network, x)
    seconds, losses = [], []
    for _ in range(WARM_UP + arguments.steps):
        start = time.perf_counter()
        optimizer.zero_grad(set_to_none=True)
        loss = functional.cross_entropy(network(x), y)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
        seconds.append(time.perf_counter() - start)
    median = statistics.median(seconds[WARM_UP:])
    return {
        "case": f"training {arguments.form}",
        "batch": arguments.batch,
        "threads": arguments.threads,
        "layout": arguments.layout,
        "seconds": median,
        "least_seconds": min(seconds[WARM_UP:]),
        "images_per_second": arguments.batch / median,
        "gflop_per_step": flops / 1e9,
        "gflop_per_second": flops / 1e9 / median,
        "peak_bytes": peak(),
        "peak_bytes_before": before,
        "losses": [round(value, 5) for value in losses],
        "torch": torch.__version__,
    }


def one_pass(path: Path, seed: int, kind: torch.dtype, layout: torch.memory_format) -> dict[str, np.ndarray]:
    """Loss, gradients and running statistics over 16 images."""
    network = ResNet20(path).to(kind).to(memory_format=layout).train()
    images, labels = batch_of(16, seed)
    logits = network(torch.from_numpy(images).to(kind).contiguous(memory_format=layout))
    loss = functional.cross_entropy(logits, torch.from_numpy(labels))
    loss.backward()
    found = {"x": images, "y": labels, "logits": logits.detach().numpy(), "loss": loss.detach().numpy()}
    found |= {f"grad/{name}": value.grad.numpy() for name, value in network.named_parameters()}
    found |= {f"after/{name}": value.numpy() for name, value in network.named_buffers() if "running" in name}
    return found


def deviation(found: dict[str, np.ndarray], exact: dict[str, np.ndarray]) -> tuple[float, str]:
    """The largest relative deviation of a gradient, and which."""
    return max(
        (float(np.linalg.norm(found[name] - exact[name]) / np.linalg.norm(exact[name])), name)
        for name in exact
        if name.startswith("grad/")
    )


def write_reference(arguments: argparse.Namespace) -> dict[str, Any]:
    """Writes the file of one pass, in single precision as worked out in double precision."""
    torch.set_num_threads(arguments.threads)
    path = model_of(arguments)
    for seed in range(16, 400):
        layouts = torch.contiguous_format, torch.channels_last
        exact = one_pass(path, seed, torch.float64, layouts[0])
        worst = max(deviation(one_pass(path, seed, torch.float32, layout), exact) for layout in layouts)
        if worst[0] <= SMOOTH:
            break
    else:
        raise ValueError("no batch keeps clear of the kinks of ReLU")
    rounded = {name: value.astype(np.float32) if name != "y" else value for name, value in exact.items()}
    np.savez(arguments.reference, **rounded, deviation=np.float32(worst[0]))
    return {"seed": seed, "loss": float(exact["loss"]), "deviation": worst[0], "of": worst[1]}


def take_turns(arguments: argparse.Namespace) -> dict[str, Any]:
    """Runs both sides by turns, each in processes of its own."""
    from bench import Bench

    sizes = ["--batch", arguments.batch, "--steps", arguments.steps, "--threads", arguments.threads]
    peer = [sys.executable, __file__, "--form", arguments.form, "--models", arguments.models, *sizes]
    contestants = {"pytorch": lambda _: [*peer, "--layout", arguments.layout]}
    if arguments.ours:
        contestants["rene"] = lambda _: [arguments.ours, "--model", model_of(arguments), *sizes]
    with tempfile.TemporaryDirectory() as scratch:
        bench = Bench(
            argparse.Namespace(
                rene=arguments.ours or Path(), decomposition_bench=None, cache=Path(scratch), runs=arguments.runs
            )
        )
        outcomes = bench.measure(contestants)
    result: dict[str, Any] = {"case": f"training {arguments.form}", "runs": arguments.runs}
    for name, runs in outcomes.items():
        seconds = [json.loads(o.output)["seconds"] for o in runs]
        result[name] = {
            "seconds": statistics.median(seconds),
            "least_seconds": min(seconds),
            "images_per_second": arguments.batch / statistics.median(seconds),
            "peak_bytes": statistics.median(o.peak for o in runs),
            "said": [json.loads(o.output) for o in runs],
        }
    if arguments.ours:
        result["ratio"] = result["pytorch"]["seconds"] / result["rene"]["seconds"]
    return result


def model_of(arguments: argparse.Namespace) -> Path:
    """The file to train."""
    return arguments.models / f"{arguments.form}.onnx"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--form", choices=["dense", "tt", "cp"], required=True)
    parser.add_argument("--models", type=Path, required=True, help="folder that training_models.py wrote")
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--steps", type=int, default=20, help="steps to time, after three to warm up")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--layout", choices=["channels_last", "contiguous"], default="channels_last")
    parser.add_argument("--reference", type=Path, help="write gradients for a comparison instead")
    parser.add_argument("--runs", type=int, help="take turns, that many processes for each side")
    parser.add_argument("--ours", type=Path, help="command that trains the same file")
    arguments = parser.parse_args()
    if arguments.ours and not arguments.runs:
        parser.error("--ours needs --runs")
    work = write_reference if arguments.reference else take_turns if arguments.runs else train
    print(json.dumps(work(arguments)))


if __name__ == "__main__":
    main()
