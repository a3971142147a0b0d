"""Time as a parameter: the loop asks a Clock, so that a simulated drive replays bit for bit."""

from __future__ import annotations

import time
from typing import Protocol


class Clock(Protocol):
    def now_s(self) -> float:
        """Monotonic seconds."""
        ...


class MonotonicClock:
    def now_s(self) -> float:
        return time.monotonic()
