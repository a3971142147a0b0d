from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from control.errors import CameraError, ConfigError, ModelError
from control.follower import LineFollower
from control.laws import JetBotLaw, JetRacerLaw
from control.messages import AckermannCommand, DifferentialCommand, DriveCommand
from robot.cameras import CameraSettings, open_camera
from robot.config import load_config
from robot.drive import pilots
from robot.drive.cycle_timer import CycleTimer
from robot.drive.loop import drive
from robot.drive.pilots import make_mixer, make_pilot, open_estimator, standing_command
from robot.drive.rig import open_rig
from robot.motors import open_motors
from robot.motors.settings import MotorSettings
from tests.robot.fakes import FakeEstimator, Kept


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    for number in range(20):
        image = np.full((24, 32, 3), 100, np.uint8)
        image[:, 16] = 100 + number
        cv2.imwrite(str(tmp_path / f"{number:02d}.png"), image)
    return tmp_path


def test_a_recording_is_driven_with_motors_that_are_not_there(pictures: Path) -> None:
    config = load_config(None, [f"camera.source=file:{pictures}", "motors.driver=dry-run"])
    rig = open_rig(config, estimator=FakeEstimator())
    kept = Kept()
    assert drive(rig, kept, timer=CycleTimer(period_s=rig.period_s)) == ()
    assert len(kept.ticks) == 20


NO_CAMERAS = [
    *("sim", "file:", "usb:", "usb:x", "usb:0x1", "usb:99999999999", "csi:", "csi:²", "gst:", "ubs:0"),
    *("nothing:here", "nothing"),
]


@pytest.mark.parametrize("source", [*NO_CAMERAS, "gst: ", ""])
def test_a_camera_that_cannot_be_meant_is_refused(source: str) -> None:
    with pytest.raises(ConfigError) as caught:
        open_camera(CameraSettings(source=source))
    assert "\n" not in str(caught.value)


def test_a_usb_camera_that_is_not_there_is_refused_by_name() -> None:
    with pytest.raises(CameraError, match="/dev/video77"):
        open_camera(CameraSettings(source="usb:77"))


@pytest.mark.parametrize("driver", ["sim", "gpios", "", "nothing:here"])
def test_motors_that_cannot_be_meant_are_refused(driver: str) -> None:
    with pytest.raises(ConfigError):
        open_motors(MotorSettings(driver=driver), standing=DifferentialCommand())


@pytest.mark.parametrize(
    ("law", "kind"), [("linepilot", LineFollower), ("jetbot", JetBotLaw), ("jetracer", JetRacerLaw)]
)
def test_the_law_is_chosen_by_name(law: str, kind: type) -> None:
    assert isinstance(make_pilot(load_config(None, [f"law={law}"])), kind)


def test_the_vehicle_decides_what_the_wheels_get() -> None:
    jetbot = load_config(None, ["calibration.drive.left_gain=1.1"])
    jetracer = load_config(None, ["motors.vehicle=ackermann", "calibration.steering.center=0.1"])
    assert standing_command(jetbot) == DifferentialCommand()
    assert standing_command(jetracer) == AckermannCommand(steering=0.1)
    wheels, _ = make_mixer(jetbot).wheels(DriveCommand(speed_mps=0.3))
    assert isinstance(wheels, DifferentialCommand)
    assert wheels.left > wheels.right


def test_a_missing_shipped_model_is_said_not_worked_around(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(pilots, "SHIPPED_MODEL", tmp_path / "line.int8.onnx")
    with pytest.raises(ModelError, match="shipped model is missing"):
        open_estimator(load_config(None))


def test_a_model_file_is_taken_by_its_path(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"mine\.onnx"):
        open_estimator(load_config(None, [f"model={tmp_path / 'mine.onnx'}"]))
    open_estimator(load_config(None, ["model=classical"])).close()
