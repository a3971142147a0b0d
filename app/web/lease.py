"""Who of the pages has the stick, and how much each may say."""

from __future__ import annotations

from collections.abc import Callable

SILENT_S = 1.0
"""Whoever says nothing for longer has lost the stick."""


class Lease:
    """One page at a time. Safe in one event loop only."""

    def __init__(self, now_s: Callable[[], float]) -> None:
        self._now_s = now_s
        self._holder = ""
        self._heard_s = 0.0

    @property
    def holder(self) -> str:
        """Empty when nobody has it."""
        if self._holder and self._now_s() - self._heard_s > SILENT_S:
            self._holder = ""
        return self._holder

    def claim(self, who: str) -> bool:
        if self.holder not in ("", who):
            return False
        self._holder, self._heard_s = who, self._now_s()
        return True

    def heard(self, who: str) -> bool:
        """Whether ``who`` has it, who just spoke."""
        if self.holder != who:
            return False
        self._heard_s = self._now_s()
        return True

    def leave(self, who: str) -> bool:
        """Whether ``who`` had it."""
        had = self.holder == who
        if had:
            self._holder = ""
        return had


class Allowance:
    """So many messages a second, and as many at once."""

    def __init__(self, per_s: float, now_s: Callable[[], float]) -> None:
        self._per_s, self._now_s = per_s, now_s
        self._left, self._last_s = per_s, now_s()

    def take(self) -> bool:
        now_s = self._now_s()
        self._left = min(self._per_s, self._left + (now_s - self._last_s) * self._per_s)
        self._last_s = now_s
        if self._left < 1.0:
            return False
        self._left -= 1.0
        return True
