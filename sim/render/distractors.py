"""Lines that are not the one to follow, all along a track: forks that leave it and lines that cross it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from sim.render.appearance import LineStyle
from sim.render.ground import Mark, headings

Points = NDArray[np.float64]
_STEP_M = 0.01
_STRAIGHT_M, _STRAIGHT_RAD = 0.5, 0.1
"""A fork leaves where the line goes straightest for so long: only there is it told which branch is the line. Where it
turns nevertheless, the fork bends to the other side."""
_LONELY_M = 0.5
_OWN_M, _APART_M = 0.35, 0.15
"""A stray line ends where, further than this from its start, it comes so near to the path again."""


def forks_and_crossings(path: Points, style: LineStyle, *, per_10_m: float, rng: np.random.Generator) -> list[Mark]:
    """Marks of the followed line's own paint beside (N, 2) points of a path, which are a centimetre apart."""
    alone = replace(style, offset_m=0.0)
    count = round(per_10_m * (len(path) - 1) * _STEP_M / 10)
    bends = np.where(_is_alone(path), _bends(path), np.inf)
    marks: list[Mark] = []
    for number in range(count):
        first, last = ((np.array([number, number + 1]) + 0.2) / count * (len(path) - 2)).astype(int)
        last = min(last, len(path) - 2)
        if number % 2 == 0:
            at = first + int(np.abs(bends[first:last]).argmin())
            side = float(rng.choice([-1, 1])) if abs(bends[at]) < _STRAIGHT_RAD else -float(np.sign(bends[at]))
            marks.extend(_fork(path, at, alone, side, rng) if np.isfinite(bends[at]) else [])
        else:
            marks.extend(_across(path, int(rng.integers(first, last)), alone, rng))
    return marks


def _is_alone(path: Points) -> NDArray[np.bool_]:
    """(N,) no other stretch of the path comes near: a crossing is hard enough without a fork."""
    every = round(0.1 / _STEP_M)
    coarse = path[::every]
    gap = coarse[:, None] - coarse
    near = np.einsum("ijk,ijk->ij", gap, gap) < _LONELY_M**2
    apart = np.abs(np.arange(len(coarse))[:, None] - np.arange(len(coarse)))
    # Counted also over the seam of a closed path.
    apart = np.minimum(apart, len(coarse) - apart)
    crowded = (near & (apart * 0.1 > 2 * _LONELY_M)).any(axis=1)
    return np.asarray(~crowded[np.arange(len(path)) // every])


def _bends(path: Points) -> Points:
    """(N,) how far the path turns over the next stretch, rad; the last of it cannot be known and counts as a turn."""
    tangents = headings(path)
    ahead = min(round(_STRAIGHT_M / _STEP_M), len(path) - 1)
    now, then = tangents[:-ahead], tangents[ahead:]
    turned = np.arctan2(now[:, 0] * then[:, 1] - now[:, 1] * then[:, 0], (now * then).sum(axis=1))
    return np.concatenate([turned, np.full(ahead, np.pi)])


def _fork(path: Points, at: int, style: LineStyle, side: float, rng: np.random.Generator) -> list[Mark]:
    """A branch that leaves along the line and bends to its ``side``: 1 is left."""
    tangent = path[at + 1] - path[at]
    bend = side / float(rng.uniform(0.3, 0.6))
    steps = int(rng.uniform(0.5, 0.9) / _STEP_M)
    heading = np.arctan2(tangent[1], tangent[0]) + np.arange(steps) * bend * _STEP_M
    walked = path[at] + np.cumsum(np.stack([np.cos(heading), np.sin(heading)], axis=1) * _STEP_M, axis=0)
    return _marks(walked, path, style)


def _across(path: Points, at: int, style: LineStyle, rng: np.random.Generator) -> list[Mark]:
    """A straight line over the path, nearly square to it."""
    tangent = path[at + 1] - path[at]
    angle = float(np.arctan2(tangent[1], tangent[0]) + rng.uniform(np.pi / 3, 2 * np.pi / 3))
    marks: list[Mark] = []
    for way in (-1.0, 1.0):
        reach = np.arange(0.0, float(rng.uniform(0.25, 0.7)), _STEP_M)[:, None]
        marks.extend(_marks(path[at] + way * reach * (np.cos(angle), np.sin(angle)), path, style))
    return marks


def _marks(walked: Points, path: Points, style: LineStyle) -> list[Mark]:
    own = round(_OWN_M / _STEP_M)
    gap = walked[own:, None] - path[:: round(0.04 / _STEP_M)]
    meets = (np.einsum("ijk,ijk->ij", gap, gap) < _APART_M**2).any(axis=1)
    end = own + int(meets.argmax()) if meets.any() else len(walked)
    return style.marks(walked[:end]) if end > 2 else []
