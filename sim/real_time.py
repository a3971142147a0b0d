"""Simulated time held to the clock on the wall, for when a person looks on or steers."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from threading import Event
from types import TracebackType

from robot.cameras.source import Camera, Frame

_BEHIND_S = 0.2
"""A computer that is slower than the world does not hurry to make up for more than this."""


def _pause(seconds: float) -> None:
    Event().wait(seconds)


class RealTimeCamera:
    """Gives each frame of ``camera`` not before its time."""

    def __init__(
        self, camera: Camera, *, now_s: Callable[[], float] = time.monotonic, pause: Callable[[float], None] = _pause
    ) -> None:
        self._camera, self._now_s, self._pause = camera, now_s, pause
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

    def close(self) -> None:
        self._camera.close()

    def __enter__(self) -> RealTimeCamera:
        self._camera.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._camera.__exit__(kind, error, trace)
