"""LineFollower: look-ahead, latency compensation, steering and speed, from one frame's line to one command."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from math import atan2, cos, hypot, isfinite, pi, sin

from control.checks import require_between, require_count, require_not_negative, require_positive
from control.errors import ConfigError
from control.messages import Decision, DriveCommand, GroundPoint, LineEstimate, LinePoint, SteeringTerms
from control.path import bends, line_state, target_at
from control.prediction import Motion, MotionHistory
from control.speed import SpeedPlanner, SpeedSettings
from control.steering import Steering, SteeringSettings, pure_pursuit_curvature

ToGround = Callable[[float, float], "tuple[float, float] | None"]


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowerSettings:
    """Look-ahead grows with speed: base + time * speed, within [min, max]; measured where the wheels will answer."""

    look_ahead_base_m: float = 0.05
    look_ahead_time_s: float = 0.06
    look_ahead_min_m: float = 0.05
    look_ahead_max_m: float = 0.40
    lag_lead: float = 0.75
    """How much of the motors' lag is also predicted away."""
    min_visible: float = 0.5
    min_confidence: float = 0.3
    recover_frames: int = 5
    """Good frames in a row before a line that was lost is followed again."""
    brief_loss_s: float = 0.1
    """A loss no longer than this (a blink) needs no such proof."""
    bend_window_m: float = 0.20
    near_fit_m: float = 0.20
    """Points this near tell offset and heading of the line abreast of the vehicle."""
    image_row: float = 0.2
    """Without calibration: the image row (y) that is followed ..."""
    image_scale: float = 0.5
    """... and the factor a of its bearing atan2(-x, a * (1 - y))."""
    steering: SteeringSettings = field(default_factory=SteeringSettings)
    speed: SpeedSettings = field(default_factory=SpeedSettings)

    def __post_init__(self) -> None:
        require_positive(
            "follower", look_ahead_min_m=self.look_ahead_min_m, look_ahead_max_m=self.look_ahead_max_m,
            bend_window_m=self.bend_window_m, near_fit_m=self.near_fit_m, image_scale=self.image_scale,
        )  # fmt: skip
        require_not_negative(
            "follower", look_ahead_base_m=self.look_ahead_base_m, look_ahead_time_s=self.look_ahead_time_s,
            brief_loss_s=self.brief_loss_s,
        )  # fmt: skip
        require_between("follower", "lag_lead", value=self.lag_lead, high=2.0)
        require_between("follower", "min_visible", value=self.min_visible, high=1.0)
        require_between("follower", "min_confidence", value=self.min_confidence, high=1.0)
        require_between("follower", "image_row", value=self.image_row, low=-1.0, high=1.0)
        require_count("follower", recover_frames=self.recover_frames)
        if self.look_ahead_min_m > self.look_ahead_max_m:
            raise ConfigError("follower.look_ahead_min_m must not be above look_ahead_max_m")

    def look_ahead_m(self, speed_mps: float) -> float:
        wanted = self.look_ahead_base_m + self.look_ahead_time_s * abs(speed_mps)
        return max(self.look_ahead_min_m, min(self.look_ahead_max_m, wanted))


class _Sight:
    """Decides whether the line counts as seen: at once after a blink, after N good frames when it was lost."""

    def __init__(self, *, recover_frames: int, brief_loss_s: float) -> None:
        self._recover_frames = recover_frames
        self._brief_loss_s = brief_loss_s
        self.reset()

    def reset(self) -> None:
        self._lost_since_s: float | None = None
        self._good = 0

    def update(self, good: bool, *, now_s: float) -> bool:
        if not good:
            self._good = 0
            if self._lost_since_s is None:
                self._lost_since_s = now_s
            return False
        if self._lost_since_s is None:
            return True
        self._good += 1
        brief = now_s - self._lost_since_s <= self._brief_loss_s
        if brief or self._good >= self._recover_frames:
            self.reset()
        return self._lost_since_s is None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Seen:
    """The visible points, and the same points on the floor where the wheels will answer."""

    points: tuple[LinePoint, ...]
    floor: tuple[GroundPoint, ...]


class LineFollower:
    """A Pilot. ``to_ground`` maps an image point to (forward, left) metres, or None above the horizon.

    Without ``to_ground`` the image angle of one point is followed, and latency compensation only rotates.
    ``delay_s`` and ``motor_lag_s`` are the calibrated latency.
    """

    def __init__(
        self,
        settings: FollowerSettings | None = None,
        *,
        to_ground: ToGround | None = None,
        delay_s: float = 0.12,
        motor_lag_s: float = 0.06,
    ) -> None:
        self.settings = s = settings or FollowerSettings()
        self._to_ground = to_ground
        self._history = MotionHistory(delay_s=delay_s, motor_lag_s=motor_lag_s)
        self._steering = Steering(s.steering)
        self._speed = SpeedPlanner(s.speed)
        self._sight = _Sight(recover_frames=s.recover_frames, brief_loss_s=s.brief_loss_s)

    def retune(self, settings: FollowerSettings) -> None:
        """New gains, look-ahead and speeds between two frames; what was learnt until now stays."""
        self.settings = settings
        self._steering.retune(settings.steering)
        self._speed.settings = settings.speed

    def reset(self) -> None:
        self._history.clear()
        self._steering.hand_over(0.0)
        self._speed.restart(0.0)
        self._sight.reset()

    def applied(self, command: DriveCommand, *, now_s: float, was_limited: bool) -> None:
        # What the integrator learnt to add makes up for the vehicle's own pull, so it does not turn the vehicle.
        turning = replace(command, curvature_1pm=command.curvature_1pm - self._steering.trim_1pm)
        self._history.record(turning, now_s=now_s)
        self._steering.applied(command.curvature_1pm, was_limited=was_limited)
        if was_limited:
            self._speed.restart(command.speed_mps)

    def decide(self, estimate: LineEstimate, *, exposed_s: float, now_s: float, dt_s: float) -> Decision:
        motion = self._history.predict(
            exposed_s=exposed_s, now_s=now_s, lead_s=self.settings.lag_lead * self._history.motor_lag_s
        )
        seen = self._see(estimate, motion)
        if not self._sight.update(bool(seen.floor), now_s=now_s):
            return self._lost(estimate, dt_s=dt_s)
        distance = self.settings.look_ahead_m(motion.speed_mps)
        target, index = target_at(seen.floor, distance)
        error = self._error(seen.floor, target, distance)
        curvature, terms, _ = self._steering.update(target, error, speed_mps=motion.speed_mps, dt_s=dt_s)
        speed, _ = self._plan_speed(seen.floor, target, confidence=estimate.confidence, dt_s=dt_s)
        return Decision(
            command=DriveCommand(curvature_1pm=curvature, speed_mps=speed), target=seen.points[index],
            ground=target, terms=terms, confidence=estimate.confidence,
        )  # fmt: skip

    def _lost(self, estimate: LineEstimate, *, dt_s: float) -> Decision:
        """Hold the curvature, ramp to rest."""
        speed, _ = self._speed.lose(dt_s=dt_s)
        command = DriveCommand(curvature_1pm=self._steering.curvature_1pm, speed_mps=speed)
        return Decision(command=command, terms=SteeringTerms(), confidence=estimate.confidence)

    def _see(self, estimate: LineEstimate, motion: Motion) -> _Seen:
        s = self.settings
        pairs: list[tuple[LinePoint, GroundPoint]] = []
        if estimate.confidence >= s.min_confidence:
            for point in estimate.points:
                usable = point.visible >= s.min_visible and isfinite(point.x) and isfinite(point.y)
                floor = self._floor(point, motion) if usable else None
                if floor is not None:
                    pairs.append((point, floor))
        if self._to_ground is None and pairs:
            pairs = [min(pairs, key=lambda pair: abs(pair[0].y - s.image_row))]
        if pairs and pairs[-1][1].x <= 0.0:
            pairs = []  # All of the line will be behind us by then.
        return _Seen(points=tuple(p for p, _ in pairs), floor=tuple(f for _, f in pairs))

    def _floor(self, point: LinePoint, motion: Motion) -> GroundPoint | None:
        if self._to_ground is not None:
            place = self._to_ground(point.x, point.y)
            if place is None or not (isfinite(place[0]) and isfinite(place[1])):
                return None
            return motion.see(GroundPoint(x=place[0], y=place[1]))
        bearing = atan2(-point.x, self.settings.image_scale * (1.0 - point.y)) - motion.heading
        bearing = max(-pi / 2, min(pi / 2, bearing))
        distance = self.settings.look_ahead_m(motion.speed_mps)
        return GroundPoint(x=distance * cos(bearing), y=distance * sin(bearing))

    def _error(self, floor: tuple[GroundPoint, ...], target: GroundPoint, distance_m: float) -> float:
        """Heading of the line plus the angle its offset makes at the look-ahead: 0 on a curve that is followed well.

        One point alone, or points that do not reach the vehicle, leave the bearing of the target.
        """
        state = line_state(floor, within_m=max(self.settings.near_fit_m, distance_m))
        if state is None:
            return atan2(target.y, target.x)
        return state.heading_rad + atan2(state.offset_m, distance_m)

    def _plan_speed(
        self, floor: tuple[GroundPoint, ...], target: GroundPoint, *, confidence: float, dt_s: float
    ) -> tuple[float, bool]:
        sight_m = hypot(floor[-1].x, floor[-1].y) if len(floor) > 1 else float("inf")
        ahead = bends(floor, window_m=self.settings.bend_window_m)
        return self._speed.update(
            ahead, curvature_1pm=pure_pursuit_curvature(target), sight_m=sight_m, confidence=confidence, dt_s=dt_s
        )
