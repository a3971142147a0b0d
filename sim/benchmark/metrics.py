"""What a simulated drive is judged by. Off-line samples count with their full error, never as zero."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sim.world import Truth


@dataclass(frozen=True, slots=True, kw_only=True)
class DriveMetrics:
    laps: int
    completed: bool
    """All laps asked for, without leaving the line by more than half the robot's width."""
    lap_time_s: float | None
    """Mean over whole laps."""
    lateral_error_rms_m: float
    lateral_error_p95_m: float
    lateral_error_max_m: float
    off_line_s: float
    mean_speed_m_s: float
    distance_m: float


def measure(truths: list[Truth], *, lap_m: float, laps: int, end_m: float) -> DriveMetrics:
    """``lap_m`` is the length of a lap, ``end_m`` the distance at which the drive is complete."""
    if len(truths) < 2:
        return DriveMetrics(
            laps=0, completed=False, lap_time_s=None, lateral_error_rms_m=float("nan"),
            lateral_error_p95_m=float("nan"),
            lateral_error_max_m=float("nan"), off_line_s=0.0, mean_speed_m_s=0.0, distance_m=0.0,
        )  # fmt: skip
    time = np.array([t.time_s for t in truths])
    error = np.abs([t.lateral_error_m for t in truths])
    distance = np.array([t.distance_m for t in truths])
    off = np.array([t.off_line for t in truths])
    whole = int(distance.max() / lap_m + 1e-9)
    passed = [float(time[int(np.argmax(distance >= lap * lap_m))]) for lap in range(1, whole + 1)]
    took = float(time[-1] - time[0])
    return DriveMetrics(
        laps=min(whole, laps),
        completed=bool(distance[-1] >= end_m and not off.any()),
        lap_time_s=(passed[-1] - float(time[0])) / whole if whole else None,
        lateral_error_rms_m=float(np.sqrt(np.mean(error**2))),
        lateral_error_p95_m=float(np.quantile(error, 0.95)),
        lateral_error_max_m=float(error.max()),
        off_line_s=float(np.diff(time, append=time[-1])[off].sum()),
        mean_speed_m_s=float(distance[-1] - distance[0]) / took if took > 0 else 0.0,
        distance_m=float(distance[-1]),
    )
