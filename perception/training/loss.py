"""What training minimises: where the line is, given that it is there, and whether it is there."""

from __future__ import annotations

import torch
import torch.nn.functional as F  # noqa: N812 - the name everybody knows
from torch import Tensor

from perception.network import BINS

_LABEL_WIDTH_BINS = 0.8
"""Standard deviation of the soft label: under one bin, or near lines would blur into one."""


def bin_centres(device: torch.device | None = None) -> Tensor:
    return (torch.arange(BINS, device=device, dtype=torch.float32) * 2 + 1) / BINS - 1


def line_loss(output: Tensor, *, x: Tensor, visible: Tensor, weight: Tensor) -> tuple[Tensor, dict[str, float]]:
    """Mean loss and its parts.

    ``output`` (N, T, K, BINS + 1); ``x`` (N, T, K) in [-1, 1]; ``visible`` (N, T, K) 0 or 1;
    ``weight`` (N, T, K), 0 where the label is not defined.
    """
    columns, seen = output[..., :BINS], output[..., BINS]
    centres = bin_centres(output.device)
    distance = (centres - x.unsqueeze(-1)) / (2 / BINS * _LABEL_WIDTH_BINS)
    soft = torch.softmax(-0.5 * distance.square(), dim=-1)
    where = -(soft * F.log_softmax(columns, dim=-1)).sum(-1)
    here = visible * weight
    share = here.sum().clamp_min(1.0)
    column_loss = (where * here).sum() / share
    expected = (torch.softmax(columns, dim=-1) * centres).sum(-1)
    offset_loss = (F.smooth_l1_loss(expected, x, reduction="none", beta=0.05) * here).sum() / share
    presence = F.binary_cross_entropy_with_logits(seen, visible, reduction="none")
    seen_loss = (presence * weight).sum() / weight.sum().clamp_min(1.0)
    total = column_loss + 2.0 * offset_loss + seen_loss
    return total, {
        "column": float(column_loss.detach()),
        "offset": float(offset_loss.detach()),
        "seen": float(seen_loss.detach()),
    }
