"""What every camera must do, real and simulated: one suite over all of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from itertools import count
from pathlib import Path
from threading import Event

import cv2
import numpy as np
import pytest

from control.errors import CameraError
from robot.cameras.file import FileCamera
from robot.cameras.gst_launch import GstLaunch
from robot.cameras.latest import LatestFrameCamera
from robot.cameras.source import Camera, Image
from sim.rig import SimCamera
from sim.tracks.library import find_track
from sim.world import World
from tests.robot.gst_tool import needs_gst_launch

COUNT = 5
Opener = Callable[[Path], Camera]


def a_folder(place: Path) -> Camera:
    for number in range(COUNT):
        cv2.imwrite(str(place / f"{number}.png"), np.full((24, 32, 3), 20 * number, np.uint8))
    return FileCamera(place)


def a_video(place: Path) -> Camera:
    writer = cv2.VideoWriter(str(place / "v.avi"), cv2.VideoWriter.fourcc(*"MJPG"), 25, (64, 48))
    for number in range(COUNT):
        writer.write(np.full((48, 64, 3), 20 * number, np.uint8))
    writer.release()
    return FileCamera(place / "v.avi")


def a_video_in_real_time(place: Path) -> Camera:
    a_video(place).close()
    return FileCamera(place / "v.avi", realtime=True)


class LiveDevice:
    """Goes on for ever, at its own pace."""

    def __init__(self) -> None:
        self._given = count()

    def grab(self) -> Image:
        number = next(self._given)
        if number >= COUNT:
            Event().wait(0.02)
        return np.full((24, 32, 3), number % 256, np.uint8)

    def close(self) -> None:
        """Nothing is open."""


def a_live_camera(_: Path) -> Camera:
    return LatestFrameCamera(LiveDevice(), name="fake")


def a_gstreamer_pipeline(_: Path) -> Camera:
    device = GstLaunch("videotestsrc is-live=true ! video/x-raw,format=BGR", name="gst", stall_s=20.0)
    return LatestFrameCamera(device, name="gst")


def a_simulated_camera(_: Path) -> Camera:
    return SimCamera(World(find_track("straight")))


OPENERS: tuple[Opener, ...] = (a_folder, a_video, a_video_in_real_time, a_live_camera, a_simulated_camera)
PARAMS = [*OPENERS, pytest.param(a_gstreamer_pipeline, marks=needs_gst_launch)]


@pytest.fixture(params=PARAMS, ids=[opener.__name__ for opener in (*OPENERS, a_gstreamer_pipeline)])
def camera(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Camera]:
    opened: Camera = request.param(tmp_path)
    with ExitStack() as stack:
        stack.callback(opened.close)
        yield opened


def test_entering_gives_the_camera_itself(camera: Camera) -> None:
    with camera as entered:
        assert entered is camera


def test_gives_colour_pictures_of_one_size(camera: Camera) -> None:
    with camera:
        frame = next(camera.frames(timeout_s=5))
    assert frame.image.dtype == np.uint8
    assert frame.image.ndim == 3
    assert frame.image.shape[2] == 3


def test_numbers_and_stamps_never_go_back(camera: Camera) -> None:
    stamps: list[float] = []
    indices: list[int] = []
    with camera:
        for frame in camera.frames(timeout_s=5):
            stamps.append(frame.stamp_s)
            indices.append(frame.index)
            if frame.index >= COUNT - 1:
                break
    assert stamps == sorted(stamps)
    assert len(set(indices)) == len(indices)
    assert indices == sorted(indices)
    assert indices[-1] >= COUNT - 1


def test_asking_again_goes_on_instead_of_from_the_start(camera: Camera) -> None:
    with camera:
        first = next(camera.frames(timeout_s=5))
        again = next(camera.frames(timeout_s=5))
    assert again.index > first.index


def test_closing_twice_is_fine(camera: Camera) -> None:
    camera.close()
    camera.close()


def test_a_closed_camera_says_so_instead_of_hanging(camera: Camera) -> None:
    with camera:
        pass
    with pytest.raises(CameraError) as caught:
        next(camera.frames(timeout_s=5))
    assert "\n" not in str(caught.value)


def test_leaving_does_not_swallow_errors(camera: Camera) -> None:
    with pytest.raises(ValueError, match="mine"), camera:
        raise ValueError("mine")
