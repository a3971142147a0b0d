"""Drives a robot by plain wheel commands while its camera watches the floor; whatever is odd ends it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from math import cos, hypot, sin

from calibration.floor_motion import STILL, Floats, FloorMotion, Moved
from calibration.rolling import Order, Step
from control.errors import MotionError
from control.messages import AckermannCommand, DifferentialCommand, WheelCommand
from robot.cameras.source import Camera, Frame
from robot.drive.clock import Clock
from robot.motors.driver import Motors

_STALLED_S = 0.25
_HALF_SQUARE_M = 0.45
"""The origin stays this near to where it began: with the robot's own size a square of about a metre."""
_FASTEST_MPS, _FASTEST_RPS = 1.2, 9.0
_BLIND_FRAMES = 4
_NEW_KEY_M, _NEW_KEY_RAD = 0.03, 0.15
_STILL_M = 0.004
"""A robot that was told to stand has rolled out when it moves less than this between two pictures."""
_ROLL_OUT_S = 0.8


class StoppedByHand(MotionError):  # noqa: N818 - reads as what happened
    pass


@dataclass(frozen=True, slots=True, kw_only=True)
class Pose:
    """Where the robot is, seen from where it began."""

    x: float = 0.0
    y: float = 0.0
    heading: float = 0.0

    def after(self, moved: Moved) -> Pose:
        c, s = cos(self.heading), sin(self.heading)
        return Pose(
            x=self.x + c * moved.x - s * moved.y,
            y=self.y + s * moved.x + c * moved.y,
            heading=self.heading + moved.turn,
        )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Look:
    frame: Frame
    patch: Floats
    """The floor from above."""
    moved: Moved
    """Since the key."""


class WatchedDrive:
    """Camera and motors are open already; ``orders`` and ``steps`` hold all that was done and seen."""

    def __init__(
        self, camera: Camera, motors: Motors, clock: Clock, floor: FloorMotion, *, stopped_by: Callable[[], str]
    ) -> None:
        """``stopped_by``: who wants it to end, empty as long as nobody does."""
        self.orders: list[Order] = []
        self.steps: list[Step] = []
        self.pose = Pose()
        self.standing: WheelCommand = DifferentialCommand()
        """What ``rest`` commands; a steering servo stays where it is held."""
        self._frames: Iterator[Frame] = camera.frames(timeout_s=_STALLED_S)
        self._motors, self._clock, self._floor, self._stopped_by = motors, clock, floor, stopped_by
        frame = next(self._frames)
        self._key = self._last = _Look(frame=frame, patch=floor.from_above(frame.image), moved=STILL)
        """Pictures are compared with the key until the robot is some way off: small errors then do not add up."""
        self._key_pose = self.pose
        self._blind = 0
        self._standing_since_s: float | None = None

    def hold(self, command: WheelCommand, seconds: float) -> Moved:
        """Command these duties for so long; how the robot moved meanwhile. Raises what devices raise."""
        begin, until_s = self.pose, self._clock.now_s() + seconds
        while self._clock.now_s() < until_s:
            self._one_frame(command)
        c, s = cos(begin.heading), sin(begin.heading)
        dx, dy = self.pose.x - begin.x, self.pose.y - begin.y
        return Moved(x=c * dx + s * dy, y=c * dy - s * dx, turn=self.pose.heading - begin.heading)

    def rest(self, seconds: float) -> Moved:
        return self.hold(self.standing, seconds)

    def _one_frame(self, command: WheelCommand) -> None:
        who = self._stopped_by()
        if who:
            raise StoppedByHand(f"stopped by {who}; nothing was measured")
        self._motors.apply(command)
        self._note(command)
        frame = next(self._frames, None)
        if frame is None:
            raise MotionError("the camera gave no further picture")
        patch = self._floor.from_above(frame.image)
        seconds = frame.stamp_s - self._last.frame.stamp_s
        moved = self._match(patch, seconds)
        if moved is None:
            self._blind += 1
            if self._blind > _BLIND_FRAMES:
                raise MotionError(
                    "the floor can no longer be followed: too plain or too dark, or the robot is lifted or too fast; "
                    "spread a newspaper on the floor, and look whether something hangs before the camera"
                )
            # The next picture is compared with the last one that matched.
            return
        self._blind = 0
        self.steps.append(Step(begin_s=self._key.frame.stamp_s, end_s=frame.stamp_s, moved=moved))
        before, self.pose = self.pose, self._key_pose.after(moved)
        self._last = _Look(frame=frame, patch=patch, moved=moved)
        self._refuse_odd(before, standing=_stands(command))
        if hypot(moved.x, moved.y) > _NEW_KEY_M or abs(moved.turn) > _NEW_KEY_RAD:
            self._new_key()

    def _match(self, patch: Floats, seconds: float) -> Moved | None:
        """Since the key; a chance likeness that leads too far in so short a time is none."""
        moved = self._floor.between(self._key.patch, patch, guess=self._last.moved)
        if moved is not None and self._possible(moved, seconds):
            return moved
        if self._last is self._key:
            return None
        self._new_key()
        moved = self._floor.between(self._key.patch, patch)
        return moved if moved is not None and self._possible(moved, seconds) else None

    def _possible(self, moved: Moved, seconds: float) -> bool:
        last = self._last.moved
        distance, turned = hypot(moved.x - last.x, moved.y - last.y), abs(moved.turn - last.turn)
        return distance < _FASTEST_MPS * seconds and turned < _FASTEST_RPS * seconds

    def _new_key(self) -> None:
        self._key, self._key_pose = replace(self._last, moved=STILL), self.pose
        self._last = self._key

    def _note(self, command: WheelCommand) -> None:
        now_s = self._clock.now_s()
        if not _stands(command):
            self._standing_since_s = None
        elif self._standing_since_s is None:
            self._standing_since_s = now_s
        if not self.orders or self.orders[-1].command != command:
            self.orders.append(Order(at_s=now_s, command=command))

    def _refuse_odd(self, before: Pose, *, standing: bool) -> None:
        distance = hypot(self.pose.x - before.x, self.pose.y - before.y)
        turned = abs(self.pose.heading - before.heading)
        if max(abs(self.pose.x), abs(self.pose.y)) > _HALF_SQUARE_M:
            raise MotionError(
                f"the robot is {hypot(self.pose.x, self.pose.y):.2f} m from where it began and was stopped; "
                "set it down with free floor around it and begin again"
            )
        rolled_out = self._standing_since_s is not None and self._clock.now_s() > self._standing_since_s + _ROLL_OUT_S
        if standing and rolled_out and (distance > _STILL_M or turned > _STILL_M * 10):
            raise MotionError("the robot moves although it was told to stand; is it pushed, or does a motor not stop?")


def _stands(command: WheelCommand) -> bool:
    return command.throttle == 0 if isinstance(command, AckermannCommand) else command == DifferentialCommand()
