"""Small filters whose behaviour does not depend on the frame rate."""

from __future__ import annotations

from math import exp, isfinite

from control.checks import require_not_negative
from control.errors import ConfigError
from control.limits import usable_step


class LowPass:
    """First order; the first value is taken as it is, non-finite ones are ignored. A time constant of 0 passes all."""

    def __init__(self, *, time_constant_s: float) -> None:
        require_not_negative("low_pass", time_constant_s=time_constant_s)
        self._time_constant_s = time_constant_s
        self._value: float | None = None

    @property
    def value(self) -> float:
        return 0.0 if self._value is None else self._value

    def reset(self, value: float | None = None) -> None:
        self._value = value

    def update(self, value: float, *, dt_s: float) -> float:
        if not isfinite(value):
            return self.value
        if self._value is None or self._time_constant_s == 0:
            self._value = value
        else:
            self._value += (value - self._value) * (1.0 - exp(-usable_step(dt_s) / self._time_constant_s))
        return self._value


class Hysteresis:
    """True from ``high`` up, False from ``low`` down, in between what it was; NaN counts as low."""

    def __init__(self, *, low: float, high: float, start: bool = False) -> None:
        if not low <= high:
            raise ConfigError(f"hysteresis.low is {low!r}; it must not be above high ({high!r})")
        self._low, self._high, self._state = low, high, start

    def update(self, value: float) -> bool:
        if value >= self._high:
            self._state = True
        elif not value > self._low:
            self._state = False
        return self._state
