"""How much a drive steers: a robot that wobbles about the line on which it is exact is not driven well."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from control.messages import SafetyState
from robot.drive.tick import Tick


def curvature_rate_rms(ticks: Sequence[Tick]) -> float:
    """Root mean square of the change of the curvature that was asked for, 1/m a second, while it drove."""
    driving = [tick for tick in ticks if tick.verdict.state in (SafetyState.ARMED, SafetyState.RAMPING)]
    if len(driving) < 2:
        return 0.0
    curvature = np.diff([tick.verdict.command.curvature_1pm for tick in driving])
    times = np.maximum(np.diff([tick.now_s for tick in driving]), 1e-3)
    return float(np.sqrt(np.sum(curvature**2 / times) / times.sum()))
