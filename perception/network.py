"""ResNet-18 that says, for each look-ahead row, in which column the line is and whether it is there at all.

The backbone is torchvision's ``resnet18`` unchanged. The head reads stages 2 to 4 (stride 8, 16, 32) as a small
feature pyramid (Lin et al. 2017), so that columns stay columns: a global average, as in the classification network,
would throw the position away and must learn it again. Each row answers with a distribution over columns
(row anchors: Qin et al. 2020, "Ultra Fast Structure-aware Deep Lane Detection"), because the mean of two
possible lines is no line.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F  # noqa: N812 - the name everybody knows
from torch import Tensor, nn
from torchvision.models import resnet18

from perception.look_ahead import GRID, ROWS

BINS = 2 * GRID
TARGETS = ("line", "lane")
_WIDTH = 64


class LineNet(nn.Module):
    """(N, 3, S, S) normalised RGB -> (N, targets, K, BINS + 1): column logits, and last the visibility logit."""

    position: Tensor

    def __init__(self, *, imagenet: bool = False) -> None:
        super().__init__()
        backbone = resnet18(weights="IMAGENET1K_V1" if imagenet else None)
        self.stem = nn.Sequential(backbone.conv1, backbone.bn1, backbone.relu, backbone.maxpool, backbone.layer1)
        self.stage2, self.stage3, self.stage4 = backbone.layer2, backbone.layer3, backbone.layer4
        self.lateral2 = nn.Conv2d(128, _WIDTH, 1)
        self.lateral3 = nn.Conv2d(256, _WIDTH, 1)
        self.lateral4 = nn.Conv2d(512, _WIDTH, 1)
        self.context = nn.Linear(512, _WIDTH)
        self.position = nn.Parameter(torch.zeros(1, _WIDTH, GRID, GRID))
        self.smooth = nn.Sequential(
            nn.Conv2d(_WIDTH, _WIDTH, 3, padding=1, bias=False),
            nn.BatchNorm2d(_WIDTH),
            nn.ReLU(inplace=True),
            nn.Conv2d(_WIDTH, 2 * _WIDTH, 3, padding=1, bias=False),
            nn.BatchNorm2d(2 * _WIDTH),
            nn.ReLU(inplace=True),
        )
        self.columns = nn.Conv2d(2 * _WIDTH, 2 * len(TARGETS), 1)
        self.visibility = nn.Linear(512, len(TARGETS) * len(ROWS))

    def forward(self, images: Tensor) -> Tensor:
        stage2 = self.stage2(self.stem(images))
        stage3 = self.stage3(stage2)
        stage4 = self.stage4(stage3)
        pooled = stage4.mean(dim=(2, 3))
        coarse = self.lateral4(stage4) + self.context(pooled)[:, :, None, None]
        middle = self.lateral3(stage3) + F.interpolate(coarse, size=stage3.shape[2:], mode="nearest")
        fine = self.lateral2(stage2) + F.interpolate(middle, size=stage2.shape[2:], mode="nearest")
        if fine.shape[2] != GRID:
            fine = F.interpolate(fine, size=(GRID, GRID), mode="bilinear", align_corners=False)
        logits = self.columns(self.smooth(fine + self.position))
        return self._by_row(logits, pooled)

    def _by_row(self, logits: Tensor, pooled: Tensor) -> Tensor:
        """Channels (target, half) x map rows x map columns -> target x look-ahead row x column, near row first."""
        count = logits.shape[0]
        split = logits.reshape(count, len(TARGETS), 2, GRID, GRID).permute(0, 1, 3, 4, 2)
        by_row = split.reshape(count, len(TARGETS), GRID, BINS)[:, :, 2:].flip(2)
        # A row that sees no line has no column worth a logit: their sum is the evidence for visibility.
        seen = torch.logsumexp(by_row, dim=-1, keepdim=True)
        seen = seen + self.visibility(pooled).reshape(count, len(TARGETS), len(ROWS), 1)
        return torch.cat([by_row, seen], dim=-1)
