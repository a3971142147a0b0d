"""A true rate: which frames are decided on, how long ago the last one was, and how often the loop was late."""

from __future__ import annotations

from control.errors import ConfigError

_EARLY = 0.25
"""Share of a period by which a frame may come early: cameras jitter."""


class Pacer:
    """Deadlines lie on multiples of the period from the first frame, so a 50 fps camera gives exactly 30 a second.

    A pause skips deadlines; it never leads to a burst that catches up.
    """

    def __init__(self, rate_hz: float) -> None:
        if not rate_hz > 0:
            raise ConfigError(f"drive.fps is {rate_hz!r}; it must be above 0")
        self.period_s = 1.0 / rate_hz
        self.dt_s = self.period_s
        """Between the last two frames that were due."""
        self.missed = 0
        """Deadlines for which no frame came."""
        self._due_s: float | None = None
        self._last_s = 0.0

    def is_due(self, stamp_s: float) -> bool:
        """Whether to decide on the frame that arrived at ``stamp_s``."""
        if self._due_s is None:
            self._due_s = stamp_s
        if stamp_s < self._due_s - _EARLY * self.period_s:
            return False
        behind = max(0, int((stamp_s - self._due_s) / self.period_s + 0.5))
        self.missed += behind
        first = self._due_s == stamp_s and self._last_s == 0.0
        self.dt_s = self.period_s if first else stamp_s - self._last_s
        self._due_s += (behind + 1) * self.period_s
        self._last_s = stamp_s
        return True
