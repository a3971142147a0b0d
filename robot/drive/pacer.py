"""A true rate: which frames are decided on, how long ago the last one was, and how often none came in time."""

from __future__ import annotations

from control.checks import require_positive

_EARLY = 0.25
"""Share of a period by which a frame may come early: cameras jitter."""
_ROUNDING = 1e-6


class Pacer:
    """Deadlines lie on multiples of the period from the first frame, so a 50 fps camera gives exactly 30 a second.

    A pause skips deadlines; it never leads to a burst that catches up.
    """

    def __init__(self, *, period_s: float) -> None:
        require_positive("pacer", period_s=period_s)
        self._period_s = period_s
        self.dt_s = period_s
        """Between the last two frames that were due."""
        self.missed = 0
        """Deadlines for which no frame came."""
        self._last_s: float | None = None
        self._due_s = 0.0

    def is_due(self, stamp_s: float) -> bool:
        """Whether to decide on the frame that arrived at ``stamp_s``."""
        if self._last_s is None:
            self._last_s, self._due_s = stamp_s, stamp_s + self._period_s
            return True
        if stamp_s < self._due_s - _EARLY * self._period_s:
            return False
        behind = max(0, int((stamp_s - self._due_s) / self._period_s + _ROUNDING))
        self.missed += behind
        self.dt_s = stamp_s - self._last_s
        self._last_s = stamp_s
        self._due_s += (behind + 1) * self._period_s
        return True
