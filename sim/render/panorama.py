"""What stands around the floor: a wall with doors, windows and furniture, as a picture of all directions."""

from __future__ import annotations

from math import pi

import cv2
import numpy as np
from numpy.typing import NDArray

from sim.render.ground import Image

WIDTH = 1080
"""Columns for the full turn: a third of a degree each."""
_LOWEST_RAD, _HIGHEST_RAD = -0.2, pi / 2
_HEIGHT = round((_HIGHEST_RAD - _LOWEST_RAD) * WIDTH / (2 * pi))
_TILE = 90
_THINGS = 14


def paint_panorama(wall: Image, *, rng: np.random.Generator) -> Image:
    """(H, 2 * WIDTH, 4) uint8: two turns side by side, so that any heading is one slice."""
    tile = cv2.resize(wall, (_TILE, _TILE), interpolation=cv2.INTER_AREA)
    picture = np.tile(tile, (_HEIGHT // _TILE + 1, WIDTH // _TILE, 1))[:_HEIGHT].copy()
    floor_line = round(_HIGHEST_RAD * WIDTH / (2 * pi))
    for _ in range(_THINGS):
        wide, tall = int(rng.integers(6, 90)), int(rng.integers(8, 110))
        left = int(rng.integers(0, WIDTH - wide))
        bottom = floor_line - (0 if rng.random() < 0.6 else int(rng.integers(10, 80)))
        shade = rng.uniform(20, 235) + rng.uniform(-25, 25, 3)
        corner = (left + wide, max(0, bottom - tall))
        cv2.rectangle(picture, (left, bottom), corner, np.clip(shade, 0, 255).tolist(), -1)
    soft = cv2.GaussianBlur(picture, (0, 0), 1.0)
    once = cv2.cvtColor(soft, cv2.COLOR_BGR2BGRA)
    return np.asarray(np.hstack([once, once]), np.uint8)


def panorama_map(rays: NDArray[np.float64]) -> NDArray[np.float32]:
    """(..., 3) rays in the vehicle frame -> (..., 2) column and row in the panorama of a vehicle with heading 0."""
    azimuth = np.arctan2(rays[..., 1], rays[..., 0])
    elevation = np.arcsin(np.minimum(np.maximum(rays[..., 2], -1.0), 1.0))
    columns = np.minimum((pi - azimuth) * (WIDTH / (2 * pi)), WIDTH - 1.0)
    rows = (_HIGHEST_RAD - elevation) * ((_HEIGHT - 1) / (_HIGHEST_RAD - _LOWEST_RAD))
    return np.stack([columns, np.minimum(np.maximum(rows, 0.0), _HEIGHT - 1.0)], axis=-1).astype(np.float32)


def facing(panorama: Image, heading_rad: float) -> Image:
    """The turn that a vehicle of this heading has around it."""
    shift = round(-heading_rad * WIDTH / (2 * pi)) % WIDTH
    return panorama[:, shift : shift + WIDTH]
