"""Whole drives under the real loop: golden numbers with their tolerance, determinism, faults of camera and motors."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from control.errors import CameraError, CameraStalled, MotorError
from control.messages import Cause, LineEstimate, LinePoint
from control.supervisor import SafetySupervisor
from perception.estimator import Estimator
from robot.config import RobotConfig, load_config
from robot.drive.cycle_timer import CycleTimer
from robot.drive.loop import Rig, Tick, drive
from robot.drive.pilots import make_mixer, make_pilot, open_estimator
from sim.benchmark.run import SimulatedDrive, make_world, simulate
from sim.render.ground import Image
from sim.rig import SimCamera, SimClock, SimMotors
from sim.tracks.library import find_track
from sim.world import World

ROWS = tuple(0.9 - 0.1 * i for i in range(12))


@dataclass
class PerfectEyes:
    """Answers with the truth about the world, not with what the picture shows; a little late, as a camera is."""

    world: World

    def estimate(self, image: Image) -> LineEstimate:
        x, seen = self.world.labels(ROWS)
        points = tuple(LinePoint(x=float(a), y=y, visible=float(v)) for a, y, v in zip(x, ROWS, seen, strict=True))
        return LineEstimate(points=points, confidence=float(seen.any()))

    def close(self) -> None:
        """Nothing is open."""


def driven(track: str, *settings: str, look: str = "white-tape", seed: int = 0) -> SimulatedDrive:
    config = load_config(None, settings)
    world = make_world(find_track(track), look=look, config=config, seed=seed)
    return simulate(world, estimator=open_estimator(config), config=config)


@pytest.mark.parametrize(
    ("track", "look", "rms_m", "max_m", "speed_mps"),
    [
        ("oval", "white-tape", 0.002, 0.008, 0.67),
        ("corners", "yellow-dashes", 0.010, 0.048, 0.66),
        ("figure-eight", "hazard-tape", 0.004, 0.010, 0.68),
    ],
)
def test_the_colour_engine_drives_a_lap_as_well_as_it_did(
    track: str, look: str, rms_m: float, max_m: float, speed_mps: float
) -> None:
    metrics = driven(track, "model=classical", look=look).metrics
    assert metrics.completed
    assert metrics.lateral_error_rms_m < 1.5 * rms_m + 0.001
    assert metrics.lateral_error_max_m < 1.5 * max_m + 0.002
    assert metrics.mean_speed_m_s == pytest.approx(speed_mps, rel=0.05)


def test_an_open_track_is_driven_once_however_many_laps_are_asked() -> None:
    config = load_config(None, ["model=classical"])
    world = make_world(find_track("s-bend"), look="white-tape", config=config, seed=0)
    metrics = simulate(world, estimator=open_estimator(config), config=config, laps=3).metrics
    assert metrics.completed
    assert metrics.laps == 1
    assert metrics.lap_time_s == pytest.approx(metrics.distance_m / metrics.mean_speed_m_s, rel=0.05)


def test_the_shipped_model_drives_a_lap() -> None:
    metrics = driven("oval").metrics
    assert metrics.completed
    assert metrics.lateral_error_rms_m < 0.02
    assert metrics.lateral_error_p95_m < 0.04
    assert metrics.mean_speed_m_s > 0.4


def test_the_same_seed_gives_the_same_drive_to_the_bit() -> None:
    first, second, other = (driven("s-bend", "model=classical", seed=seed) for seed in (5, 5, 6))
    assert first.truths == second.truths
    assert [tick.wheels for tick in first.ticks] == [tick.wheels for tick in second.ticks]
    assert first.truths != other.truths


def test_latency_is_what_the_vehicle_has() -> None:
    drive_ = driven("straight", "model=classical")
    assert drive_.latency_s == pytest.approx(drive_.world.params.total_delay_s)


def test_pictures_are_not_kept() -> None:
    assert all(tick.frame is None for tick in driven("s-bend", "model=classical").ticks)


class Faulty:
    """A drive on the oval in which something breaks after a second and a half."""

    def __init__(self) -> None:
        self.config: RobotConfig = load_config(None)
        self.world = make_world(find_track("oval"), look="white-tape", config=self.config, seed=0)
        self.camera, self.motors = SimCamera(self.world), SimMotors(self.world)
        self.eyes: Estimator = PerfectEyes(self.world)
        self.ticks: list[Tick] = []

    def run(self, fault: str, *, seconds: float = 4.0) -> tuple[Cause, ...]:
        rig = Rig(
            camera=self.camera, motors=self.motors, clock=SimClock(self.world), estimator=self.eyes,
            pilot=make_pilot(self.config), supervisor=SafetySupervisor(self.config.supervisor),
            mixer=make_mixer(self.config), camera_delay_s=self.world.params.camera_delay_s,
        )  # fmt: skip

        def record(tick: Tick) -> bool:
            self.ticks.append(tick)
            if tick.now_s > 1.5:
                setattr(self.motors if fault == "failing" else self.camera, fault, True)
            return tick.now_s < seconds

        return drive(rig, record, timer=CycleTimer(period_s=1 / 30))

    def rest_speed(self) -> float:
        """Once delay and lag are over."""
        self.world.advance(1.0)
        return abs(self.world.vehicle.speed_mps)


@pytest.mark.parametrize(
    ("fault", "error"), [("stalled", CameraStalled), ("dead", CameraError), ("failing", MotorError)]
)
def test_a_broken_device_ends_the_drive(fault: str, error: type[Exception]) -> None:
    faulty = Faulty()
    with pytest.raises(error):
        faulty.run(fault)
    assert max(tick.verdict.command.speed_mps for tick in faulty.ticks) > 0.5
    if fault != "failing":
        assert faulty.rest_speed() < 1e-3


def test_a_stalled_camera_stops_the_robot_within_a_quarter_second() -> None:
    faulty = Faulty()
    with pytest.raises(CameraStalled):
        faulty.run("stalled")
    last = [tick for tick in faulty.ticks if tick.frame is not None][-1]
    stopped_s = next(t.now_s for t in faulty.ticks if t.now_s > last.now_s and t.verdict.command.speed_mps == 0)
    assert stopped_s - last.now_s < 0.26


@pytest.mark.parametrize("fault", ["dark", "frozen"])
def test_a_bad_picture_ends_the_drive_with_its_cause(fault: str) -> None:
    faulty = Faulty()
    causes = faulty.run(fault)
    assert Cause.PICTURE_BAD in causes
    assert faulty.rest_speed() < 1e-3


def test_without_a_fault_it_drives_on() -> None:
    faulty = Faulty()
    assert faulty.run("nothing") == ()
    assert faulty.world.truth.distance_m > 1.5


def test_driving_by_the_truth_stays_on_the_line() -> None:
    config = load_config(None)
    world = make_world(find_track("reInvent2019_wide"), look="white-tape", config=config, seed=0)
    metrics = simulate(world, estimator=PerfectEyes(world), config=config).metrics
    assert metrics.completed
    assert metrics.lateral_error_rms_m < 0.02
