from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from queue import Queue
from threading import Event
from threading import enumerate as enumerate_threads

import numpy as np
import pytest

from control.errors import CameraError, CameraLost, CameraStalled
from robot.cameras.latest import LatestFrameCamera
from robot.cameras.source import Frame, Image


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


class Opener:
    """Opens devices again, each after so many refusals as ``refusals`` says; never when given up."""

    def __init__(self, *refusals: int) -> None:
        self.refusals = list(refusals)
        self.devices: list[Device] = []
        self.tries = 0

    def __call__(self, given_up: Callable[[], bool]) -> Device:
        self.tries += 1
        if self.refusals[0] > 0:
            self.refusals[0] -= 1
            raise CameraError("still unplugged")
        self.refusals.pop(0)
        device = Device()
        device.queue.put(50 + len(self.devices))
        self.devices.append(device)
        return device


def frame_after_loss(camera: LatestFrameCamera) -> Frame:
    for _ in range(2000):
        with suppress(CameraStalled):
            return next(camera.frames(timeout_s=0.01))
    raise AssertionError("no frame came")


def test_a_device_that_died_is_closed_and_opened_again_until_it_works(device: Device) -> None:
    again = Opener(3, 0)
    with LatestFrameCamera(device, name="fake", reopen=again, back_off_s=(0.0, 0.001)) as camera:
        device.take(1)
        first = next(camera.frames(timeout_s=5))
        device.take(None)
        with pytest.raises(CameraLost, match="unplugged"):
            next(camera.frames(timeout_s=5))
        second = frame_after_loss(camera)
        assert (second.image[0, 0, 0], second.index) == (50, first.index + 1)
        assert device.released == 1
        again.devices[0].queue.put(None)
        third = frame_after_loss(camera)
        assert (third.image[0, 0, 0], third.index) == (51, second.index + 1)
        again.devices[1].queue.put(0)
    assert again.tries == 5
    assert [opened.released for opened in again.devices] == [1, 1]


def test_closing_does_not_wait_for_the_next_try(device: Device) -> None:
    again = Opener(10**9)
    with LatestFrameCamera(device, name="fake", reopen=again, back_off_s=(0.0, 3600.0)) as camera:
        device.take(None)
        while again.tries < 1:
            with suppress(CameraStalled):
                next(camera.frames(timeout_s=0.01))
        reader = next(thread for thread in enumerate_threads() if thread.name == "camera fake")
    assert not reader.is_alive()
    assert again.tries == 1
