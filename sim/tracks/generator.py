"""Random closed tracks from a seed: smooth, free of self overlap, with a promised smallest radius."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from control.errors import TrackError
from sim.tracks.geometry import Track

Points = NDArray[np.float64]
_SAMPLES = 720
_LOWEST, _HIGHEST = 2, 7


def random_track(seed: int, *, min_radius_m: float = 0.4, mean_radius_m: float = 1.6) -> Track:
    """A circle whose radius swings with the angle, which therefore never meets itself.

    The swing is as strong as the smallest radius of curvature allows. Raises TrackError for impossible sizes.
    """
    if seed < 0:
        raise TrackError(f"random:{seed}: the seed must be 0 or more")
    if not 0 < min_radius_m < 0.9 * mean_radius_m:
        raise TrackError(f"random:{seed}: the smallest radius must be positive and well below {mean_radius_m:g} m")
    rng = np.random.default_rng(seed)
    orders = np.arange(_LOWEST, _HIGHEST)
    swing = rng.normal(size=len(orders)) / orders
    phase = rng.uniform(0, 2 * np.pi, len(orders))
    weakest, strongest = 0.0, 0.8 / float(np.abs(swing).sum())
    # Curvature grows with the swing, so the strongest allowed one is found by halving.
    for _ in range(20):
        middle = (weakest + strongest) / 2
        if _smallest_radius(_outline(middle * swing, phase, orders, mean_radius_m)) >= min_radius_m:
            weakest = middle
        else:
            strongest = middle
    center = _outline(weakest * swing, phase, orders, mean_radius_m)
    if rng.random() < 0.5:
        center = center[::-1].copy()
    return Track(name=f"random:{seed}", center=center, closed=True)


def _outline(swing: Points, phase: Points, orders: NDArray[np.int64], mean_radius_m: float) -> Points:
    angle = np.linspace(0, 2 * np.pi, _SAMPLES, endpoint=False)
    radius = mean_radius_m * (1 + (swing[:, None] * np.cos(orders[:, None] * angle + phase[:, None])).sum(axis=0))
    return np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1)


def _smallest_radius(center: Points) -> float:
    """Of the circles through three neighbouring points of a closed line (Menger)."""
    before, after = np.roll(center, 1, axis=0), np.roll(center, -1, axis=0)
    arrive, leave, span = center - before, after - center, after - before
    twice_area = np.abs(arrive[:, 0] * leave[:, 1] - arrive[:, 1] * leave[:, 0])
    sides = np.hypot(*arrive.T) * np.hypot(*leave.T) * np.hypot(*span.T)
    return float((sides / np.maximum(2 * twice_area, 1e-12)).min())
