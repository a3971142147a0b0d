"""Limits that say when they bit: each returns (value, was_limited) and lets no NaN or infinity through."""

from __future__ import annotations

from math import isfinite

from control.checks import require_positive

LONGEST_STEP_S = 0.1
"""After a pause nobody may jump: a longer step counts as this much when a limit scales with time."""


def clamp(value: float, *, low: float, high: float, safe: float = 0.0) -> tuple[float, bool]:
    """Into [low, high]; a non-finite value becomes ``safe``, itself clamped."""
    if not isfinite(value):
        return max(low, min(high, safe)), True
    clamped = max(low, min(high, value))
    return clamped, clamped != value


def usable_step(dt_s: float) -> float:
    """A step between 0 and ``LONGEST_STEP_S``; a non-finite or negative one counts as no time at all."""
    if not isfinite(dt_s):
        return 0.0
    return max(0.0, min(LONGEST_STEP_S, dt_s))


def slew(value: float, *, previous: float, rate_per_s: float, dt_s: float) -> tuple[float, bool]:
    """At most ``rate_per_s`` away from ``previous`` per second; a non-finite value keeps ``previous``."""
    step = rate_per_s * usable_step(dt_s)
    return clamp(value, low=previous - step, high=previous + step, safe=previous)


def slew_speed(
    value: float, *, previous: float, faster_per_s: float, slower_per_s: float, dt_s: float
) -> tuple[float, bool]:
    """Slew with its own rate for braking, and never through zero: a change of direction first rests at exactly 0.

    A non-finite value brakes.
    """
    if previous < 0:
        mirrored, limited = slew_speed(
            -value, previous=-previous, faster_per_s=faster_per_s, slower_per_s=slower_per_s, dt_s=dt_s
        )
        return 0.0 - mirrored, limited
    step_s = usable_step(dt_s)
    faster = faster_per_s * step_s
    low = max(0.0, previous - slower_per_s * step_s) if previous > 0 else -faster
    return clamp(value, low=low, high=previous + faster)


class RateLimiter:
    """A slew limit that remembers where it is."""

    _value: float

    def __init__(self, *, rate_per_s: float, start: float = 0.0) -> None:
        require_positive("rate_limiter", rate_per_s=rate_per_s)
        self._rate_per_s = rate_per_s
        self.restart(start)

    @property
    def value(self) -> float:
        return self._value

    def restart(self, value: float) -> None:
        """Continue from here: a bumpless hand-over. A non-finite value counts as 0."""
        self._value = value if isfinite(value) else 0.0

    def update(self, value: float, *, dt_s: float) -> tuple[float, bool]:
        self._value, limited = slew(value, previous=self._value, rate_per_s=self._rate_per_s, dt_s=dt_s)
        return self._value, limited
