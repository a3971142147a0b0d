"""``open_motors``: one call from a driver's name to motors."""

from __future__ import annotations

from control.errors import ConfigError
from control.messages import WheelCommand
from robot.motors.driver import Motors

__all__ = ["open_motors"]


def open_motors(spec: str, *, standing: WheelCommand | None = None) -> Motors:
    """``standing`` is the command at which this drive stands still. Raises ConfigError, MotorError."""
    if spec == "dry-run":
        from robot.motors.dry_run import DryRunMotors

        return DryRunMotors(standing)
    if spec == "sim":
        raise ConfigError("the motors 'sim' need a simulated track: linepilot drive --track NAME")
    raise ConfigError(f"unknown motors '{spec}'; give dry-run or sim")
