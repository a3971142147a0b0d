"""A car that measures its own steering: what it refuses, and that it always ends standing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from calibration.floor_motion import FloorMotion
from calibration.profile import Calibration
from calibration.projection import GroundProjection
from control.errors import CameraStalled, MotionError
from control.messages import AckermannCommand, WheelCommand
from robot.measuring.steering import run_arcs
from robot.measuring.watch import StoppedByHand, WatchedDrive
from sim.rig import SimCamera, SimClock, SimMotors
from sim.tracks.library import find_track
from sim.vehicle.params import JETRACER
from sim.world import World

USUAL = Calibration()
Wiring = Callable[[AckermannCommand], AckermannCommand]


class Wired(SimMotors):
    """A servo and a motor whose wires are not where they should be; keeps the last command."""

    def __init__(self, world: World, wiring: Wiring) -> None:
        super().__init__(world)
        self._wiring = wiring
        self.last: WheelCommand | None = None
        self.count = 0

    def apply(self, command: WheelCommand) -> None:
        assert isinstance(command, AckermannCommand)
        self.last, self.count = command, self.count + 1
        super().apply(self._wiring(command))

    def stop(self) -> None:
        super().stop()
        self.last = AckermannCommand()


class Arcs:
    def __init__(self, wiring: Wiring = lambda command: command) -> None:
        self.world = World(find_track("oval"), look="red-road", vehicle=JETRACER, clutter=0)
        self.world.reset(1, lateral_m=0.5)
        self.motors, self.camera = Wired(self.world, wiring), SimCamera(self.world, fps=15.0)
        self.meanwhile: Callable[[Arcs], str] = lambda _: ""
        self.farthest_m = 0.0

    def _run(self, floor: FloorMotion, stopped_by: Callable[[], str]) -> None:
        with self.camera, self.motors:
            drive = WatchedDrive(self.camera, self.motors, SimClock(self.world), floor, stopped_by=stopped_by)
            try:
                run_arcs(drive, tell=lambda _: None)
            finally:
                self.motors.stop()

    def refused(self, kind: type[Exception] = MotionError) -> str:
        """Why it ended; it then stands."""
        start = self.world.vehicle.pose
        floor = FloorMotion(GroundProjection(USUAL.camera, USUAL.mount))

        def stopped_by() -> str:
            pose = self.world.vehicle.pose
            self.farthest_m = max(self.farthest_m, abs(pose.x - start.x), abs(pose.y - start.y))
            return self.meanwhile(self)

        with pytest.raises(kind) as error:
            self._run(floor, stopped_by)
        assert self.motors.last == AckermannCommand()
        self.world.advance(1.0)
        assert self.world.vehicle.speed_mps == pytest.approx(0.0, abs=1e-3)
        return str(error.value)


@pytest.mark.parametrize(
    ("wiring", "told"),
    [
        (lambda c: replace(c, throttle=0.0), "nothing moved with a throttle"),
        (lambda c: replace(c, throttle=-c.throttle), "went back when told to go ahead"),
        (lambda c: replace(c, throttle=max(0.0, c.throttle)), "does not drive back"),
        (lambda c: replace(c, steering=-c.steering), "steering goes the wrong way"),
        (lambda c: replace(c, steering=0.0), "drove the same way"),
    ],
    ids=["dead", "reversed", "brakes", "steers-wrong", "no-servo"],
)
def test_what_is_wired_wrong_is_named(wiring: Wiring, told: str) -> None:
    arcs = Arcs(wiring)
    assert told in arcs.refused()
    assert arcs.farthest_m < 0.45


def test_a_hand_stops_it_at_once() -> None:
    arcs = Arcs()
    arcs.meanwhile = lambda arcs: "a key" if arcs.motors.count >= 30 else ""
    assert arcs.refused(StoppedByHand) == "stopped by a key; nothing was measured"
    assert arcs.motors.count == 30


def test_a_camera_that_stalls_stops_it() -> None:
    arcs = Arcs()

    def stall(arcs: Arcs) -> str:
        arcs.camera.stalled = arcs.motors.count >= 40
        return ""

    arcs.meanwhile = stall
    arcs.refused(CameraStalled)
