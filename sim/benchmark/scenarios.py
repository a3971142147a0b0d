"""Many simulated drives: track x look x direction, in a pool of processes."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from typing import Literal

import cv2

from control.errors import CameraError, MotorError
from perception.estimator import Estimator
from robot.config import RobotConfig
from robot.drive.pilots import open_estimator
from sim.benchmark.run import SimulatedDrive, simulate
from sim.tracks.geometry import Track
from sim.world import World

Record = dict[str, str | float | bool | None]
Direction = Literal["forward", "reverse"]
DIRECTIONS: tuple[Direction, ...] = ("forward", "reverse")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Scenario:
    track: Track
    look: str
    direction: Direction
    seed: int


def run_scenario(scenario: Scenario, *, config: RobotConfig, estimator: Estimator) -> Record:
    """One lap, or an open track to its end."""
    track = scenario.track if scenario.direction == "forward" else scenario.track.reversed()
    world = World(track, look=scenario.look, calibration=config.calibration)
    world.reset(scenario.seed)
    result = SimulatedDrive(world=world)
    stopped = ""
    try:
        simulate(world, estimator=estimator, config=config, into=result)
    except (CameraError, MotorError) as error:
        stopped = str(error)
    metrics = result.metrics
    assert metrics is not None
    return {
        "track": scenario.track.name, "look": scenario.look, "direction": scenario.direction,
        "seed": float(scenario.seed),
        "completed": metrics.completed, "lateral_error_rms_m": metrics.lateral_error_rms_m,
        "lateral_error_p95_m": metrics.lateral_error_p95_m, "lateral_error_max_m": metrics.lateral_error_max_m,
        "off_line_s": metrics.off_line_s, "mean_speed_m_s": metrics.mean_speed_m_s, "lap_time_s": metrics.lap_time_s,
        "stopped_by": stopped or ", ".join(cause.value for cause in result.causes),
    }  # fmt: skip


_worker: tuple[RobotConfig, Estimator]


def _start(config: RobotConfig) -> None:
    global _worker
    cv2.setNumThreads(1)
    _worker = (config, open_estimator(config))


def _work(scenario: Scenario) -> Record:
    config, estimator = _worker
    return run_scenario(scenario, config=config, estimator=estimator)


def run_all(scenarios: list[Scenario], *, config: RobotConfig, workers: int) -> Iterator[tuple[int, Record]]:
    """Yields (index, record) as they finish; one thread a worker for the network."""
    single = config.model_copy(update={"threads": 1})
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, mp_context=context, initializer=_start, initargs=(single,)) as pool:
        jobs: dict[Future[Record], int] = {pool.submit(_work, scenario): i for i, scenario in enumerate(scenarios)}
        for job in as_completed(jobs):
            yield jobs[job], job.result()
