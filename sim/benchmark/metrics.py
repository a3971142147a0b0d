"""What a simulated drive is judged by. Off-line samples count with their full error, never as zero."""

from __future__ import annotations

from dataclasses import dataclass
from math import nan

import numpy as np

from sim.world import Truth


@dataclass(frozen=True, slots=True, kw_only=True)
class DriveMetrics:
    laps: int
    completed: bool
    """All laps asked for, without leaving the line by more than half the robot's width."""
    lap_time_s: float | None
    """Mean over whole laps, the first with its start from rest."""
    lateral_error_rms_m: float
    lateral_error_p95_m: float
    lateral_error_max_m: float
    off_line_s: float
    mean_speed_m_s: float
    distance_m: float
    off_line_times: int
    """How often it left the line."""
    lateral_deviation_median_m: float
    """As the AI Driving Olympics count it, but samples off the line count as just off it, not as zero."""


OFF_LINE_PENALTY_S = 2.0
"""DeepRacer's, for each time off the track."""
_NOTHING = DriveMetrics(
    laps=0, completed=False, lap_time_s=None, lateral_error_rms_m=nan, lateral_error_p95_m=nan,
    lateral_error_max_m=nan, off_line_s=0.0, mean_speed_m_s=0.0, distance_m=0.0,
    off_line_times=0, lateral_deviation_median_m=nan,
)  # fmt: skip


def measure(truths: list[Truth], *, lap_m: float, laps: int, end_m: float) -> DriveMetrics:
    """``lap_m`` is the length of a lap, ``end_m`` the distance at which the drive is complete.

    A drive ends when the robot is lost, so the errors of one that failed are of the stretch it drove.
    """
    if len(truths) < 2:
        return _NOTHING
    time = np.array([t.time_s for t in truths])
    error = np.abs([t.lateral_error_m for t in truths])
    distance = np.array([t.distance_m for t in truths])
    off = np.array([t.off_line for t in truths])
    # An open track ends short of its last point. No more marks than may have been passed: laps can be any number.
    marks = np.minimum(np.arange(1, min(laps, int(distance.max() // lap_m) + 1) + 1) * lap_m, end_m)
    passed = [float(time[np.argmax(distance >= mark)]) for mark in marks if distance.max() >= mark]
    limit_m = float(error[off].min()) if off.any() else float(error.max())
    took = float(time[-1] - time[0])
    return DriveMetrics(
        laps=len(passed),
        completed=bool(len(passed) == laps and not off.any()),
        lap_time_s=(passed[-1] - float(time[0])) / len(passed) if passed else None,
        lateral_error_rms_m=float(np.sqrt(np.mean(error**2))),
        lateral_error_p95_m=float(np.quantile(error, 0.95)),
        lateral_error_max_m=float(error.max()),
        off_line_s=float(np.diff(time, append=time[-1])[off].sum()),
        mean_speed_m_s=float(distance[-1] - distance[0]) / took if took > 0 else 0.0,
        distance_m=float(distance[-1]),
        off_line_times=int(np.count_nonzero(np.diff(off.astype(int), prepend=0) == 1)),
        lateral_deviation_median_m=float(np.median(np.minimum(error, limit_m))),
    )
