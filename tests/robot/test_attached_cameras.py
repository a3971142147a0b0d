from __future__ import annotations

import errno
from pathlib import Path

import pytest

from robot.cameras.attached import attached_cameras
from robot.cameras.v4l2 import Mode
from tests.robot.v4l2_model import META_CAPTURE, Device, V4l2Model

WEBCAM = Device(
    formats={"MJPG": {(640, 480): [30, 15], (1280, 720): [30]}, "YUYV": {(640, 480): [30], (1280, 720): [10, 5]}}
)
SENSOR = {"RG10": {(3280, 2464): [21], (1280, 720): [60]}}


@pytest.fixture
def model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> V4l2Model:
    return V4l2Model(tmp_path / "root", monkeypatch)


def sensor(name: str) -> Device:
    return Device(driver="tegra-video", card=f"vi-output, {name}", formats=SENSOR)


def add_chip(model: V4l2Model, place: str, chip: str, *, bound: bool = True) -> None:
    folder = model.root / "sys/bus/i2c/devices" / place
    folder.mkdir(parents=True)
    (folder / "name").write_text(f"{chip}\n")
    if bound:
        (folder / "driver").mkdir()


def test_a_usb_camera_is_listed_with_all_its_modes(model: V4l2Model) -> None:
    model.add("video0", WEBCAM)
    (found,) = attached_cameras(model.root)
    assert (found.source, found.device, found.name) == ("usb:0", "/dev/video0", "HD Webcam: HD Webcam")
    assert found.modes == (
        Mode(format="MJPG", width=640, height=480, fps=(30.0, 15.0)),
        Mode(format="MJPG", width=1280, height=720, fps=(30.0,)),
        Mode(format="YUYV", width=640, height=480, fps=(30.0,)),
        Mode(format="YUYV", width=1280, height=720, fps=(10.0, 5.0)),
    )


def test_the_device_for_its_metadata_is_no_camera(model: V4l2Model) -> None:
    model.add("video0", WEBCAM)
    model.add("video1", Device(able=META_CAPTURE, formats=WEBCAM.formats))
    assert [camera.source for camera in attached_cameras(model.root)] == ["usb:0"]


def test_numbers_are_those_of_the_files_in_their_order(model: V4l2Model) -> None:
    for name in ("video10", "video2", "video-loop"):
        model.add(name, WEBCAM)
    assert [camera.source for camera in attached_cameras(model.root)] == ["usb:2", "usb:10"]


def test_csi_sensors_are_counted_by_themselves(model: V4l2Model) -> None:
    model.add("video0", sensor("imx219 9-0010"))
    model.add("video1", WEBCAM)
    model.add("video2", sensor("imx219 10-0010"))
    found = attached_cameras(model.root)
    assert [(camera.source, camera.name) for camera in found] == [
        ("csi:0", "imx219 9-0010"), ("usb:1", "HD Webcam: HD Webcam"), ("csi:1", "imx219 10-0010"),
    ]  # fmt: skip
    assert found[0].modes[0] == Mode(format="RG10", width=3280, height=2464, fps=(21.0,))


def test_of_a_range_of_sizes_the_ends_are_given(model: V4l2Model) -> None:
    model.add("video0", Device(formats={"YUYV": {}}, range_=(32, 1920, 24, 1080)))
    (found,) = attached_cameras(model.root)
    assert [(mode.width, mode.height, mode.fps) for mode in found.modes] == [
        (32, 24, (60.0, 5.0)), (1920, 1080, (60.0, 5.0)),
    ]  # fmt: skip


def test_a_camera_that_may_not_be_used_says_what_to_do(model: V4l2Model) -> None:
    model.add("video0", Device(error=errno.EACCES))
    names = model.root / "sys/class/video4linux/video0"
    names.mkdir(parents=True)
    (names / "name").write_text("HD Webcam\n")
    (found,) = attached_cameras(model.root)
    assert (found.source, found.name) == ("", "HD Webcam")
    assert "usermod -aG video" in found.trouble


def test_a_camera_that_was_just_unplugged_is_not_there(model: V4l2Model) -> None:
    model.add("video0", Device(error=errno.ENODEV))
    (model.root / "dev/video1").touch()
    assert attached_cameras(model.root) == []


def test_a_sensor_without_a_device_is_pointed_at(model: V4l2Model) -> None:
    add_chip(model, "9-0010", "imx219")
    add_chip(model, "10-0010", "imx219", bound=False)
    add_chip(model, "1-0040", "pca9685")
    (found,) = attached_cameras(model.root)
    assert (found.source, found.device, found.name) == ("", "i2c 9-0010", "imx219")
    assert "ribbon" in found.trouble
    model.add("video0", sensor("imx219 9-0010"))
    assert [camera.source for camera in attached_cameras(model.root)] == ["csi:0"]


def test_where_there_is_none_the_list_is_empty(tmp_path: Path) -> None:
    assert attached_cameras(tmp_path) == []
