"""Soft shadows of upright things, painted on the floor bitmap once: a lamp does not move."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from sim.render.ground import Ground, fill_mask
from sim.render.solids import Solid

Points = NDArray[np.float64]
_STRENGTH = 0.5
"""Share of the light that is missing in full shadow."""
_SOFT_M, _SOFT_A_METRE = 0.012, 0.05
"""Half width of an edge on the floor, and how it grows with the height of what throws it."""
_REACH = 3.0
"""Half widths after which an edge has faded."""


def cast_shadow(ground: Ground, solids: tuple[Solid, ...], *, away: Points) -> None:
    """In place. ``away`` (2,) is how far the shadow of a point one metre high falls from under it, metres."""
    hulls = [_hull(solid, away) for solid in solids]
    softness = [_softness_px(solid, ground) for solid in solids]
    margin = _REACH * max(softness) + 1
    pixels = ground.to_pixels(np.concatenate(hulls))
    last = np.array(ground.image.shape[1::-1]) - 1
    # Only whole pixels of the bitmap: a thing may stand beyond its edge.
    left, top = np.clip(np.floor(pixels.min(axis=0) - margin), 0, last).astype(int)
    right, bottom = np.clip(np.ceil(pixels.max(axis=0) + margin), 0, last).astype(int) + 1
    shade = np.zeros((bottom - top, right - left), np.uint8)
    for hull, soft in zip(hulls, softness, strict=True):
        mask = np.zeros_like(shade)
        fill_mask(mask, [hull], lambda points: ground.to_pixels(points) - (left, top))
        np.maximum(shade, cv2.GaussianBlur(mask, (0, 0), soft), out=shade)
    part = ground.image[top:bottom, left:right]
    light = 1.0 - shade.astype(np.float32) * (_STRENGTH / 255)
    part[:] = part * light[..., None]


def _hull(solid: Solid, away: Points) -> Points:
    """Outline on the floor of the light that the solid takes."""
    corners = np.concatenate([solid.bottom + away * solid.low_m, solid.top + away * solid.high_m])
    hull: Points = cv2.convexHull(corners.astype(np.float32))[:, 0].astype(np.float64)
    return hull


def _softness_px(solid: Solid, ground: Ground) -> float:
    return (_SOFT_M + _SOFT_A_METRE * (solid.low_m + solid.high_m) / 2) / ground.metres_per_pixel
