"""From curvature and speed to what the wheels get: differential duties, or servo and throttle."""

from __future__ import annotations

from dataclasses import dataclass
from math import atan, isfinite, radians
from typing import Protocol

from control.checks import require_between, require_positive
from control.limits import clamp
from control.messages import AckermannCommand, DifferentialCommand, DriveCommand, WheelCommand

_ROUNDING = 1e-12


class Mixer(Protocol):
    def wheels(self, command: DriveCommand) -> tuple[WheelCommand, bool]:
        """The wheel command and whether it falls short of what was asked. Zero speed gives exactly zero drive."""
        ...


def duty_of_speed(speed_mps: float, *, top_speed_mps: float, dead_zone: float) -> float:
    """sign(v) * dead_zone + v / top_speed * (1 - dead_zone); exactly 0 at rest."""
    if speed_mps == 0:
        return 0.0
    return (dead_zone if speed_mps > 0 else -dead_zone) + speed_mps / top_speed_mps * (1.0 - dead_zone)


def speed_of_duty(duty: float, *, top_speed_mps: float, dead_zone: float) -> float:
    """The inverse of ``duty_of_speed``; a duty inside the dead zone moves nothing."""
    beyond = max(0.0, abs(duty) - dead_zone) / (1.0 - dead_zone) * top_speed_mps
    return beyond if duty > 0 else -beyond


@dataclass(frozen=True, slots=True, kw_only=True)
class DifferentialMixer:
    """Two driven wheels. A gain above 1 drives its wheel harder, to make up for a weak motor."""

    wheel_base_m: float = 0.10
    top_speed_mps: float = 0.9
    dead_zone: float = 0.04
    left_gain: float = 1.0
    right_gain: float = 1.0

    def __post_init__(self) -> None:
        require_positive(
            "drive", wheel_base_m=self.wheel_base_m, top_speed_mps=self.top_speed_mps,
            left_gain=self.left_gain, right_gain=self.right_gain,
        )  # fmt: skip
        require_between("drive", "dead_zone", value=self.dead_zone, high=0.9)

    def wheels(self, command: DriveCommand) -> tuple[DifferentialCommand, bool]:
        """When a wheel saturates both slow down together, so that the curvature is kept."""
        turn = 0.5 * self.wheel_base_m * command.curvature_1pm
        left = command.speed_mps * (1.0 - turn) * self.left_gain
        right = command.speed_mps * (1.0 + turn) * self.right_gain
        if not (isfinite(left) and isfinite(right)):
            return DifferentialCommand(), True
        fastest = max(abs(left), abs(right))
        too_fast = fastest > self.top_speed_mps * (1.0 + _ROUNDING)
        scale = self.top_speed_mps / fastest if too_fast else 1.0
        return DifferentialCommand(left=self._duty(left * scale), right=self._duty(right * scale)), too_fast

    def _duty(self, speed_mps: float) -> float:
        duty = duty_of_speed(speed_mps, top_speed_mps=self.top_speed_mps, dead_zone=self.dead_zone)
        return clamp(duty, low=-1.0, high=1.0)[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class AckermannMixer:
    """A steering servo and one throttle: steering = center + atan(wheel_base * curvature) / max_angle."""

    wheel_base_m: float = 0.174
    max_angle_rad: float = radians(28.0)
    center: float = 0.0
    right_limit: float = -1.0
    left_limit: float = 1.0
    top_speed_mps: float = 3.0
    dead_zone: float = 0.05

    def __post_init__(self) -> None:
        require_positive(
            "steering", wheel_base_m=self.wheel_base_m, max_angle_rad=self.max_angle_rad,
            top_speed_mps=self.top_speed_mps,
        )  # fmt: skip
        require_between("steering", "center", value=self.center, low=-0.5, high=0.5)
        require_between("steering", "right_limit", value=self.right_limit, low=-1.0, high=self.center)
        require_between("steering", "left_limit", value=self.left_limit, low=self.center, high=1.0)
        require_between("steering", "dead_zone", value=self.dead_zone, high=0.9)

    def wheels(self, command: DriveCommand) -> tuple[AckermannCommand, bool]:
        """Steering stays where asked at rest too, so that it can be held and centred while standing."""
        if not (isfinite(command.curvature_1pm) and isfinite(command.speed_mps)):
            return AckermannCommand(steering=self.center), True
        angle = atan(self.wheel_base_m * command.curvature_1pm)
        steering, turn_limited = clamp(
            self.center + angle / self.max_angle_rad, low=self.right_limit, high=self.left_limit
        )
        duty = duty_of_speed(command.speed_mps, top_speed_mps=self.top_speed_mps, dead_zone=self.dead_zone)
        throttle, speed_limited = clamp(duty, low=-1.0, high=1.0)
        return AckermannCommand(steering=steering, throttle=throttle), turn_limited or speed_limited
