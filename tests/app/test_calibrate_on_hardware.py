"""Steering and relay on a robot of devices, which are simulated ones here: how they end, and that it stands after."""

from __future__ import annotations

from pathlib import Path

import pytest

import app.cli.calibrate_motors_hardware as hardware
import app.cli.calibrate_relay as relay
import app.cli.calibrate_relay_hardware as relay_hardware
from app.cli.main import main
from control.messages import AckermannCommand, DifferentialCommand, WheelCommand
from robot.config import load_config
from sim.benchmark.run import make_rig
from sim.rig import SimCamera, SimClock, SimMotors
from sim.tracks.library import find_track
from sim.tuning.labelled_world import LabelledWorld
from sim.vehicle.params import JETBOT, JETRACER
from sim.world import World
from tests.app.test_calibrate_gains import found


class Kept(SimMotors):
    """Counts what was written, and what came last."""

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.moving = 0
        self.last: WheelCommand | None = None

    def apply(self, command: WheelCommand) -> None:
        super().apply(command)
        self.last = command
        self.moving += command not in (AckermannCommand(), DifferentialCommand())

    def stop(self) -> None:
        super().stop()
        self.last = None


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


CAR = ["camera.source=usb:0", "motors.driver=jetracer", "motors.vehicle=ackermann"]


@pytest.fixture
def car(monkeypatch: pytest.MonkeyPatch) -> tuple[SimCamera, Kept]:
    world = World(find_track("oval"), look="red-road", vehicle=JETRACER, clutter=0)
    world.reset(1, lateral_m=0.5)
    camera, motors = SimCamera(world, fps=15.0), Kept(world)
    monkeypatch.setattr(hardware, "open_camera", lambda *_, **__: camera)
    monkeypatch.setattr(hardware, "open_motors", lambda *_, **__: motors)
    monkeypatch.setattr(hardware, "MonotonicClock", lambda: SimClock(world))
    monkeypatch.setattr(hardware, "own_terminal", lambda: None)
    monkeypatch.setattr(hardware, "_compute_s", lambda *_: 0.0)
    return camera, motors


def test_nobody_who_says_so_moves_no_car(car: tuple[SimCamera, Kept], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("builtins.input", lambda _: "yes")
    assert main(["calibrate", "steering", *CAR]) == 2
    assert car[1].last is None
    assert car[1].moving == 0


def test_a_camera_that_dies_ends_the_arcs_standing(
    car: tuple[SimCamera, Kept], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    camera, motors = car
    apply = motors.apply

    def dying(command: WheelCommand) -> None:
        apply(command)
        camera.dead = motors.moving > 5

    monkeypatch.setattr(motors, "apply", dying)
    assert main(["calibrate", "steering", "--yes", *CAR]) == 1
    assert "died" in capsys.readouterr().err
    assert motors.moving > 0
    assert motors.last is None
    assert not Path("calibration.yaml").exists()


def test_a_robot_swings_along_its_line_and_stands(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    world = LabelledWorld(find_track("straight"), vehicle=JETBOT)
    world.reset(3, lateral_m=0.01)
    rig = make_rig(world, estimator=world, config=load_config(None))
    monkeypatch.setattr(relay_hardware, "open_estimator", lambda _: world)
    monkeypatch.setattr(relay_hardware, "open_rig", lambda *_, **__: rig)
    monkeypatch.setattr(relay_hardware, "own_terminal", lambda: None)
    monkeypatch.setattr(relay, "compared", lambda config, gains, **_: found(config, error_m=0.0021))
    words = ["camera.source=usb:0", "motors.driver=motorhat", "--yes", "--workers", "1"]
    assert main(["calibrate", "relay", *words]) == 0
    out = capsys.readouterr().out
    assert "oscillations" in out
    assert "not changed" in out
    assert not Path("robot.yaml").exists()
    world.advance(1.0)
    assert world.vehicle.speed_mps == pytest.approx(0.0, abs=1e-3)
