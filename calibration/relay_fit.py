"""From an oscillation under a relay to what steering does at that frequency: its gain and all of its delay."""

from __future__ import annotations

from cmath import phase
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import atan, pi, sqrt

import numpy as np
from numpy.typing import NDArray

from control.errors import CalibrationError

Array = NDArray[np.float64]
_FIRST, _FEWEST = 3, 5
"""Periods that do not count, while the oscillation settles, and that are needed after."""
_UNEVEN = 0.35
"""Scatter of the periods, as a share, from which on it is no steady oscillation."""
_WRONG_GAIN = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class RelayFit:
    """Of a robot that follows a straight line at speed v with look-ahead d, taken for v/s (1 + v/(d s)) e^(-s L)."""

    period_s: float
    amplitude_rad: float
    """Of the error's first harmonic."""
    delay_s: float
    """L: from exposure to wheels, with what the motors' lag is worth at this frequency and half a frame."""
    turn_gain: float
    """How much the robot turns, of what the calibration says."""
    ultimate_gain_1pm: float
    """Curvature for a radian of error at which the loop of the experiment is just stable: 4 h / (pi a) of Astrom and
    Hagglund, by first harmonics."""
    periods: int
    delay_deviation_s: float
    """Standard deviation of the mean, from period to period."""


def fit_relay(
    times_s: Sequence[float], errors_rad: Sequence[float], curvatures_1pm: Sequence[float], *, speed_mps: float,
    look_ahead_m: float,
) -> RelayFit:  # fmt: skip
    """Errors and the curvatures that answered them. Neither noise nor hysteresis biases first harmonics.

    Raises CalibrationError.
    """
    t, e, u = (np.asarray(values, np.float64) for values in (times_s, errors_rad, curvatures_1pm))
    begins = (np.flatnonzero((u[1:] > 0) & (u[:-1] <= 0)) + 1)[_FIRST:]
    if len(begins) < _FEWEST + 1:
        raise CalibrationError(
            f"too few oscillations were seen, {max(0, len(begins) - 1)} of {_FEWEST} after the first {_FIRST}; take a "
            "longer straight line"
        )
    periods = np.diff(t[begins])
    if periods.std() > _UNEVEN * periods.mean():
        raise CalibrationError(
            "the robot does not oscillate evenly: the line is not straight, a wheel slips, or the line is seen too "
            "roughly; a larger --amplitude may help"
        )
    count = len(periods)
    omega = 2 * pi / float(periods.mean())
    whole = _harmonics(t, e, u, int(begins[0]), int(begins[-1]), cycles=count)
    lead = atan(omega * look_ahead_m / speed_mps)
    each = [
        _delay_s(*_harmonics(t, e, u, int(first), int(last), cycles=1), omega=omega, lead=lead)
        for first, last in pairwise(begins)
    ]
    expected = speed_mps / omega * sqrt(1 + (speed_mps / (look_ahead_m * omega)) ** 2)
    gain = abs(whole[0] / whole[1]) / expected
    if not 1 / _WRONG_GAIN < gain < _WRONG_GAIN:
        raise CalibrationError(
            f"the robot turns {gain:.1f} times as much as its calibration says; measure with: linepilot calibrate "
            "motors, or steering"
        )
    return RelayFit(
        period_s=float(periods.mean()), amplitude_rad=abs(whole[0]),
        delay_s=_delay_s(*whole, omega=omega, lead=lead), turn_gain=gain,
        ultimate_gain_1pm=abs(whole[1] / whole[0]), periods=count,
        delay_deviation_s=float(np.std(each) / sqrt(count)),
    )  # fmt: skip


def _delay_s(error: complex, curvature: complex, *, omega: float, lead: float) -> float:
    """A turn to the left makes the error smaller, so that the response is negative: it leads by half a turn more."""
    late = (lead - pi - phase(-error / curvature)) % (2 * pi)
    return (late if late < 1.5 * pi else late - 2 * pi) / omega


def _harmonics(t: Array, e: Array, u: Array, first: int, last: int, *, cycles: int) -> tuple[complex, complex]:
    """First harmonics of error and curvature between two switches, ``cycles`` periods apart."""
    inside = slice(first, last)
    turn = np.exp(-2j * np.pi * cycles * (t[inside] - t[first]) / (t[last] - t[first])) * 2 / (last - first)
    return complex((e[inside] - e[inside].mean()) @ turn), complex((u[inside] - u[inside].mean()) @ turn)
