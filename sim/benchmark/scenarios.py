"""Many simulated drives: track x look x direction, in a pool of processes."""

from __future__ import annotations

import multiprocessing
import signal
import zlib
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np

from control.errors import CameraError, MotorError
from perception.estimator import Estimator
from robot.config import RobotConfig
from robot.drive.pilots import open_estimator
from sim.benchmark.run import SimulatedDrive, aimed, make_world, simulate
from sim.tracks.geometry import Track

Record = dict[str, str | float | bool | None]
Direction = Literal["forward", "reverse"]
DIRECTIONS: tuple[Direction, ...] = ("forward", "reverse")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Scenario:
    track: Track
    look: str
    direction: Direction
    seed: int
    clutter: int = 0


def seed_of(seed: int, *, track: int, look: str) -> int:
    """Another world for each track and look, the same one in both directions and whatever else is driven."""
    return int(np.random.SeedSequence([seed, track, zlib.crc32(look.encode())]).generate_state(1)[0])


def run_scenario(scenario: Scenario, *, config: RobotConfig, estimator: Estimator) -> Record:
    """One lap, or an open track to its end; ``estimator`` answers for the target of ``config``."""
    track = scenario.track if scenario.direction == "forward" else scenario.track.reversed()
    world = make_world(track, look=scenario.look, config=config, seed=scenario.seed, clutter=scenario.clutter)
    result = SimulatedDrive(world=world)
    stopped = ""
    try:
        simulate(world, estimator=estimator, config=config, into=result)
    except (CameraError, MotorError) as error:
        stopped = str(error)
    metrics = result.metrics
    return {
        "track": scenario.track.name, "look": scenario.look, "direction": scenario.direction,
        "target": config.target, "clutter": scenario.clutter,
        "completed": metrics.completed, "lateral_error_rms_m": metrics.lateral_error_rms_m,
        "lateral_error_p95_m": metrics.lateral_error_p95_m, "lateral_error_max_m": metrics.lateral_error_max_m,
        "off_line_s": metrics.off_line_s, "mean_speed_m_s": metrics.mean_speed_m_s, "lap_time_s": metrics.lap_time_s,
        "distance_m": metrics.distance_m, "seed": scenario.seed,
        "stopped_by": stopped or ", ".join(result.stopped_by),
    }  # fmt: skip


_worker: tuple[RobotConfig, dict[str, Estimator]]
"""With an estimator for each target that was asked for."""


def _start(config: RobotConfig) -> None:
    """A worker's own copy of what every scenario needs."""
    global _worker
    # ^C ends the parent, which ends the workers; they would only print their tracebacks.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    cv2.setNumThreads(1)
    _worker = (config, {})


def _work(scenario: Scenario) -> Record:
    given, estimators = _worker
    config = aimed(given, look=scenario.look)
    if config.target not in estimators:
        estimators[config.target] = open_estimator(config)
    return run_scenario(scenario, config=config, estimator=estimators[config.target])


def run_all(scenarios: list[Scenario], *, config: RobotConfig, workers: int) -> Iterator[tuple[int, Record]]:
    """Yields (index, record) as they finish; one thread a worker for the network.

    The records do not depend on the number of workers.
    """
    single = config.model_copy(update={"threads": 1})
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, mp_context=context, initializer=_start, initargs=(single,)) as pool:
        try:
            jobs: dict[Future[Record], int] = {pool.submit(_work, scenario): i for i, scenario in enumerate(scenarios)}
            for job in as_completed(jobs):
                yield jobs[job], job.result()
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
