#!/usr/bin/env python3
"""The convolutions of `convolution-bench` by PyTorch: forward pass and both gradients, each as its own call, in the
faster of the two memory layouts. Prints a line of JSON for each stage."""

from __future__ import annotations

import json
import statistics
import time

import torch


def step(channels: int, side: int, layout: torch.memory_format) -> float:
    """Seconds of one step, the median of 20 after 3 to warm up."""
    generator = torch.Generator().manual_seed(1)
    x = torch.randn(128, channels, side, side, generator=generator).contiguous(memory_format=layout).requires_grad_()
    weight = torch.randn(channels, channels, 3, 3, generator=generator).contiguous(memory_format=layout).requires_grad_()
    dy = torch.randn(128, channels, side, side, generator=generator).contiguous(memory_format=layout)
    seconds = []
    for _ in range(23):
        start = time.perf_counter()
        y = torch.nn.functional.conv2d(x, weight, padding=1)
        torch.autograd.grad(y, [x, weight], dy)
        seconds.append(time.perf_counter() - start)
    return statistics.median(seconds[3:])


def main() -> None:
    for channels, side in ((16, 32), (32, 16), (64, 8)):
        best = min(step(channels, side, layout) for layout in (torch.contiguous_format, torch.channels_last))
        print(json.dumps({"case": f"{channels}x{side}", "seconds": best, "threads": torch.get_num_threads()}))


if __name__ == "__main__":
    main()
