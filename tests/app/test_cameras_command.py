from __future__ import annotations

import errno
import json
from functools import partial
from pathlib import Path

import pytest

from app.cli import cameras
from app.cli.main import main
from robot.cameras.attached import attached_cameras
from tests.robot.v4l2_model import Device, V4l2Model


@pytest.fixture
def model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> V4l2Model:
    model = V4l2Model(tmp_path / "root", monkeypatch)
    monkeypatch.setattr(cameras, "attached_cameras", partial(attached_cameras, model.root))
    monkeypatch.setenv("COLUMNS", "160")
    return model


def test_without_any_it_says_so_in_one_sentence(
    model: V4l2Model, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    place = tmp_path / "out.json"
    assert main(["cameras", "--json", str(place)]) == 0
    shown = capsys.readouterr()
    assert shown.out.startswith("no camera found: ")
    assert len(shown.out.splitlines()) == 1
    assert json.loads(place.read_text()) == []


def test_each_camera_is_shown_with_its_sizes_the_largest_first(
    model: V4l2Model, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    model.add("video0", Device(formats={"MJPG": {(640, 480): [30, 15], (1280, 720): [60]}, "YUYV": {(320, 240): []}}))
    model.add("video2", Device(error=errno.EACCES))
    place = tmp_path / "out.json"
    assert main(["cameras", "--json", str(place)]) == 0
    lines = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    assert "usb:0 /dev/video0 HD Webcam: HD Webcam MJPG 1280x720@60 640x480@30" in lines
    assert "YUYV 320x240" in lines
    assert any(line.startswith("- /dev/video2 may not be used") for line in lines)
    first, second = json.loads(place.read_text())
    assert first["source"] == "usb:0"
    assert first["modes"][0] == {"format": "MJPG", "width": 640, "height": 480, "fps": [30.0, 15.0]}
    assert "usermod" in second["trouble"]


def test_cameras_of_installed_packages_are_named(
    model: V4l2Model, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    package = tmp_path / "lidar_eye-1.0.dist-info"
    package.mkdir()
    (package / "METADATA").write_text("Metadata-Version: 2.1\nName: lidar-eye\nVersion: 1.0\n")
    (package / "entry_points.txt").write_text("[linepilot.cameras]\nlidar-eye = lidar_eye:open\n")
    monkeypatch.syspath_prepend(tmp_path)
    assert main(["cameras"]) == 0
    assert "from installed packages: lidar-eye" in capsys.readouterr().out
