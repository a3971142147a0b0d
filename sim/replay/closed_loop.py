"""A recorded drive again with the controller steering, and what became of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from control.errors import SessionError
from robot.drive.pilots import open_estimator
from robot.sessions.session_tick import SessionTick, Truth
from sim.benchmark.metrics import DriveMetrics, measure
from sim.benchmark.run import SimulatedDrive, end_of, simulate
from sim.replay.recorded import RecordedDrive
from sim.scene import Scene
from sim.world import Truth as WorldTruth

_SAME_PLACE_M = 0.02
_DONE_M = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Rerun:
    then: DriveMetrics
    now: DriveMetrics
    recorded: list[SessionTick]
    """Without pictures."""
    drive: SimulatedDrive
    apart_rms_m: float
    """Difference of the lateral errors at the same distance, where both were."""
    apart_max_m: float
    first_other_s: float | None
    """When the two first differed in anything, seconds from the start; None when they are the same to the bit."""


def rerun(drive: RecordedDrive, scene: Scene, *, offset_m: float = 0.0, told: Callable[[int], None]) -> Rerun:
    """In its own world, from its own start, or ``offset_m`` to the left of it.

    The world is the recorded one, also where other settings are given: only the controller changes.
    Raises SessionError, ModelError, CameraError, MotorError.
    """
    recorded = [item.tick for item in drive.ticks()]
    if recorded[0].truth is None or recorded[0].frame_index != 0:
        raise SessionError(f"{drive.path}: does not begin where its drive began, so its world cannot be driven again")
    world = scene.world(drive.recorded_config.calibration)
    if offset_m:
        world.reset(scene.seed, lateral_m=offset_m)
    laps = max(1, scene.laps)
    end_m = end_of(scene.track, laps=laps if scene.track.closed else 1)
    last = recorded[-1].truth
    finished = last is not None and last.distance_m > end_m - _DONE_M and scene.laps > 0

    def watch(so_far: SimulatedDrive) -> bool:
        told(len(so_far.ticks))
        # One that was ended by hand is driven for as long as it was.
        return finished or len(so_far.ticks) < len(recorded)

    estimator = open_estimator(drive.config)
    result = SimulatedDrive(world=world)
    try:
        simulate(world, estimator=estimator, config=drive.config, laps=laps, watch=watch, into=result)
    finally:
        estimator.close()
    then = _metrics(recorded, lap_m=scene.track.length_m, laps=laps, end_m=end_m)
    rms, largest = lateral_difference(profile_of([t.truth for t in recorded]), profile_of(result.truths))
    return Rerun(
        then=then, now=result.metrics, recorded=recorded, drive=result, apart_rms_m=rms, apart_max_m=largest,
        first_other_s=_first_other(recorded, result),
    )  # fmt: skip


def _metrics(recorded: Sequence[SessionTick], *, lap_m: float, laps: int, end_m: float) -> DriveMetrics:
    truths = [
        WorldTruth(
            time_s=tick.now_s, x=t.x, y=t.y, heading_rad=t.heading_rad, speed_mps=t.speed_mps,
            lateral_error_m=t.lateral_error_m, heading_error_rad=t.heading_error_rad, along_m=t.along_m,
            distance_m=t.distance_m, laps=0, off_line=t.off_line,
        )
        for tick in recorded
        if (t := tick.truth) is not None
    ]  # fmt: skip
    return measure(truths, lap_m=lap_m, laps=laps, end_m=end_m)


Profile = tuple[NDArray[np.float64], NDArray[np.float64]]
"""Distance along the track and lateral error, metres; the distance rises."""


def profile_of(truths: Sequence[Truth | None]) -> Profile:
    known = [truth for truth in truths if truth is not None]
    distance = np.maximum.accumulate([truth.distance_m for truth in known])
    return distance, np.array([truth.lateral_error_m for truth in known])


def lateral_difference(one: Profile, other: Profile) -> tuple[float, float]:
    """Root mean square and largest, over the stretch that both drove."""
    low, high = max(one[0][0], other[0][0]), min(one[0][-1], other[0][-1])
    if high <= low:
        return 0.0, 0.0
    along = np.arange(low, high, _SAME_PLACE_M)
    apart = np.interp(along, *one) - np.interp(along, *other)
    return float(np.sqrt(np.mean(apart**2))), float(np.abs(apart).max())


def _first_other(recorded: Sequence[SessionTick], result: SimulatedDrive) -> float | None:
    start_s = recorded[0].now_s
    for tick, now, truth in zip(recorded, result.ticks, result.truths, strict=False):
        then = tick.truth
        assert then is not None
        same = (
            (tick.now_s, tick.estimate, tick.decision, tick.verdict, tick.wheels)
            == (now.now_s, now.estimate, now.decision, now.verdict, now.wheels)
        ) and (then.x, then.y, then.heading_rad) == (truth.x, truth.y, truth.heading_rad)
        if not same:
            return tick.now_s - start_s
    if len(recorded) == len(result.ticks):
        return None
    return recorded[min(len(recorded), len(result.ticks)) - 1].now_s - start_s
