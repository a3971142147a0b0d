"""Batches of pictures as the network takes them."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from perception.metadata import IMAGENET_MEAN, IMAGENET_STD
from perception.training.pool import Batch


def to_tensors(batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
    """Normalised pictures (N, 3, S, S), and what ``line_loss`` compares the answer with, each (N, T, K)."""
    rgb = torch.from_numpy(np.ascontiguousarray(batch.images[..., ::-1])).permute(0, 3, 1, 2)
    mean, std = torch.tensor(IMAGENET_MEAN)[:, None, None], torch.tensor(IMAGENET_STD)[:, None, None]
    images = ((rgb.float() / 255 - mean) / std).contiguous(memory_format=torch.channels_last)
    visible = torch.from_numpy(batch.visible)
    weight = torch.from_numpy(batch.defined)[:, :, None].expand_as(visible)
    return images, {"x": torch.from_numpy(batch.x), "visible": visible, "weight": weight}
