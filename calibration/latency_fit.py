"""From recorded drives to the delay from exposure to wheels and the motors' lag.

A drive along a line excites less than the trials that measure motors: what it hardly tells, such as the dead zone, is
held near what is believed, so that the two times are found all the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from calibration.least_squares import Solution, solve
from calibration.motor_fit import DELAYS_S, NAMES, misfit, start_at
from calibration.profile import Calibration, Latency
from calibration.rolling import Order, Step, fitted
from control.errors import CalibrationError

Array = NDArray[np.float64]
_BELIEF = np.array([0.15, 0.15, 0.02, 0.05, 10.0, 0.01, 0.02, 0.05])
"""How far off a belief may be, in the order of NAMES, speeds as a share; the delay is free, the lag nearly so."""
_NOISE_M = 3e-4
"""Of one residual: what a belief weighs against."""
_DELAY, _LAG = NAMES.index("delay_s"), NAMES.index("lag_s")
_WORST_DEVIATION_S = 0.008


@dataclass(frozen=True, slots=True, kw_only=True)
class LatencyFit:
    delay_s: float
    """From the order to the wheels and from the exposure to the picture's arrival, together."""
    lag_s: float
    waited_s: float
    """Median time from a picture's arrival to its order."""
    jitter_s: float
    """From the 5th to the 95th hundredth of that time."""
    delay_deviation_s: float
    lag_deviation_s: float
    scatter_m: float
    steps: int

    @property
    def total_s(self) -> float:
        """As a drive knows it: from the exposure until the wheels answer."""
        return self.delay_s + self.waited_s

    def applied_to(self, before: Calibration) -> Calibration:
        latency = Latency(
            delay_s=self.total_s, camera_s=min(before.latency.camera_s, self.delay_s), motor_lag_s=self.lag_s
        )
        return replace(before, latency=latency)


def fit_latency(
    orders: Sequence[Order], steps: Sequence[Step], waits_s: Sequence[float], *, before: Calibration
) -> LatencyFit:
    """``waits_s``: from each picture's arrival to its order. Two driven wheels. Raises CalibrationError."""
    answer, count = fitted(lambda chosen: _solve(orders, chosen, before), steps)
    delay, lag = float(answer.values[_DELAY]), max(0.0, float(answer.values[_LAG]))
    deviations = answer.deviations
    if deviations[_DELAY] > _WORST_DEVIATION_S:
        raise CalibrationError(
            f"this drive tells its delay only to {2 * deviations[_DELAY] * 1000:.0f} ms: speed and direction hardly "
            "change; record one with curves, or measure with: linepilot calibrate motors"
        )
    if not 0 <= delay < 1.5:
        raise CalibrationError(f"the motion fits no delay ({delay:.2f} s); was the session cut together?")
    low, high = np.percentile(waits_s, (5, 95))
    return LatencyFit(
        delay_s=delay, lag_s=lag, waited_s=float(np.median(waits_s)), jitter_s=float(high - low),
        delay_deviation_s=float(deviations[_DELAY]), lag_deviation_s=float(deviations[_LAG]), scatter_m=answer.rms,
        steps=count,
    )  # fmt: skip


def _solve(orders: Sequence[Order], steps: Sequence[Step], before: Calibration) -> Solution:
    motion = misfit(orders, steps, before.mount)
    believed = start_at(before, before.latency.delay_s)
    gains = np.array([1 / before.drive.left_gain, 1 / before.drive.right_gain])
    believed[:2] *= gains
    wide = _BELIEF.copy()
    wide[:2] *= believed[:2]

    def residuals(values: Array) -> Array:
        held = (values - believed) / wide * _NOISE_M
        return np.concatenate([motion(values), held])

    best: Solution | None = None
    for delay in DELAYS_S:
        start = believed.copy()
        start[_DELAY] = delay
        answer = solve(residuals, start, steps=np.full(len(NAMES), 1e-4))
        if best is None or answer.rms < best.rms:
            best = answer
    assert best is not None
    return replace(best, residuals=best.residuals[: -len(NAMES)])
