"""Short drives with given gains, and what they cost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import sqrt

from robot.config import RobotConfig
from sim.benchmark.metrics import measure
from sim.benchmark.run import SimulatedDrive, simulate
from sim.tracks.library import find_track
from sim.tuning.labelled_world import LabelledWorld
from sim.vehicle.params import VehicleParams

_RUN_UP_M = 0.8
"""How a drive starts does not count."""
_SLOWEST_MPS = 0.1
_LOST_M = 0.12
"""What a drive that left the line counts as, at least."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """A stretch of one track for one robot."""

    track: str
    robot: VehicleParams
    seed: int
    metres: float = 4.0
    extra_delay_s: float = 0.0
    """Nobody knows of it: a camera or a network that is slower than it was."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Driven:
    completed: bool
    error_m: float
    """Root mean square distance from the line."""
    seconds: float
    metres: float


def drive_course(course: Course, config: RobotConfig) -> Driven:
    """With the simulator's noisy labels as eyes; ends early where the robot is lost."""
    robot = replace(course.robot, motor_delay_s=course.robot.motor_delay_s + course.extra_delay_s)
    track = find_track(course.track)
    world = LabelledWorld(track, vehicle=robot, calibration=config.calibration)
    start_m = (course.seed * 1.37) % max(1e-9, track.length_m) if track.closed else 0.0
    world.reset(course.seed, start_m=start_m)
    end_m = _RUN_UP_M + course.metres

    def worth_it(so_far: SimulatedDrive) -> bool:
        truth = so_far.truths[-1]
        return truth.distance_m < end_m and not truth.off_line and truth.time_s < end_m / _SLOWEST_MPS

    drive = simulate(world, estimator=world, config=config, watch=worth_it, laps=9)
    counted = [truth for truth in drive.truths if truth.distance_m >= _RUN_UP_M]
    if len(counted) < 2:
        return Driven(completed=False, error_m=_LOST_M, seconds=0.0, metres=0.0)
    metrics = measure(counted, lap_m=end_m, laps=1, end_m=end_m)
    took, metres = counted[-1].time_s - counted[0].time_s, counted[-1].distance_m - counted[0].distance_m
    completed = counted[-1].distance_m >= end_m and not counted[-1].off_line
    error = metrics.lateral_error_rms_m if completed else max(_LOST_M, metrics.lateral_error_rms_m)
    return Driven(completed=completed, error_m=error, seconds=took, metres=metres)


@dataclass(frozen=True, slots=True, kw_only=True)
class Together:
    """Several drives as one."""

    completed: bool
    error_m: float
    speed_mps: float


def together(drives: Sequence[Driven]) -> Together:
    """Every drive counts the same, so that no robot's trouble hides behind the others' ease."""
    error = sqrt(sum(d.error_m**2 for d in drives) / len(drives))
    seconds = sum(d.seconds for d in drives)
    speed = sum(d.metres for d in drives) / seconds if seconds > 0 else 0.0
    return Together(completed=all(d.completed for d in drives), error_m=error, speed_mps=speed)


def cost(drives: Together, *, usual_mps: float) -> float:
    """The error in metres; of drives slower than usual more, by the fourth power of how much."""
    slower = usual_mps / drives.speed_mps if drives.speed_mps > 0 else 10.0
    return drives.error_m * max(1.0, slower) ** 4
