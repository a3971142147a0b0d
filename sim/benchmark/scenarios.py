"""One simulated drive of a benchmark: track x look x direction x delay x robot x seed, and what it is judged by."""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from math import isfinite
from typing import Literal

import numpy as np

from control.errors import CameraError, MotorError
from perception.estimator import Estimator
from robot.config import RobotConfig
from sim.benchmark.detail import Detail, DetailRecorder
from sim.benchmark.effort import curvature_rate_rms
from sim.benchmark.metrics import OFF_LINE_PENALTY_S
from sim.benchmark.robots import drawn_mount, drawn_vehicle, with_delay
from sim.benchmark.run import SimulatedDrive, end_of, simulate, usual_vehicle
from sim.tracks.geometry import Track
from sim.vehicle.measured import measured_vehicle
from sim.world import World

Record = dict[str, str | float | bool | None]
Direction = Literal["forward", "reverse"]
DIRECTIONS: tuple[Direction, ...] = ("forward", "reverse")
IDENTITY = ("track", "look", "direction", "clutter", "seed", "robot", "delay_ms")
"""What makes a scenario the same one in two benchmarks."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Scenario:
    track: Track
    look: str
    direction: Direction
    seed: int
    clutter: int = 0
    robot: int = 0
    """0 is the robot that was calibrated; another number draws one that the calibration might be of."""
    delay_s: float | None = None
    """From exposure to wheels, and known to the controller; None is as calibrated."""

    @property
    def identity(self) -> str:
        """For files; equal for the same scenario."""
        delay = None if self.delay_s is None else round(self.delay_s * 1000, 3)
        values = (self.track.name, self.look, self.direction, self.clutter, self.seed, self.robot, delay)
        return json.dumps(dict(zip(IDENTITY, values, strict=True)))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Outcome:
    record: Record
    """The same whatever drove it, and however many beside it."""
    detail: Detail | None


def seed_of(seed: int, *, track: int, look: str) -> int:
    """Another world for each track and look, the same one in both directions and whatever else is driven."""
    return int(np.random.SeedSequence([seed, track, zlib.crc32(look.encode())]).generate_state(1)[0])


def run_scenario(scenario: Scenario, *, config: RobotConfig, estimator: Estimator) -> Record:
    """One lap, or an open track to its end; ``estimator`` answers for the target of ``config``."""
    return drive_scenario(scenario, config=config, estimator=estimator, detailed=False).record


def drive_scenario(scenario: Scenario, *, config: RobotConfig, estimator: Estimator, detailed: bool) -> Outcome:
    """As ``run_scenario``; with ``detailed`` also what a report shows."""
    track = scenario.track if scenario.direction == "forward" else scenario.track.reversed()
    if scenario.delay_s is not None:
        config = config.model_copy(update={"calibration": with_delay(config.calibration, scenario.delay_s)})
    world = _world(scenario, track, config)
    result, stopped = SimulatedDrive(world=world), ""
    recorder = DetailRecorder()
    try:
        if detailed:
            simulate(world, estimator=estimator, config=config, into=result, keep=recorder)
        else:
            simulate(world, estimator=estimator, config=config, into=result)
    except (CameraError, MotorError) as error:
        stopped = str(error)
    record = _record(scenario, config, result, stopped=stopped)
    return Outcome(record=record, detail=recorder.detail(track.vertices) if detailed else None)


def _world(scenario: Scenario, track: Track, config: RobotConfig) -> World:
    """With the robot of the scenario; the controller knows only the calibrated one."""
    calibration = config.calibration
    vehicle = measured_vehicle(calibration, usual_vehicle(config))
    if scenario.delay_s is not None:
        camera_s = calibration.latency.camera_s
        vehicle = replace(vehicle, camera_delay_s=camera_s, motor_delay_s=scenario.delay_s - camera_s)
    if scenario.robot:
        rng = np.random.default_rng([scenario.seed, scenario.robot])
        vehicle = drawn_vehicle(vehicle, calibration, rng=rng)
        calibration = replace(calibration, mount=drawn_mount(calibration.mount, calibration, rng=rng))
    world = World(track, look=scenario.look, vehicle=vehicle, calibration=calibration, clutter=scenario.clutter)
    world.reset(scenario.seed)
    return world


def _record(scenario: Scenario, config: RobotConfig, result: SimulatedDrive, *, stopped: str) -> Record:
    metrics = result.metrics
    lap_s = metrics.lap_time_s
    end_m = end_of(result.world.track, laps=1)
    return {
        "track": scenario.track.name, "look": scenario.look, "direction": scenario.direction,
        "target": config.target, "clutter": scenario.clutter,
        "completed": metrics.completed, "lateral_error_rms_m": metrics.lateral_error_rms_m,
        "lateral_error_p95_m": metrics.lateral_error_p95_m, "lateral_error_max_m": metrics.lateral_error_max_m,
        "off_line_s": metrics.off_line_s, "mean_speed_m_s": metrics.mean_speed_m_s, "lap_time_s": metrics.lap_time_s,
        "distance_m": metrics.distance_m, "seed": scenario.seed,
        "stopped_by": stopped or ", ".join(result.stopped_by),
        "robot": scenario.robot, "delay_ms": None if scenario.delay_s is None else round(scenario.delay_s * 1000, 3),
        "progress": min(1.0, metrics.distance_m / end_m), "off_line_times": metrics.off_line_times,
        "penalised_lap_time_s": None if lap_s is None else lap_s + OFF_LINE_PENALTY_S * metrics.off_line_times,
        "lateral_deviation_median_m": metrics.lateral_deviation_median_m,
        "steering_effort_1pm_s": curvature_rate_rms(result.ticks),
        "camera_to_wheel_ms": result.latency_s * 1000,
    }  # fmt: skip


def finite(value: str | float | bool | None) -> float | None:
    """A number of a record, or None where it says nothing."""
    return float(value) if isinstance(value, int | float) and isfinite(value) else None


def scenarios_of(
    tracks: list[Track], *, looks: list[str], directions: tuple[Direction, ...], clutter: int, seeds: list[int],
    robots: int, delays_s: list[float | None],
) -> Iterator[Scenario]:  # fmt: skip
    """Every combination, in an order that does not depend on the machine."""
    for number, track in enumerate(tracks):
        for look in looks:
            for seed in seeds:
                for way in directions:
                    for delay_s in delays_s:
                        for robot in range(robots):
                            yield Scenario(
                                track=track, look=look, direction=way, clutter=clutter, robot=robot, delay_s=delay_s,
                                seed=seed_of(seed, track=number, look=look),
                            )  # fmt: skip


def run_all(scenarios: list[Scenario], *, config: RobotConfig, workers: int) -> Iterator[tuple[int, Record]]:
    """Yields (index, record) as they finish, in a pool of so many processes."""
    from sim.benchmark.work import Job, run_jobs, worker_pool

    jobs = [Job(scenario=scenario, config=config) for scenario in scenarios]
    with worker_pool(workers) as pool:
        for index, outcome in run_jobs(pool, jobs):
            yield index, outcome.record
