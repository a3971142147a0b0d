"""``open_motors``: one call from the settings to motors."""

from __future__ import annotations

from control.errors import ConfigError
from control.messages import WheelCommand
from robot.motors.driver import Motors
from robot.motors.settings import MotorSettings

__all__ = ["open_motors"]


def open_motors(settings: MotorSettings, *, standing: WheelCommand) -> Motors:
    """``standing`` is the command at which this drive stands still. Raises ConfigError, MotorError."""
    if settings.driver == "dry-run":
        from robot.motors.dry_run import DryRunMotors

        return DryRunMotors(standing)
    if settings.driver == "sim":
        raise ConfigError("the motors 'sim' need a simulated track: linepilot drive --track NAME")
    from robot.motors.board import BoardMotors
    from robot.motors.boards import make_board

    # Says what is wrong with the settings here, not in another process.
    board = make_board(settings)
    if not settings.guarded:
        return BoardMotors(board, standing=standing)
    from robot.motors.guarded import GuardedMotors

    return GuardedMotors(settings, standing=standing)
