from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from queue import Queue
from threading import Event

import numpy as np
import pytest

from control.errors import CameraError, CameraStalled
from robot.cameras.latest import LatestFrameCamera
from robot.cameras.source import Image


class Device:
    """Gives a picture for each number that is put in; anything else kills it."""

    def __init__(self) -> None:
        self.queue: Queue[int | None] = Queue()
        self.asked = Event()
        self.released = 0

    def grab(self) -> Image:
        self.asked.set()
        number = self.queue.get()
        if number is None:
            raise CameraError("unplugged")
        return np.full((2, 2, 3), number, np.uint8)

    def close(self) -> None:
        self.released += 1
        self.queue.put(None)

    @contextmanager
    def open(self) -> Iterator[LatestFrameCamera]:
        with LatestFrameCamera(self, name="fake") as camera:
            yield camera
            # Closing waits for the read that is under way.
            self.queue.put(0)

    def take(self, *numbers: int | None) -> None:
        """Returns when the reader has taken them all and asks for more, or has died."""
        for number in numbers:
            self.asked.clear()
            self.queue.put(number)
            if number is not None:
                assert self.asked.wait(5)


@pytest.fixture
def device() -> Device:
    return Device()


def test_gives_only_the_newest_frame_and_shows_the_gap(device: Device) -> None:
    with device.open() as camera:
        frames = camera.frames(timeout_s=5)
        device.take(1)
        first = next(frames)
        device.take(2, 3, 4)
        newest = next(frames)
    assert (first.image[0, 0, 0], first.index) == (1, 0)
    assert (newest.image[0, 0, 0], newest.index) == (4, 3)
    assert newest.stamp_s >= first.stamp_s


def test_the_same_frame_is_never_given_twice(device: Device) -> None:
    with device.open() as camera:
        frames = camera.frames(timeout_s=0.02)
        device.take(1)
        next(frames)
        with pytest.raises(CameraStalled, match="20 ms"):
            next(frames)


def test_goes_on_after_a_stall(device: Device) -> None:
    with device.open() as camera:
        with pytest.raises(CameraStalled):
            next(camera.frames(timeout_s=0.01))
        device.take(7)
        assert next(camera.frames(timeout_s=5)).image[0, 0, 0] == 7


def test_a_dead_device_is_an_error_at_once_and_for_ever(device: Device) -> None:
    with device.open() as camera:
        device.take(None)
        for _ in range(2):
            with pytest.raises(CameraError, match="unplugged") as caught:
                next(camera.frames(timeout_s=5))
            assert not isinstance(caught.value, CameraStalled)


def test_the_last_frame_before_the_death_is_still_given(device: Device) -> None:
    with device.open() as camera:
        device.take(1, None)
        frames = camera.frames(timeout_s=5)
        assert next(frames).image[0, 0, 0] == 1
        with pytest.raises(CameraError, match="unplugged"):
            next(frames)


def test_releases_the_device_once(device: Device) -> None:
    with device.open() as camera:
        device.take(1)
    camera.close()
    assert device.released == 1
    with pytest.raises(CameraError, match="closed"):
        next(camera.frames(timeout_s=1))
