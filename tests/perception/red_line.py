"""A network small enough for tests that really sees something: red on grey. And pictures for it."""

from __future__ import annotations

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from perception.metadata import ModelMetadata

Image = NDArray[np.uint8]
GRID = 14
ROWS = tuple((2 * i + 1) / GRID - 1 for i in range(GRID - 1, 1, -1))
METADATA = ModelMetadata(
    kind="rows", size=112, targets=("line", "lane"), rows=ROWS, bins=2 * GRID, x_range=1 - 1 / (2 * GRID)
)


class RedLineNet(nn.Module):
    """Answers like the real network: column logits grow with red less blue; the lane is the mirrored line."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(3, 4, 7, stride=2, padding=3, bias=False)
        self.pool = nn.AvgPool2d((4, 2))
        self.last = nn.Conv2d(4, 1, 1)
        with torch.no_grad():
            self.first.weight.zero_()
            self.first.weight[0, 0], self.first.weight[0, 2] = 1 / 49, -1 / 49
            self.last.weight.zero_()
            self.last.weight[0, 0] = 8.0
            self.last.bias.zero_()

    def forward(self, images: Tensor) -> Tensor:
        columns = self.last(self.pool(torch.relu(self.first(images)))).flip(2)[:, :, :12]
        both = torch.cat([columns, columns.flip(3)], dim=1)
        return torch.cat([both, both.amax(dim=3, keepdim=True) - 6.0], dim=3)


def picture(x: float | None, *, width: int = 224, height: int = 224, seed: int = 0) -> Image:
    """A grey, noisy floor with an upright red line at image x (none when None)."""
    noise = np.random.default_rng(seed).integers(90, 110, (height, width, 1))
    floor = np.repeat(noise, 3, axis=2).astype(np.uint8)
    if x is not None:
        half = width * 0.03
        centre = (x + 1) / 2 * width - 0.5
        cv2.rectangle(floor, (round(centre - half), 0), (round(centre + half), height - 1), (30, 30, 230), -1)
    return floor


def pictures(count: int) -> list[Image]:
    return [picture(x, seed=i) for i, x in enumerate(np.linspace(-0.8, 0.8, count))]
