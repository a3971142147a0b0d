"""The ``emergency_stop:`` and ``teleop:`` parts of the robot file."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from robot.teleop.gamepad_map import GamepadMap

_STRICT = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class EmergencyStopSettings(BaseModel):
    """Keys of the terminal need no setting."""

    model_config = _STRICT

    pin: int | None = Field(default=None, ge=1, le=40)
    """Number on the header of a normally closed switch to ground, with a pull-up of 10 kOhm; empty is none."""


class TeleopSettings(BaseModel):
    """What the stick means at its ends; ``supervisor:`` limits what it may do."""

    model_config = _STRICT

    max_speed_mps: float = Field(default=0.4, gt=0, le=10)
    max_reverse: float = Field(default=0.6, ge=0, le=1)
    """Share of that speed backwards."""
    max_curvature_1pm: float = Field(default=8.0, gt=0, le=100)
    link_lost_s: float = Field(default=0.3, ge=0.1, le=1)
    """A driver who is not heard for longer lets go of everything: the wheels ramp down."""
    gamepad: GamepadMap | None = None
    """Empty is what is known of a pad of that name; ``linepilot teleop --map-gamepad`` finds out another one's."""
