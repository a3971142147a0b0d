"""One record of all that a pass of the loop saw and did."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeAlias

from control.messages import Decision, DriveCommand, Health, LineEstimate, Verdict, WheelCommand
from robot.cameras.source import Frame


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Tick:
    frame: Frame | None
    """None when no frame came in time, or when the picture was not kept."""
    now_s: float
    """When the wheels were commanded."""
    exposed_s: float
    """When the picture was taken, as far as the calibrated camera delay tells."""
    estimate: LineEstimate
    decision: Decision
    health: Health
    verdict: Verdict
    wheels: WheelCommand
    by_hand: DriveCommand | None = None
    """What a person at the stick wanted in place of ``decision``; None while the autopilot drives."""
    hand_over: str = ""
    """Who took or gave back the stick in this pass, and why."""

    def without_picture(self) -> Tick:
        """For keeping many: a picture weighs as much as a thousand of the rest."""
        return replace(self, frame=None)


Recorder: TypeAlias = Callable[[Tick], bool]
"""Is given each tick; answers whether to go on."""
