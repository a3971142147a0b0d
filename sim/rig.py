"""The robot's protocols over a World: a simulated clock, camera and motors under the real loop."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from types import TracebackType

from control.errors import CameraError, CameraStalled
from control.messages import WheelCommand
from robot.cameras.source import Frame
from sim.vehicle.actuators import standing
from sim.world import World


class SimClock:
    def __init__(self, world: World) -> None:
        self._world = world

    def now_s(self) -> float:
        return self._world.now_s


class SimCamera:
    """Time passes only while the loop waits for the next frame; each arrives ``camera_delay_s`` after its exposure."""

    def __init__(self, world: World, *, fps: float = 30.0) -> None:
        self._world = world
        self._period_s = 1.0 / fps
        self.stalled = False
        """Set by tests: no further frame comes."""
        self.dead = False
        """Set by tests: the device is gone."""

    def frames(self, *, timeout_s: float) -> Iterator[Frame]:
        world, delay_s = self._world, self._world.params.camera_delay_s
        start, index = world.now_s, 0
        exposed: deque[Frame] = deque()
        while True:
            if self.dead:
                raise CameraError("the simulated camera died")
            if self.stalled:
                world.advance(timeout_s)
                raise CameraStalled(f"no frame for {timeout_s * 1000:.0f} ms from the simulated camera")
            next_exposure_s = start + index * self._period_s
            if exposed and exposed[0].stamp_s <= next_exposure_s:
                self._wait_until(exposed[0].stamp_s)
                yield exposed.popleft()
                continue
            self._wait_until(next_exposure_s)
            exposed.append(Frame(image=world.image(), stamp_s=next_exposure_s + delay_s, index=index))
            index += 1

    def _wait_until(self, when_s: float) -> None:
        if when_s > self._world.now_s:
            self._world.advance(when_s - self._world.now_s)

    def close(self) -> None:
        self.stalled = True

    def __enter__(self) -> SimCamera:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class SimMotors:
    def __init__(self, world: World) -> None:
        self._world = world

    def apply(self, command: WheelCommand) -> None:
        self._world.command(command)

    def stop(self) -> None:
        self._world.command(standing(self._world.params))

    def close(self) -> None:
        self.stop()

    def __enter__(self) -> SimMotors:
        self.stop()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
