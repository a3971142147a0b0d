"""Simulated time held to the clock on the wall, for when a person looks on or steers."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from threading import Event

from robot.cameras.source import Camera, Frame
from robot.cameras.wrapped import WrappedCamera

_BEHIND_S = 0.2
"""A computer that is slower than the world does not hurry to make up for more than this."""


def _pause(seconds: float) -> None:
    Event().wait(seconds)


class RealTimeCamera(WrappedCamera):
    """Gives each frame of ``camera`` not before its time."""

    def __init__(
        self, camera: Camera, *, now_s: Callable[[], float] = time.monotonic, pause: Callable[[float], None] = _pause
    ) -> None:
        super().__init__(camera)
        self._now_s, self._pause = now_s, pause
        self._ahead_s: float | None = None
        """Of the wall's clock over the camera's."""

    def frames(self, *, timeout_s: float) -> Iterator[Frame]:
        for frame in self._camera.frames(timeout_s=timeout_s):
            now_s = self._now_s()
            if self._ahead_s is None or now_s - frame.stamp_s - self._ahead_s > _BEHIND_S:
                self._ahead_s = now_s - frame.stamp_s
            early_s = frame.stamp_s + self._ahead_s - now_s
            if early_s > 0:
                self._pause(early_s)
            yield frame
