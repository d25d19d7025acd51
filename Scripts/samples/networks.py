"""The networks behind the sample models, in torch."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor, nn

WIDTH = 64
HEADS = 4
BLOCKS = 3
MLP_WIDTH = 256
PATCH = 2
TOKENS = (8 // PATCH) ** 2


class DigitsCNN(nn.Module):
    """Four 3×3 convolutions with batch normalization, then two linear layers. `[N, 1, 8, 8]` → `[N, 10]`."""

    channels = (1, 32, 64, 64, 64)
    strides = (1, 1, 2, 1)

    def __init__(self) -> None:
        super().__init__()
        pairs = list(zip(self.channels, self.channels[1:], self.strides))
        self.conv = nn.ModuleList(nn.Conv2d(i, o, 3, stride=s, padding=1, bias=False) for i, o, s in pairs)
        self.norm = nn.ModuleList(nn.BatchNorm2d(o) for _, o, _ in pairs)
        self.hidden = nn.Linear(self.channels[-1] * 4, 128)
        self.classifier = nn.Linear(128, 10)

    def forward(self, image: Tensor) -> Tensor:
        x = image
        for conv, norm in zip(self.conv, self.norm):
            x = torch.relu(norm(conv(x)))
        x = nn.functional.max_pool2d(x, 2).flatten(1)
        return self.classifier(torch.relu(self.hidden(x)))


class Block(nn.Module):
    """One pre-normalized transformer block."""

    def __init__(self) -> None:
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(WIDTH), nn.LayerNorm(WIDTH)
        self.query, self.key, self.value, self.out = (nn.Linear(WIDTH, WIDTH) for _ in range(4))
        self.up, self.down = nn.Linear(WIDTH, MLP_WIDTH), nn.Linear(MLP_WIDTH, WIDTH)

    def forward(self, x: Tensor) -> Tensor:
        y = self.norm1(x)

        def heads(t: Tensor) -> Tensor:
            return t.reshape(-1, TOKENS, HEADS, WIDTH // HEADS).transpose(1, 2)

        q, k, v = heads(self.query(y)), heads(self.key(y)), heads(self.value(y))
        weights = torch.softmax(q @ k.transpose(2, 3) * (WIDTH // HEADS) ** -0.5, dim=-1)
        x = x + self.out((weights @ v).transpose(1, 2).reshape(-1, TOKENS, WIDTH))
        return x + self.down(nn.functional.gelu(self.up(self.norm2(x))))


class DigitsViT(nn.Module):
    """Vision transformer over 2×2 patches with mean pooling. `[N, 1, 8, 8]` → `[N, 10]`."""

    def __init__(self) -> None:
        super().__init__()
        self.embed = nn.Conv2d(1, WIDTH, PATCH, stride=PATCH)
        self.position = nn.Parameter(torch.randn(1, TOKENS, WIDTH) * 0.02)
        self.blocks = nn.ModuleList(Block() for _ in range(BLOCKS))
        self.norm = nn.LayerNorm(WIDTH)
        self.classifier = nn.Linear(WIDTH, 10)

    def forward(self, image: Tensor) -> Tensor:
        x = self.embed(image).flatten(2).transpose(1, 2) + self.position
        for block in self.blocks:
            x = block(x)
        return self.classifier(self.norm(x).mean(1))


def low_rank_weights(net: nn.Module) -> Iterator[Tensor]:
    """The weights whose spectra are damped: all but the first layer's and the classifier's."""
    for name, parameter in net.named_parameters():
        if parameter.dim() >= 2 and min(parameter.shape[:2]) >= 32 and not name.startswith(("classifier", "position")):
            yield parameter
