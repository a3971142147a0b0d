"""A pilot that steers by a relay, so that the loop oscillates: the experiment of Astrom and Hagglund (1984)."""

from __future__ import annotations

from dataclasses import dataclass, replace

from control.checks import require_positive
from control.follower import LineFollower
from control.messages import Decision, DriveCommand, LineEstimate


@dataclass(frozen=True, slots=True, kw_only=True)
class RelaySettings:
    amplitude_1pm: float = 2.5
    """Curvature to either side."""
    hysteresis_rad: float = 0.06
    """The error must be so large before the relay switches: more than its noise."""
    speed_mps: float = 0.3
    largest_error_rad: float = 0.5
    """Beyond this it stops: the loop does not oscillate but runs away."""
    look_ahead_m: float = 0.4
    """Far: then the error is mostly the heading, and the oscillation settles."""

    def __post_init__(self) -> None:
        require_positive(
            "relay", amplitude_1pm=self.amplitude_1pm, hysteresis_rad=self.hysteresis_rad, speed_mps=self.speed_mps,
            largest_error_rad=self.largest_error_rad, look_ahead_m=self.look_ahead_m,
        )  # fmt: skip


class RelayPilot:
    """A Pilot over a follower, which sees the line and plans the speed as in a drive, and does not steer.

    Nor does it predict: the oscillation shall tell all of the delay, from the exposure to the wheels.
    """

    def __init__(self, follower: LineFollower, settings: RelaySettings) -> None:
        """The follower must have been made for a delay and a lag of 0."""
        self.settings = settings
        self._follower = follower
        self._side = 1.0
        self.ran_away = False

    def reset(self) -> None:
        self._follower.reset()
        self._side, self.ran_away = 1.0, False

    def applied(self, command: DriveCommand, *, now_s: float, was_limited: bool) -> None:
        self._follower.applied(command, now_s=now_s, was_limited=was_limited)

    def decide(self, estimate: LineEstimate, *, exposed_s: float, now_s: float, dt_s: float) -> Decision:  # noqa: ARG002
        decision = self._follower.decide(estimate, exposed_s=now_s, now_s=now_s, dt_s=dt_s)
        if decision.target is None:
            # The follower's own way to lose a line: it holds the curvature and ramps to rest.
            return decision
        error, s = decision.terms.error, self.settings
        self.ran_away = self.ran_away or abs(error) > s.largest_error_rad
        if self.ran_away:
            return replace(decision, command=DriveCommand())
        if error * self._side < -s.hysteresis_rad:
            self._side = -self._side
        speed = min(decision.command.speed_mps, s.speed_mps)
        return replace(decision, command=DriveCommand(curvature_1pm=self._side * s.amplitude_1pm, speed_mps=speed))
