"""What stands about in the rooms where robots drive: boxes, shoes, chairs, tables, a door frame, a cable."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from sim.render.ground import Color
from sim.render.solids import Solid, block, rounded

Points = NDArray[np.float64]
Solids = tuple[Solid, ...]
DOOR_HALF_M = 0.42
"""From the middle of a door to its posts."""
_CARDBOARD: Color = (105.0, 150.0, 185.0)
_WOODS: tuple[Color, ...] = ((60.0, 95.0, 140.0), (120.0, 165.0, 200.0), (45.0, 60.0, 85.0))
_METALS: tuple[Color, ...] = ((30.0, 30.0, 32.0), (165.0, 165.0, 165.0), (225.0, 228.0, 230.0))


def _pick(colors: tuple[Color, ...], rng: np.random.Generator) -> Color:
    return colors[int(rng.integers(len(colors)))]


def _any_color(rng: np.random.Generator) -> Color:
    blue, green, red = float(rng.uniform(20, 200)) + rng.uniform(-40, 40, 3)
    return (max(float(blue), 5.0), max(float(green), 5.0), max(float(red), 5.0))


def box(rng: np.random.Generator) -> Solids:
    length, width, height = rng.uniform((0.15, 0.12, 0.08), (0.42, 0.32, 0.35)).tolist()
    color = _CARDBOARD if rng.random() < 0.6 else _any_color(rng)
    return (block((length, width, height), color=color),)


def shoes(rng: np.random.Generator) -> Solids:
    """A pair, one a little before the other."""
    color = _any_color(rng)
    pair: list[Solid] = []
    for side in (-1.0, 1.0):
        ahead, beside = float(rng.normal(0, 0.03)), side * float(rng.uniform(0.06, 0.09))
        # The toe slopes up to the ankle, which stands over the heel.
        pair.append(rounded((0.28, 0.10, 0.1), color=color, at=(ahead, beside), taper=0.45, lean=(-0.07, 0.0)))
    return tuple(pair)


def chair(rng: np.random.Generator) -> Solids:
    half, thick = float(rng.uniform(0.18, 0.22)), float(rng.uniform(0.018, 0.035))
    color = _pick((*_WOODS, *_METALS), rng)
    legs = _legs(half, half, thick=thick, high_m=0.44, spread=float(rng.uniform(0.0, 0.03)), color=color)
    seat = block((2 * half, 2 * half, 0.03), color=color, low_m=0.44)
    back = block((0.025, 2 * half, 0.35), color=color, at=(-half, 0.0), low_m=0.55)
    return (*legs, seat, back)


def table(rng: np.random.Generator) -> Solids:
    long, wide = float(rng.uniform(0.35, 0.6)), float(rng.uniform(0.28, 0.4))
    thick = float(rng.uniform(0.03, 0.06))
    legs = _legs(long, wide, thick=thick, high_m=0.71, spread=0.0, color=_pick((*_WOODS, *_METALS), rng))
    return (*legs, block((2.1 * long, 2.1 * wide, 0.025), color=_pick(_WOODS, rng), low_m=0.71))


def _legs(x: float, y: float, *, thick: float, high_m: float, spread: float, color: Color) -> Solids:
    """Four, at (±x, ±y) on the floor, leaning inwards by ``spread``."""
    return tuple(
        block((thick, thick, high_m), color=color, at=(a * x, b * y), lean=(-a * spread, -b * spread))
        for a in (-1, 1)
        for b in (-1, 1)
    )


def door_frame(rng: np.random.Generator) -> Solids:
    """Two posts and a lintel across the way."""
    color = _pick((*_WOODS, (225.0, 230.0, 232.0)), rng)
    posts = tuple(block((0.1, 0.06, 2.0), color=color, at=(0.0, side * DOOR_HALF_M)) for side in (-1, 1))
    return (*posts, block((0.1, 2 * DOOR_HALF_M + 0.06, 0.08), color=color, low_m=2.0))


def cable(rng: np.random.Generator) -> Points:
    """(N, 2) where it lies on the floor, winding about its middle."""
    heading = np.cumsum(rng.normal(0, 0.22, 60))
    walked = np.cumsum(np.stack([np.cos(heading), np.sin(heading)], axis=1) * 0.015, axis=0)
    middled: Points = walked - walked.mean(axis=0)
    return middled


STANDING: tuple[Callable[[np.random.Generator], Solids], ...] = (box, shoes, chair, table)
"""What stands beside the way."""
