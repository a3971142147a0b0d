"""A camera that gives a new picture at exact moments of real time."""

from __future__ import annotations

from collections.abc import Iterator
from threading import Event
from time import monotonic

from robot.cameras.source import Frame
from tests.robot.fakes import picture

pause = Event().wait


class SteadyCamera:
    """Moments that nobody waited for are skipped and show as gaps in the numbers, as with a real camera."""

    def __init__(self, *, fps: float) -> None:
        self._period_s = 1.0 / fps
        self._began_s = monotonic()
        self._index = 0

    def frames(self, *, timeout_s: float) -> Iterator[Frame]:
        while True:
            self._index = max(self._index + 1, int((monotonic() - self._began_s) / self._period_s))
            due_s = self._began_s + self._index * self._period_s
            pause(max(0.0, due_s - monotonic()))
            yield Frame(image=picture(self._index), stamp_s=due_s, index=self._index)

    def close(self) -> None: ...

    def __enter__(self) -> SteadyCamera:
        return self

    def __exit__(self, *_: object) -> None: ...
