"""Least squares by Levenberg-Marquardt, with how far the answer can be trusted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from control.errors import CalibrationError

Array = NDArray[np.float64]
_ROUNDS = 60
_SETTLED = 1e-12


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Solution:
    values: Array
    residuals: Array
    covariance: Array
    """Of the values, as the scatter of the residuals says."""

    @property
    def deviations(self) -> Array:
        return np.asarray(np.sqrt(np.maximum(np.diag(self.covariance), 0.0)), np.float64)

    @property
    def rms(self) -> float:
        return float(np.sqrt(np.mean(self.residuals**2)))


def solve(residuals: Callable[[Array], Array], start: Array, *, steps: Array) -> Solution:
    """``steps`` are small changes of each value, for the slopes. Raises CalibrationError when it does not settle."""
    values, damping = np.asarray(start, np.float64).copy(), 1e-3
    now = residuals(values)
    slopes = _slopes(residuals, values, now, steps)
    for _ in range(_ROUNDS):
        square = slopes.T @ slopes
        scaled = square + damping * np.diag(np.maximum(np.diag(square), 1e-300))
        wanted = values - np.linalg.lstsq(scaled, slopes.T @ now, rcond=None)[0]
        then = residuals(wanted)
        better = float(now @ now) - float(then @ then)
        if np.isfinite(better) and better >= 0:
            values, now, damping = wanted, then, damping / 4
            if better <= _SETTLED * float(now @ now) + 1e-300:
                break
            slopes = _slopes(residuals, values, now, steps)
        else:
            damping *= 6
            if damping > 1e12:
                break
    if not (np.isfinite(values).all() and np.isfinite(now).all()):
        raise CalibrationError("the measurements fit no answer; measure again")
    return Solution(values=values, residuals=now, covariance=_covariance(slopes, now))


def _slopes(residuals: Callable[[Array], Array], values: Array, now: Array, steps: Array) -> Array:
    columns = []
    for number, step in enumerate(steps):
        moved = values.copy()
        moved[number] += step
        columns.append((residuals(moved) - now) / step)
    return np.stack(columns, axis=1)


def _covariance(slopes: Array, now: Array) -> Array:
    free = max(1, len(now) - slopes.shape[1])
    covariance: Array = np.linalg.pinv(slopes.T @ slopes) * float(now @ now) / free
    return covariance
