"""Short drives with many settings, in a pool of processes that lives as long as a search."""

from __future__ import annotations

import multiprocessing
import signal
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import lru_cache
from math import sqrt
from types import TracebackType
from typing import Literal

import cv2

from benchmarks.search import Outcome
from perception.engines import open_engine
from perception.estimator import Estimator
from robot.config import load_config
from robot.drive.pilots import SHIPPED_MODEL
from sim.benchmark.metrics import DriveMetrics, measure
from sim.benchmark.run import SimulatedDrive, end_of, simulate
from sim.benchmark.scenarios import Direction
from sim.tracks.library import find_track
from sim.tuning.labelled_world import EXACT, LabelledWorld
from sim.vehicle.params import JETBOT, JETRACER
from sim.world import World

Engine = Literal["model", "truth"]
LINE_LOOKS = ("white-tape", "yellow-dashes", "black-tape")
_SLOWEST_MPS = 0.12
"""Slower than this on average a drive is not worth its time, and counts as not completed."""
_RUN_UP_M = 1.0
"""Laws differ in how they start, which on a short stretch would weigh more than on a track."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    track: str
    look: str
    direction: Direction
    seed: int
    metres: float | None = None
    """After a run-up from rest that does not count; None is the whole track, from rest."""


def drive_stretch(stretch: Stretch, settings: Sequence[str], *, model: Estimator | None) -> DriveMetrics:
    """``settings`` as on the command line. Without a model the simulator's own labels are the eyes.

    Ends early, as not completed, when the robot leaves the line or is too slow. Raises CameraError, MotorError.
    """
    config = load_config(None, settings)
    painted = model is not None
    world = _world(stretch, config.motors.vehicle, config.calibration.drive.top_speed_mps, painted=painted)
    world.reset(stretch.seed)
    eyes = world if isinstance(world, LabelledWorld) else model
    assert eyes is not None
    whole_m = end_of(world.track, laps=1)
    run_up_m, end_m = 0.0, whole_m
    if stretch.metres is not None:
        run_up_m, end_m = _RUN_UP_M, min(_RUN_UP_M + stretch.metres, whole_m)

    def worth_it(so_far: SimulatedDrive) -> bool:
        truth = so_far.truths[-1]
        hopeless = truth.off_line or truth.time_s > end_m / _SLOWEST_MPS
        return truth.distance_m < end_m and not (hopeless and stretch.metres is not None)

    result = simulate(world, estimator=eyes, config=config, watch=worth_it)
    counted = [truth for truth in result.truths if truth.distance_m >= run_up_m]
    metrics = measure(counted, lap_m=end_m, laps=1, end_m=end_m)
    return replace(metrics, distance_m=max(0.0, metrics.distance_m - run_up_m))


@lru_cache(maxsize=6)
def _world(stretch: Stretch, vehicle: str, wheel_speed_mps: float, *, painted: bool) -> World:
    """Kept for the next settings: lens and floor take longer than a drive by the truth, which needs no paint."""
    track = find_track(stretch.track)
    driven = track if stretch.direction == "forward" else track.reversed()
    robot = JETRACER if vehicle == "ackermann" else replace(JETBOT, top_speed_mps=wheel_speed_mps)
    if not painted:
        return LabelledWorld(driven, vehicle=robot, noise=EXACT)
    return World(driven, look=stretch.look, vehicle=robot)


def pooled(drives: Sequence[DriveMetrics]) -> Outcome:
    """Several drives as one: all completed, rms over the whole time, distance over time."""
    if not all(d.completed for d in drives):
        return Outcome(completed=False, error_m=0.0, speed_mps=0.0)
    times = [d.distance_m / d.mean_speed_m_s for d in drives]
    square = sum(d.lateral_error_rms_m**2 * t for d, t in zip(drives, times, strict=True)) / sum(times)
    return Outcome(completed=True, error_m=sqrt(square), speed_mps=sum(d.distance_m for d in drives) / sum(times))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Job:
    settings: tuple[str, ...]
    stretches: tuple[Stretch, ...]
    """Driven in turn, until one is not completed."""


_model: Estimator | None = None


def _start(model: str, engine: Engine) -> None:
    global _model
    # ^C ends the parent, which ends the workers; they would only print their tracebacks.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    cv2.setNumThreads(1)
    _model = open_engine(model or SHIPPED_MODEL, threads=1) if engine == "model" else None


def _work(job: Job) -> list[DriveMetrics]:
    driven: list[DriveMetrics] = []
    for stretch in job.stretches:
        driven.append(drive_stretch(stretch, job.settings, model=_model))
        if not driven[-1].completed:
            break
    return driven


class DrivePool:
    """A context manager; one thread a process for the network."""

    def __init__(self, *, workers: int, model: str = "", engine: Engine = "model") -> None:
        context = multiprocessing.get_context("spawn")
        self._pool = ProcessPoolExecutor(workers, mp_context=context, initializer=_start, initargs=(model, engine))

    def drive(self, jobs: Sequence[Job], *, told: Callable[[], None] = lambda: None) -> list[list[DriveMetrics]]:
        """In the order of the jobs, whatever the number of processes; ``told`` is called after each."""
        results = []
        for driven in self._pool.map(_work, jobs):
            results.append(driven)
            told()
        return results

    def __enter__(self) -> DrivePool:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)
