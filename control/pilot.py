"""What every way of steering by a line offers to the loop."""

from __future__ import annotations

from typing import Protocol

from control.messages import Decision, DriveCommand, LineEstimate


class Pilot(Protocol):
    def decide(self, estimate: LineEstimate, *, exposed_s: float, now_s: float, dt_s: float) -> Decision:
        """One answer a frame; both stamps from the same monotonic clock, ``dt_s`` since the last frame."""
        ...

    def applied(self, command: DriveCommand, *, now_s: float, was_limited: bool) -> None:
        """What the supervisor and the mixer made of the last decision."""
        ...

    def reset(self) -> None:
        """Forget everything: a new drive begins."""
        ...
