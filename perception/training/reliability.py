"""Whether an answer's spread is its error: the spread it tells at the label's row, beside how far off it is there."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from control.messages import LineEstimate
from perception.training.contact_sheet import SEEN
from perception.training.evaluate import SetScore, read_at

Array = NDArray[np.float64]
_GROUPS, _IN_A_GROUP = 5, 5
_HALF = 112.0
"""Pixels of a 224 px wide picture in an image unit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReliabilityGroup:
    """Points of like spread. Root mean squares, pixels of a 224 px wide picture."""

    count: int
    lowest_px: float
    highest_px: float
    told_px: float
    real_px: float
    within_one: float
    """Share of the points that are off by no more than their spread."""
    within_two: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Reliability:
    groups: tuple[ReliabilityGroup, ...]
    """From the surest, of as many points each."""
    factor: float
    """By which all spreads would be multiplied to make these errors most likely, if they were normal: the root mean
    square of error over spread (Levi et al. 2022, "Evaluating and calibrating uncertainty prediction in regression").
    """
    seen: ReliabilityGroup | None
    unseen: ReliabilityGroup | None
    """Points whose row was said to show the line, or not to show it. None without any."""


def told_at(estimate: LineEstimate, y: float) -> tuple[float, float] | None:
    """Spread, in image units, and visibility at image row ``y``; None when the answer tells no spread."""
    ordered = read_at(estimate)
    if not any(p.spread for p in ordered):
        return None
    rows = sorted(estimate.points, key=lambda p: p.y)
    spread = float(np.interp(y, [p.y for p in ordered], [p.spread for p in ordered]))
    return spread, float(np.interp(y, [p.y for p in rows], [p.visible for p in rows]))


def reliability(score: SetScore) -> Reliability | None:
    """None with fewer labelled points than make a group, or when the answers tell no spread."""
    told, real, visible = [], [], []
    for frame in score.frames:
        found = told_at(frame.estimate, frame.label.y) if frame.label else None
        if found is None or frame.label is None or frame.x is None:
            continue
        told.append(found[0] * _HALF)
        visible.append(found[1])
        real.append(abs(frame.x - frame.label.x) * _HALF)
    if len(told) < _IN_A_GROUP:
        return None
    spread, error, seen = np.maximum(told, 1e-3), np.array(real), np.array(visible) >= SEEN
    count = max(1, min(_GROUPS, len(spread) // _IN_A_GROUP))
    groups = np.array_split(np.argsort(spread, kind="stable"), count)
    return Reliability(
        groups=tuple(_group(spread[g], error[g]) for g in groups),
        factor=float(np.sqrt(np.mean(np.square(error / spread)))),
        seen=_group(spread[seen], error[seen]) if seen.any() else None,
        unseen=_group(spread[~seen], error[~seen]) if not seen.all() else None,
    )


def _group(spread: Array, error: Array) -> ReliabilityGroup:
    return ReliabilityGroup(
        count=len(spread), lowest_px=float(spread.min()), highest_px=float(spread.max()),
        told_px=float(np.sqrt(np.mean(spread**2))), real_px=float(np.sqrt(np.mean(error**2))),
        within_one=float((error <= spread).mean()), within_two=float((error <= 2 * spread).mean()),
    )  # fmt: skip
