"""What counts as a fault, how severe it is and how long it must last: the supervisor's table and thresholds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from control.checks import require_between, require_count, require_positive
from control.errors import ConfigError
from control.messages import Cause, Health


@dataclass(frozen=True, slots=True, kw_only=True)
class SupervisorSettings:
    """Soft causes ramp down and clear by themselves; immediate ones stop at once and latch until armed again."""

    max_speed_mps: float = 1.0
    max_curvature_1pm: float = 20.0
    faster_mps2: float = 3.0
    slower_mps2: float = 6.0
    max_curvature_rate_1pm_s: float = 200.0
    ramp_s: float = 0.3
    """From the speed at the onset of a soft cause to rest."""
    patience_s: float = 1.0
    """A soft cause that lasts longer stops and latches."""
    line_patience_s: float = 1.0
    """The same for a lost line."""
    hold_steering_s: float = 0.5
    """After a stop the steering stays this long, then it centres."""
    min_confidence: float = 0.3
    line_blink_s: float = 0.1
    """A line lost for no longer is not yet lost."""
    reacquire_frames: int = 5
    bad_pictures: int = 5
    """So many bad pictures in a row are a cause."""
    frame_age_soft_s: float = 0.1
    frame_age_stop_s: float = 0.25
    loop_stall_s: float = 0.25
    """Armed, a longer time between two checks stops: whatever the wheels did meanwhile, nobody knows."""
    max_dropped_fraction: float = 0.2
    not_finite_in_a_row: int = 3
    hot_c: float = 90.0
    too_hot_c: float = 95.0
    cell_low_v: float = 3.4
    cell_empty_v: float = 3.2
    battery_filter_s: float = 2.0

    def __post_init__(self) -> None:
        require_positive(
            "supervisor", max_speed_mps=self.max_speed_mps, max_curvature_1pm=self.max_curvature_1pm,
            faster_mps2=self.faster_mps2, slower_mps2=self.slower_mps2,
            max_curvature_rate_1pm_s=self.max_curvature_rate_1pm_s, frame_age_soft_s=self.frame_age_soft_s,
            loop_stall_s=self.loop_stall_s,
        )  # fmt: skip
        require_between("supervisor", "ramp_s", value=self.ramp_s, low=0.01, high=0.4)
        for name in ("patience_s", "line_patience_s", "hold_steering_s", "line_blink_s", "battery_filter_s"):
            require_between("supervisor", name, value=getattr(self, name), high=10.0)
        for name in ("min_confidence", "max_dropped_fraction"):
            require_between("supervisor", name, value=getattr(self, name), high=1.0)
        for name in ("hot_c", "too_hot_c", "cell_low_v", "cell_empty_v", "frame_age_stop_s"):
            require_between("supervisor", name, value=getattr(self, name), high=200.0)
        require_count(
            "supervisor", reacquire_frames=self.reacquire_frames, bad_pictures=self.bad_pictures,
            not_finite_in_a_row=self.not_finite_in_a_row,
        )  # fmt: skip
        _require_order("frame_age_soft_s", self.frame_age_soft_s, "frame_age_stop_s", self.frame_age_stop_s)
        _require_order("hot_c", self.hot_c, "too_hot_c", self.too_hot_c)
        _require_order("cell_empty_v", self.cell_empty_v, "cell_low_v", self.cell_low_v)


def _require_order(low_name: str, low: float, high_name: str, high: float) -> None:
    if low > high:
        raise ConfigError(f"supervisor.{low_name} is {low!r}; it must not be above {high_name} ({high!r})")


class Severity(Enum):
    SOFT = "soft"
    IMMEDIATE = "immediate"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """When a reading of the health is a cause: how severe, and how long it must last."""

    cause: Cause
    severity: Severity
    holds: Callable[[Health], bool]
    for_s: float
    for_frames: int
    clear_frames: int
    patience_s: float


def rules(s: SupervisorSettings) -> tuple[Rule, ...]:
    """Comparisons are written so that NaN is a fault; readings that are None are not measured."""

    def immediate(cause: Cause, holds: Callable[[Health], bool], for_s: float = 0.0) -> Rule:
        return Rule(
            cause=cause, severity=Severity.IMMEDIATE, holds=holds, for_s=for_s, for_frames=1, clear_frames=1,
            patience_s=s.patience_s,
        )  # fmt: skip

    def soft(cause: Cause, holds: Callable[[Health], bool], for_s: float = 0.0, for_frames: int = 1) -> Rule:
        return Rule(
            cause=cause, severity=Severity.SOFT, holds=holds, for_s=for_s, for_frames=for_frames,
            clear_frames=1, patience_s=s.patience_s,
        )  # fmt: skip

    lost_line = Rule(
        cause=Cause.LINE_LOST, severity=Severity.SOFT,
        holds=lambda h: h.needs_line and not h.line_confidence >= s.min_confidence,
        for_s=s.line_blink_s, for_frames=1, clear_frames=s.reacquire_frames, patience_s=s.line_patience_s,
    )  # fmt: skip
    return (
        immediate(Cause.EMERGENCY_STOP, lambda h: h.emergency_stop),
        immediate(Cause.CAMERA_DEAD, lambda h: not h.camera_ok),
        immediate(Cause.CAMERA_STALLED, lambda h: not h.frame_age_s < s.frame_age_stop_s),
        immediate(Cause.MOTORS_FAILED, lambda h: not h.motors_ok),
        immediate(Cause.TOO_HOT, lambda h: h.temperature_c is not None and h.temperature_c > s.too_hot_c),
        immediate(
            Cause.BATTERY_LOW,
            lambda h: h.cell_voltage_v is not None and h.cell_voltage_v < s.cell_empty_v,
            for_s=s.battery_filter_s,
        ),
        soft(Cause.FRAME_STALE, lambda h: not h.frame_age_s < s.frame_age_soft_s),
        soft(Cause.FRAMES_DROPPED, lambda h: not h.dropped_fraction <= s.max_dropped_fraction),
        soft(Cause.PICTURE_BAD, lambda h: not h.picture_ok, for_frames=s.bad_pictures),
        lost_line,
        soft(Cause.LINK_LOST, lambda h: not h.link_ok),
        soft(Cause.TOO_HOT, lambda h: h.temperature_c is not None and not h.temperature_c <= s.hot_c),
        soft(
            Cause.BATTERY_LOW,
            lambda h: h.cell_voltage_v is not None and not h.cell_voltage_v >= s.cell_low_v,
            for_s=s.battery_filter_s,
        ),
    )


class Watch:
    """One rule over time: pending while it must last, active until it has been clear for long enough."""

    active: bool
    _frames: int
    _elapsed_s: float

    def __init__(self, rule: Rule) -> None:
        self.rule = rule
        self._turn(active=False)

    @property
    def out_of_patience(self) -> bool:
        return self.active and self._elapsed_s > self.rule.patience_s

    def update(self, health: Health, *, elapsed_s: float) -> None:
        holds = self.rule.holds(health)
        if self.active:
            self._elapsed_s += elapsed_s
            self._frames = 0 if holds else self._frames + 1
            if self._frames >= self.rule.clear_frames:
                self._turn(active=False)
        elif not holds:
            self._turn(active=False)
        else:
            # The first reading dates from now, so time counts from the second on.
            self._elapsed_s += elapsed_s if self._frames else 0.0
            self._frames += 1
            if self._frames >= self.rule.for_frames and self._elapsed_s >= self.rule.for_s:
                self._turn(active=True)

    def _turn(self, *, active: bool) -> None:
        """Frames and time count anew: those that speak for a change, and those spent so."""
        self.active = active
        self._frames = 0
        self._elapsed_s = 0.0
