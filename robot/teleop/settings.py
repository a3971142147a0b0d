"""The ``emergency_stop:`` part of the robot file."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class EmergencyStopSettings(BaseModel):
    """Keys of the terminal need no setting."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    pin: int | None = Field(default=None, ge=1, le=40)
    """Number on the header of a normally closed switch to ground, with a pull-up of 10 kOhm; empty is none."""
