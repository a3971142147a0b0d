"""The peers' own steering laws behind our interface, for parity and side-by-side comparison."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import atan2, isfinite, radians, tan

from control.checks import require_between, require_positive
from control.limits import clamp
from control.messages import STAND_STILL, Decision, DriveCommand, LineEstimate, LinePoint, SteeringTerms
from control.mixing import speed_of_duty


@dataclass(frozen=True, slots=True, kw_only=True)
class JetBotSettings:
    """Defaults of JetBot's road following notebook; the geometry is that of the mixer it shall reproduce."""

    speed_gain: float = 0.2
    kp: float = 0.2
    kd: float = 0.0
    bias: float = 0.0
    target_row: float = 0.0
    """Of K points the one next to this image y is followed."""
    wheel_base_m: float = 0.10
    top_speed_mps: float = 0.9
    dead_zone: float = 0.0

    def __post_init__(self) -> None:
        require_positive("jetbot", wheel_base_m=self.wheel_base_m, top_speed_mps=self.top_speed_mps)
        require_between("jetbot", "speed_gain", value=self.speed_gain, high=1.0)
        for name in ("kp", "kd", "bias"):
            require_between("jetbot", name, value=getattr(self, name), low=-10.0, high=10.0)
        require_between("jetbot", "target_row", value=self.target_row, low=-1.0, high=1.0)
        require_between("jetbot", "dead_zone", value=self.dead_zone, high=0.9)


@dataclass(frozen=True, slots=True, kw_only=True)
class JetRacerSettings:
    """Defaults of JetRacer's road following notebook; y is not used."""

    gain: float = 0.75
    bias: float = 0.0
    throttle: float = 0.15
    servo_gain: float = 0.65
    throttle_gain: float = 0.8
    target_row: float = 0.0
    wheel_base_m: float = 0.174
    max_angle_rad: float = radians(28.0)
    top_speed_mps: float = 3.0
    dead_zone: float = 0.05

    def __post_init__(self) -> None:
        require_positive("jetracer", wheel_base_m=self.wheel_base_m, top_speed_mps=self.top_speed_mps)
        require_between("jetracer", "max_angle_rad", value=self.max_angle_rad, low=0.01, high=1.5)
        for name in ("gain", "bias", "throttle", "servo_gain", "throttle_gain", "target_row"):
            require_between("jetracer", name, value=getattr(self, name), low=-10.0, high=10.0)
        require_between("jetracer", "dead_zone", value=self.dead_zone, high=0.9)


def followed_point(estimate: LineEstimate, row: float) -> LinePoint | None:
    """The peers know one point and no confidence: of those at least half visible the one next to the row."""
    seen = [p for p in estimate.points if p.visible >= 0.5 and isfinite(p.x) and isfinite(p.y)]
    return min(seen, key=lambda p: abs(p.y - row)) if seen and estimate.confidence > 0 else None


class _PeerLaw:
    """A peer drives on with its last command when it sees no line: it has no notion of that."""

    def __init__(self) -> None:
        self._last = Decision(command=STAND_STILL)

    def applied(self, command: DriveCommand, *, now_s: float, was_limited: bool) -> None:
        """The peers' laws take no feedback."""

    def reset(self) -> None:
        self._last = Decision(command=STAND_STILL)


class JetBotLaw(_PeerLaw):
    """angle = atan2(x, (0.5 - y) / 2); left, right = clamp(speed +/- (kp * angle + kd * change + bias), 0, 1).

    The change is per frame, not per second, as in the notebook.
    """

    def __init__(self, settings: JetBotSettings | None = None) -> None:
        super().__init__()
        self.settings = settings or JetBotSettings()
        self._last_angle = 0.0

    def reset(self) -> None:
        super().reset()
        self._last_angle = 0.0

    def wheel_duties(self, point: LinePoint) -> tuple[float, float]:
        """(left, right) of this frame; steps the derivative."""
        s = self.settings
        angle = atan2(point.x, (0.5 - point.y) / 2.0)
        steer = s.kp * angle + s.kd * (angle - self._last_angle) + s.bias
        self._last_angle = angle
        left, _ = clamp(s.speed_gain + steer, low=0.0, high=1.0)
        right, _ = clamp(s.speed_gain - steer, low=0.0, high=1.0)
        return left, right

    def decide(self, estimate: LineEstimate, *, exposed_s: float, now_s: float, dt_s: float) -> Decision:  # noqa: ARG002 - the law knows no time
        s = self.settings
        point = followed_point(estimate, s.target_row)
        if point is None:
            return replace(self._last, confidence=estimate.confidence, target=None)
        left, right = (
            speed_of_duty(duty, top_speed_mps=s.top_speed_mps, dead_zone=s.dead_zone)
            for duty in self.wheel_duties(point)
        )
        speed = 0.5 * (left + right)
        curvature = (right - left) / (s.wheel_base_m * speed) if speed > 0 else 0.0
        self._last = Decision(
            command=DriveCommand(curvature_1pm=curvature, speed_mps=speed), target=point,
            terms=SteeringTerms(error=-self._last_angle, proportional=curvature), confidence=estimate.confidence,
        )  # fmt: skip
        return self._last


class JetRacerLaw(_PeerLaw):
    """steering = 0.75 * x + bias, constant throttle; the servo gets -0.65 * steering, the ESC 0.8 * throttle."""

    def __init__(self, settings: JetRacerSettings | None = None) -> None:
        super().__init__()
        self.settings = settings or JetRacerSettings()

    def decide(self, estimate: LineEstimate, *, exposed_s: float, now_s: float, dt_s: float) -> Decision:  # noqa: ARG002 - the law knows no time
        s = self.settings
        point = followed_point(estimate, s.target_row)
        if point is None:
            return replace(self._last, confidence=estimate.confidence, target=None)
        servo, _ = clamp(-s.servo_gain * (s.gain * point.x + s.bias), low=-1.0, high=1.0)
        curvature = tan(servo * s.max_angle_rad) / s.wheel_base_m
        speed = speed_of_duty(s.throttle_gain * s.throttle, top_speed_mps=s.top_speed_mps, dead_zone=s.dead_zone)
        self._last = Decision(
            command=DriveCommand(curvature_1pm=curvature, speed_mps=speed), target=point,
            terms=SteeringTerms(error=-point.x, proportional=curvature), confidence=estimate.confidence,
        )  # fmt: skip
        return self._last
