"""What OpenCV opens, here real video files, and the check against what was asked for."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from control.errors import CameraError
from robot.cameras.capture import Capture
from robot.cameras.fitting import fitting


@pytest.fixture
def video(tmp_path: Path) -> cv2.VideoCapture:
    path = tmp_path / "v.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 25, (64, 48))
    for _ in range(3):
        image = np.zeros((48, 64, 3), np.uint8)
        image[:8, :8] = 255
        writer.write(image)
    writer.release()
    return cv2.VideoCapture(str(path))


def test_every_picture_is_given_the_first_one_too_then_an_error(video: cv2.VideoCapture) -> None:
    device = Capture(video, name="usb:0", unopened="?")
    assert (device.size, device.fps) == ((64, 48), 25)
    assert [device.grab().shape for _ in range(3)] == [(48, 64, 3)] * 3
    with pytest.raises(CameraError, match="usb:0: gives no pictures"):
        device.grab()
    device.close()


def test_what_is_not_open_is_refused_with_its_hint() -> None:
    with pytest.raises(CameraError, match="usb:0: cannot be opened; is it plugged in") as caught:
        Capture(cv2.VideoCapture(), name="usb:0", unopened="is it plugged in")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("size", "fps"), [((64, 48), 25.0), ((None, None), None), ((64, None), 27.0), ((None, 48), 10.0)]
)
def test_what_was_asked_for_fits(
    video: cv2.VideoCapture, size: tuple[int | None, int | None], fps: float | None
) -> None:
    device = Capture(video, name="usb:0", unopened="?")
    assert fitting(device, name="usb:0", size=size, fps=fps) is device
    device.close()


@pytest.mark.parametrize(
    ("size", "fps", "reason"),
    [
        ((640, 480), None, "gives 64x48, not 640x480; set camera.width=64 camera.height=48"),
        ((64, 49), None, "not 64x49"),
        ((None, None), 30.0, "gives 25 pictures a second, not 30; set camera.fps=25"),
    ],
)
def test_what_does_not_fit_is_refused_and_closed(
    video: cv2.VideoCapture, size: tuple[int | None, int | None], fps: float | None, reason: str
) -> None:
    with pytest.raises(CameraError, match=reason) as caught:
        fitting(Capture(video, name="usb:0", unopened="?"), name="usb:0", size=size, fps=fps)
    assert "\n" not in str(caught.value)
    assert not video.isOpened()


def test_a_camera_that_hangs_is_turned_by_half(video: cv2.VideoCapture) -> None:
    device = fitting(Capture(video, name="usb:0", unopened="?"), name="usb:0", size=(64, 48), fps=25, upside_down=True)
    image = device.grab()
    assert image[-4, -4, 0] > 200
    assert image[4, 4, 0] < 50
    device.close()
    assert not video.isOpened()
