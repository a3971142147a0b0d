"""One preprocessing for training, export and every engine, described by the model's metadata."""

from __future__ import annotations

from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from control.errors import InputError

Image = NDArray[np.uint8]
_INTERPOLATION = {"area": cv2.INTER_AREA, "linear": cv2.INTER_LINEAR}


def squash(image: Image, *, size: int, resize: Literal["area", "linear"]) -> Image:
    """(H, W, 3) uint8 of any size -> (size, size, 3), contiguous; the aspect is squashed, as JetBot does.

    Raises InputError when the array is not such a picture.
    """
    if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8 or image.size == 0:
        raise InputError(f"expected a (height, width, 3) uint8 picture, got {image.dtype} of shape {image.shape}")
    if image.shape[:2] == (size, size):
        return np.ascontiguousarray(image)
    # INTER_AREA blurs nothing away when it enlarges: OpenCV then falls back to a nearest-like pattern.
    enlarging = image.shape[0] < size or image.shape[1] < size
    method = cv2.INTER_LINEAR if enlarging else _INTERPOLATION[resize]
    return np.asarray(cv2.resize(image, (size, size), interpolation=method), dtype=np.uint8)


def normalise(
    frames: Image,
    *,
    channel_order: Literal["rgb", "bgr"],
    mean: tuple[float, float, float],
    std: tuple[float, float, float],
) -> NDArray[np.float32]:
    """(N, S, S, 3) uint8 BGR -> (N, 3, S, S) float32 as the network was trained on."""
    ordered = frames if channel_order == "bgr" else frames[..., ::-1]
    scaled = ordered.astype(np.float32) / np.float32(255.0)
    shifted = (scaled - np.array(mean, dtype=np.float32)) / np.array(std, dtype=np.float32)
    return np.ascontiguousarray(shifted.transpose(0, 3, 1, 2), dtype=np.float32)
