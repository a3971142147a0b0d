"""Batches of pictures as the network takes them."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from perception.metadata import IMAGENET_MEAN, IMAGENET_STD
from perception.training.pool import Batch


def to_tensors(batch: Batch, *, device: torch.device) -> tuple[Tensor, dict[str, Tensor]]:
    """Normalised pictures (N, 3, S, S), and what ``line_loss`` compares the answer with, each (N, T, K)."""
    rgb = torch.from_numpy(np.ascontiguousarray(batch.images[..., ::-1])).to(device).permute(0, 3, 1, 2)
    mean, std = (torch.tensor(three, device=device)[:, None, None] for three in (IMAGENET_MEAN, IMAGENET_STD))
    images = ((rgb.float() / 255 - mean) / std).contiguous(memory_format=torch.channels_last)
    x, visible, defined = (torch.from_numpy(part).to(device) for part in (batch.x, batch.visible, batch.defined))
    return images, {"x": x, "visible": visible, "weight": defined[:, :, None].expand_as(visible)}
