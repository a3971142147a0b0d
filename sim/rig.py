"""The robot's protocols over a World: a simulated clock, camera and motors under the real loop."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from types import TracebackType
from typing import Protocol

import numpy as np

from control.errors import CameraError, CameraStalled, MotorError
from control.messages import WheelCommand
from robot.cameras.source import Frame, Image
from sim.vehicle.actuators import standing
from sim.vehicle.params import VehicleParams


class Surroundings(Protocol):
    """What a robot drives in: a World, or the pictures of a recorded drive."""

    @property
    def params(self) -> VehicleParams: ...

    @property
    def now_s(self) -> float: ...

    def image(self) -> Image:
        """What the camera sees now."""
        ...

    def command(self, wheels: WheelCommand) -> None: ...

    def advance_to(self, when_s: float) -> None: ...


class SimClock:
    def __init__(self, world: Surroundings) -> None:
        self._world = world

    def now_s(self) -> float:
        return self._world.now_s


class SimCamera:
    """Time passes only while the loop waits for the next frame; each arrives ``camera_delay_s`` after its exposure.

    Frames are numbered through, over a stall and over a second call of ``frames``.
    """

    def __init__(self, world: Surroundings, *, fps: float = 30.0) -> None:
        if not fps > 0:
            raise CameraError(f"the simulated camera needs a positive frame rate, not {fps:g}")
        self._world = world
        self._period_s = 1.0 / fps
        self._start_s = world.now_s
        self._index = 0
        self._exposed: deque[Frame] = deque()
        self._last: Image | None = None
        self._closed = False
        self.stalled = False
        """Set by tests: no further frame comes."""
        self.dead = False
        """Set by tests: the device is gone."""
        self.dark = False
        """Set by tests: somebody covered the lens."""
        self.frozen = False
        """Set by tests: the last picture comes again and again."""

    def frames(self, *, timeout_s: float) -> Iterator[Frame]:
        """Raises CameraStalled after ``timeout_s`` of simulated time, CameraError when closed or dead."""
        while True:
            waiting_since_s = self._world.now_s
            while not self._frame_is_there():
                if self._closed or self.dead:
                    raise CameraError(
                        "the simulated camera " + ("is closed; enter it again" if self._closed else "died")
                    )
                self._pass_to_next_event(waiting_since_s + timeout_s)
                if self._world.now_s >= waiting_since_s + timeout_s and not self._frame_is_there():
                    raise CameraStalled(f"no frame for {timeout_s * 1000:.0f} ms from the simulated camera")
            yield self._exposed.popleft()

    def _frame_is_there(self) -> bool:
        usable = not (self._closed or self.dead or self.stalled)
        return usable and bool(self._exposed) and self._exposed[0].stamp_s <= self._world.now_s

    def _pass_to_next_event(self, deadline_s: float) -> None:
        """Let time pass until an exposure, an arrival or the deadline."""
        if self.stalled:
            self._exposed.clear()
        exposure_s = self._start_s + self._index * self._period_s
        arrival_s = self._exposed[0].stamp_s if self._exposed else exposure_s
        until_s = min(exposure_s, arrival_s, deadline_s)
        if until_s > self._world.now_s:
            self._world.advance_to(until_s)
        if until_s == exposure_s:
            self._expose(exposure_s)

    def _expose(self, now_s: float) -> None:
        if not self.stalled:
            stamp_s = now_s + self._world.params.camera_delay_s
            self._exposed.append(Frame(image=self._picture(), stamp_s=stamp_s, index=self._index))
        self._index += 1

    def _picture(self) -> Image:
        if not (self.frozen and self._last is not None):
            self._last = self._world.image()
        return np.zeros_like(self._last) if self.dark else self._last

    def close(self) -> None:
        self._closed = True
        self._exposed.clear()

    def __enter__(self) -> SimCamera:
        """Opens it, again if need be: the first exposure is now."""
        self._closed = False
        self._start_s, self._index = self._world.now_s, 0
        self._exposed.clear()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class SimMotors:
    def __init__(self, world: Surroundings) -> None:
        self._world = world
        self._closed = False
        self.failing = False
        """Set by tests: the bus refuses every write."""

    def apply(self, command: WheelCommand) -> None:
        if self._closed:
            raise MotorError("the simulated motors are closed; enter them again")
        if self.failing:
            raise MotorError("the simulated motor bus refused a write")
        self._world.command(command)

    def stop(self) -> None:
        if not self.failing:
            self._world.command(standing(self._world.params))

    def close(self) -> None:
        if not self._closed:
            self.stop()
        self._closed = True

    def __enter__(self) -> SimMotors:
        self._closed = False
        self.stop()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
