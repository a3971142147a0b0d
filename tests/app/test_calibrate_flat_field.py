"""``linepilot calibrate flat-field``: into the file that driving reads, and bad input in one line."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from app.cli.main import main
from calibration.profile import CameraModel
from robot.cameras.evened import EvenedCamera
from robot.cameras.latest import LatestFrameCamera
from robot.config import load_config
from robot.drive.rig import open_rig


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_a_simulated_camera_is_compared_with_the_truth(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["calibrate", "flat-field", "--sim", "--seed", "2"]) == 0
    assert "error against the truth" in capsys.readouterr().out
    calibration = load_config(None, ["calibration=calibration.yaml"]).calibration
    assert calibration.flat_field.is_measured
    assert calibration.measured.flat_field.pictures == 12
    # The other parts stay.
    assert calibration.camera == CameraModel()
    assert cv2.imread("flat-field.png").shape == (224, 448, 3)


def test_a_drive_evens_live_pictures_and_not_recorded_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    assert main(["calibrate", "flat-field", "--sim"]) == 0
    Path("clip").mkdir()
    cv2.imwrite("clip/1.png", np.full((32, 32, 3), 90, np.uint8))

    class Still:
        def grab(self) -> np.ndarray:
            return np.full((32, 32, 3), 90, np.uint8)

        def close(self) -> None: ...

    words = ["calibration=calibration.yaml", "motors.driver=dry-run"]
    recorded = load_config(None, [*words, "camera.source=file:clip"])
    live = load_config(None, [*words, "camera.source=usb:0"])
    assert not isinstance(open_rig(recorded, estimator=None).camera, EvenedCamera)  # type: ignore[arg-type]
    monkeypatch.setattr("robot.drive.rig.open_camera", lambda *_, **__: LatestFrameCamera(Still(), name="still"))
    with open_rig(live, estimator=None).camera as camera:  # type: ignore[arg-type]
        assert isinstance(camera, EvenedCamera)
        image = next(camera.frames(timeout_s=2.0)).image
    assert image[0, 0, 1] > image[16, 16, 1]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ([], "give one of"),
        (["--sim", "--camera", "usb:0"], "give one of"),
        (["nowhere"], "no such folder"),
        (["empty"], "no pictures"),
        (["broken"], "not a readable picture"),
        (["--sim", "--picture", "x.txt"], "ends in .png"),
        (["--sim", "--count", "0"], "from 1 up"),
    ],
)
def test_bad_input_is_one_line_and_nothing_is_written(
    arguments: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("empty").mkdir()
    Path("broken").mkdir()
    Path("broken/1.png").write_bytes(b"no picture")
    assert main(["calibrate", "flat-field", *arguments]) == 2
    err = capsys.readouterr().err
    assert told in err
    assert err.count("\n") == 1
    assert not Path("calibration.yaml").exists()
