"""A robot that measures itself: what it sees of its motion, what it refuses, and that it always ends stopped."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from math import cos, radians, sin

import numpy as np
import pytest

from calibration.floor_motion import FloorMotion
from calibration.profile import Calibration, CameraMount
from calibration.projection import GroundProjection
from control.errors import CalibrationError, CameraError, CameraStalled, MotionError, MotorError
from control.messages import DifferentialCommand, WheelCommand
from robot.measuring.motors import run_trials
from robot.measuring.watch import StoppedByHand, WatchedDrive
from sim.rig import SimCamera, SimClock, SimMotors
from sim.tracks.library import find_track
from sim.vehicle.params import JETBOT, VehicleParams
from sim.world import World

USUAL = Calibration()
Wiring = Callable[[DifferentialCommand], DifferentialCommand]


def world_of(look: str = "red-road", *, vehicle: VehicleParams = JETBOT, calibration: Calibration = USUAL) -> World:
    world = World(find_track("oval"), look=look, vehicle=vehicle, calibration=calibration)
    world.reset(1, lateral_m=0.5)
    return world


class Wired(SimMotors):
    """Motors whose wires are not where they should be; keeps the last command."""

    def __init__(self, world: World, wiring: Wiring = lambda command: command) -> None:
        super().__init__(world)
        self._wiring = wiring
        self.last: WheelCommand | None = None
        self.count = 0

    def apply(self, command: WheelCommand) -> None:
        assert isinstance(command, DifferentialCommand)
        self.last, self.count = command, self.count + 1
        super().apply(self._wiring(command))

    def stop(self) -> None:
        super().stop()
        self.last = DifferentialCommand()


class Trial:
    def __init__(self, world: World, wiring: Wiring = lambda command: command, *, fps: float = 15.0) -> None:
        self.world, self.motors, self.camera = world, Wired(world, wiring), SimCamera(world, fps=fps)
        self.told: list[str] = []
        self.stopped_by = ""
        self.meanwhile: Callable[[Trial], None] = lambda _: None
        self.farthest_m = 0.0

    def run(self) -> WatchedDrive:
        start = self.world.vehicle.pose
        floor = FloorMotion(GroundProjection(USUAL.camera, USUAL.mount))

        def stopped_by() -> str:
            pose = self.world.vehicle.pose
            self.farthest_m = max(self.farthest_m, abs(pose.x - start.x), abs(pose.y - start.y))
            self.meanwhile(self)
            return self.stopped_by

        with self.camera, self.motors:
            drive = WatchedDrive(self.camera, self.motors, SimClock(self.world), floor, stopped_by=stopped_by)
            try:
                run_trials(drive, tell=self.told.append)
            finally:
                self.motors.stop()
        return drive

    def refused(self, kind: type[Exception] = MotionError) -> str:
        with pytest.raises(kind) as error:
            self.run()
        assert self.motors.last == DifferentialCommand()
        self.world.advance(1.0)
        assert self.world.vehicle.wheel_speeds_mps == pytest.approx((0.0, 0.0), abs=1e-3)
        return str(error.value)


@pytest.mark.parametrize("look", ["red-road", "hazard-tape"])
def test_the_floor_tells_how_the_vehicle_moved(look: str) -> None:
    world = world_of(look)
    floor = FloorMotion(GroundProjection(USUAL.camera, USUAL.mount))
    world.step(DifferentialCommand(left=0.3, right=0.25), 0.5)
    first, begin = floor.from_above(world.image()), world.vehicle.pose
    world.advance(0.06)
    moved = floor.between(first, floor.from_above(world.image()))
    end = world.vehicle.pose
    c, s = cos(begin.heading), sin(begin.heading)
    dx, dy = end.x - begin.x, end.y - begin.y
    assert moved is not None
    assert (moved.x, moved.y) == pytest.approx((c * dx + s * dy, c * dy - s * dx), abs=1e-3)
    assert moved.turn == pytest.approx(end.heading - begin.heading, abs=6e-3)


def test_other_places_do_not_match() -> None:
    world, elsewhere = world_of(), world_of("hazard-tape")
    floor = FloorMotion(GroundProjection(USUAL.camera, USUAL.mount))
    assert floor.between(floor.from_above(world.image()), floor.from_above(elsewhere.image())) is None


def test_a_camera_that_sees_no_floor_is_told() -> None:
    with pytest.raises(CalibrationError, match="too little of the floor"):
        FloorMotion(GroundProjection(USUAL.camera, CameraMount(pitch_rad=radians(-85))))


def test_pictures_of_another_size_are_told() -> None:
    floor = FloorMotion(GroundProjection(USUAL.camera, USUAL.mount))
    with pytest.raises(CalibrationError, match="measured at 224x224"):
        floor.from_above(np.zeros((480, 640, 3), np.uint8))


def test_it_stays_within_a_square_metre_and_ends_standing() -> None:
    trial = Trial(world_of())
    drive = trial.run()
    assert trial.told[0] == "standing still"
    assert trial.farthest_m < 0.45
    assert trial.motors.last == DifferentialCommand()
    assert len(drive.steps) > 200
    assert {np.sign(order.command.left) for order in drive.orders} == {-1.0, 0.0, 1.0}


def left_reversed(command: DifferentialCommand) -> DifferentialCommand:
    return replace(command, left=-command.left)


def swapped(command: DifferentialCommand) -> DifferentialCommand:
    return DifferentialCommand(left=command.right, right=command.left)


@pytest.mark.parametrize(
    ("wiring", "told"),
    [
        (left_reversed, "the left motor turns backwards"),
        (lambda command: replace(command, right=-command.right), "the right motor turns backwards"),
        (lambda command: DifferentialCommand(left=-command.left, right=-command.right), "and right motor turn"),
        (swapped, "the motors are swapped"),
        (lambda command: left_reversed(swapped(command)), "reverse the two wires of the left motor"),
        (lambda command: DifferentialCommand(left=-command.right, right=-command.left), "upside down"),
        (lambda command: replace(command, right=0.0), "nothing moved when the right wheel was driven"),
        (lambda command: replace(command, left=0.0), "nothing moved when the left wheel was driven"),
        (lambda command: DifferentialCommand(left=command.left + command.right, right=command.left + command.right),
         "did not turn when its left wheel"),
        (lambda command: DifferentialCommand(left=command.left + command.right), "one wheel turned at both trials"),
    ],
    ids=["left-reversed", "right-reversed", "both-reversed", "swapped", "swapped-left-reversed", "upside-down",
         "right-dead", "left-dead", "on-one-output", "only-left"],
)  # fmt: skip
def test_wrong_wires_are_named(wiring: Wiring, told: str) -> None:
    assert told in Trial(world_of(), wiring).refused()


def test_a_motor_that_does_not_stop_is_noticed() -> None:
    trial = Trial(
        world_of(), lambda command: command if command != DifferentialCommand() else replace(command, left=0.2)
    )
    assert "told to stand" in trial.refused()


def test_a_robot_that_runs_away_is_stopped_within_the_square() -> None:
    def faster(command: DifferentialCommand) -> DifferentialCommand:
        times = 4 if trial.motors.count > 80 else 1
        return DifferentialCommand(left=command.left * times, right=command.right * times)

    trial = Trial(world_of(), faster)
    told = trial.refused()
    assert "from where it began" in told or "can no longer be followed" in told
    assert trial.farthest_m < 0.6


def test_a_hand_stops_it_at_once() -> None:
    trial = Trial(world_of())

    def press(trial: Trial) -> None:
        if trial.motors.count == 30:
            trial.stopped_by = "a key"

    trial.meanwhile = press
    assert trial.refused(StoppedByHand) == "stopped by a key; nothing was measured"
    assert trial.motors.count == 30


def when(count: int, do: Callable[[Trial], None]) -> Callable[[Trial], None]:
    return lambda trial: do(trial) if trial.motors.count >= count else None


def test_a_covered_lens_stops_it() -> None:
    trial = Trial(world_of())
    trial.meanwhile = when(40, lambda trial: setattr(trial.camera, "dark", True))
    assert "can no longer be followed" in trial.refused()
    assert trial.motors.count < 50


def test_a_camera_that_stalls_or_dies_stops_it() -> None:
    for attribute, kind in (("stalled", CameraStalled), ("dead", CameraError)):
        trial = Trial(world_of())
        trial.meanwhile = when(40, lambda trial, name=attribute: setattr(trial.camera, name, True))  # type: ignore[misc]
        trial.refused(kind)


def test_motors_that_refuse_end_it() -> None:
    trial = Trial(world_of())
    trial.meanwhile = when(40, lambda trial: setattr(trial.motors, "failing", True))
    with pytest.raises(MotorError):
        trial.run()


def test_a_plain_floor_is_told() -> None:
    trial = Trial(world_of("yellow-dashes"))
    told = trial.refused()
    assert "newspaper" in told
