"""What gains that were searched bring on robots that nobody knows: the calibration is off as measured ones are."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from math import sqrt
from multiprocessing import get_context

import numpy as np

from benchmarks.results import emit
from calibration.profile import Calibration, DriveTrim, Latency
from calibration.quality import DriveQuality
from robot.config import RobotConfig, load_config
from sim.tuning.courses import Course, Driven, drive_course, together
from sim.tuning.gains import with_gains
from sim.tuning.search import tune
from sim.vehicle.params import JETBOT, VehicleParams

_FIRST, _COURSES = 5000, 6
"""Tracks that neither the search nor its own check have seen."""
_OFF = DriveQuality(
    date="2026-01-31", speed=0.01, ratio=0.003, dead_zone=0.001, wheel_base_m=0.0005, lag_s=0.0006, delay_s=0.0005
)
"""As far as the worst of five measured robots was off; of what is not in that table: judgement."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """Root mean square errors of one robot on the same tracks, metres."""

    shipped: float
    calibrated: float
    tuned: float
    all_completed: bool
    kept: bool
    """The search found nothing that it trusts: the gains are the defaults."""


def measured(robot: VehicleParams, rng: np.random.Generator) -> Calibration:
    """What `linepilot calibrate motors` would say of this robot."""
    skew = (robot.right_gain / robot.left_gain) ** 0.5 * (1 + _OFF.ratio / 2 * float(rng.standard_normal()))
    top = robot.top_speed_mps * (robot.left_gain * robot.right_gain) ** 0.5 * (1 - robot.slip)
    base = robot.wheel_base_m / (1 - robot.understeer)
    usual = Calibration()
    return replace(
        usual,
        drive=DriveTrim(
            wheel_base_m=base + _OFF.wheel_base_m * float(rng.standard_normal()),
            top_speed_mps=top * (1 + _OFF.speed * float(rng.standard_normal())),
            dead_zone=max(0.0, robot.dead_zone + _OFF.dead_zone * float(rng.standard_normal())),
            left_gain=skew, right_gain=1 / skew,
        ),
        latency=Latency(
            delay_s=robot.total_delay_s + _OFF.delay_s * float(rng.standard_normal()),
            camera_s=robot.camera_delay_s,
            motor_lag_s=max(0.0, robot.lag_s + _OFF.lag_s * float(rng.standard_normal())),
        ),
        measured=replace(usual.measured, drive=_OFF),
    )  # fmt: skip


def _here(drive: Callable[[Course], Driven], courses: Sequence[Course]) -> list[Driven]:
    return [drive(course) for course in courses]


def compare(seed: int, *, trials: int) -> Compared:
    rng = np.random.default_rng(seed)
    robot = JETBOT.randomised(rng)
    shipped = load_config(None)
    calibrated = shipped.model_copy(update={"calibration": measured(robot, rng)})
    found = tune(calibrated, trials=trials, seed=seed, run=_here)
    tuned = calibrated if found.why_not else with_gains(calibrated, found.after.gains)
    courses = [Course(track=f"random:{_FIRST + 10 * seed + i}", robot=robot, seed=seed + i) for i in range(_COURSES)]

    def driven(config: RobotConfig) -> tuple[float, bool]:
        all_of_them = together(_here(partial(drive_course, config=config), courses))
        return all_of_them.error_m, all_of_them.completed

    (a, _), (b, _), (c, completed) = driven(shipped), driven(calibrated), driven(tuned)
    return Compared(shipped=a, calibrated=b, tuned=c, all_completed=completed, kept=bool(found.why_not))


def report(*, robots: int, trials: int, workers: int) -> None:
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        found = []
        for one in pool.map(partial(compare, trials=trials), range(robots)):
            found.append(one)
            print(one, file=sys.stderr, flush=True)
    kept = sum(one.kept for one in found)
    context = (
        f"{robots} made-up robots, {_COURSES} unseen random tracks each, {trials} settings tried, noisy labels; "
        f"{kept} kept the default gains; {sum(one.all_completed for one in found)} stayed on the line everywhere"
    )
    for title, name in (("shipped", "settings and calibration as shipped"), ("calibrated", "same calibration")):
        usual = [getattr(one, title) for one in found]
        mean = 1 - sqrt(sum(one.tuned**2 for one in found)) / sqrt(sum(error**2 for error in usual))
        worst = min(1 - one.tuned / error for one, error in zip(found, usual, strict=True))
        against = f"against {name}; {context}"
        emit(
            f"calibration_gains_better_than_{title}",
            mean * 100,
            unit="%",
            target=25.0,
            better="higher",
            context=against,
        )
        emit(f"calibration_gains_worst_robot_than_{title}", worst * 100, unit="%", target=0.0, better="higher",
             context=against)  # fmt: skip
