"""The loop measures itself: how long each section of a pass takes, and how many passes took too long."""

from __future__ import annotations

from array import array
from collections.abc import Callable
from dataclasses import dataclass
from time import perf_counter

NETWORK = "see"
"""The section that is not the loop's own work."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CycleSummary:
    """Without the wait for the frame."""

    passes: int
    loop_p50_ms: float
    loop_p99_ms: float
    estimate_p50_ms: float
    overhead_p99_ms: float
    """Everything in a pass but the network."""
    overruns: int
    """Passes that took longer than the camera's period."""
    sections_p99_ms: dict[str, float]


class CycleTimer:
    """Real time, also in the simulator: it times the computer, not the vehicle.

    A pass is ``begin``, then ``mark`` at the end of each section, then ``end``.
    """

    def __init__(self, *, period_s: float, now_s: Callable[[], float] = perf_counter) -> None:
        self._period_s = period_s
        self._now_s = now_s
        self._sections: dict[str, array[float]] = {}
        self._whole, self._own = array("d"), array("d")
        self._network_s = 0.0
        self._began_s = self._mark_s = 0.0
        self.this_pass_s: dict[str, float] = {}
        """Sections of the pass that ended until now."""

    def begin(self) -> None:
        self._began_s = self._mark_s = self._now_s()
        self._network_s = 0.0
        self.this_pass_s = {}

    def mark(self, section: str) -> None:
        """The section that ends here began at the last mark."""
        now_s = self._now_s()
        took_s = now_s - self._mark_s
        self._mark_s = now_s
        self._sections.setdefault(section, array("d")).append(took_s)
        self.this_pass_s[section] = self.this_pass_s.get(section, 0.0) + took_s
        if section == NETWORK:
            self._network_s += took_s

    def end(self) -> None:
        whole_s = self._now_s() - self._began_s
        self._whole.append(whole_s)
        self._own.append(whole_s - self._network_s)

    def summary(self) -> CycleSummary:
        return CycleSummary(
            passes=len(self._whole),
            loop_p50_ms=_quantile_ms(self._whole, 0.5),
            loop_p99_ms=_quantile_ms(self._whole, 0.99),
            estimate_p50_ms=_quantile_ms(self._sections.get(NETWORK, array("d")), 0.5),
            overhead_p99_ms=_quantile_ms(self._own, 0.99),
            overruns=sum(whole > self._period_s for whole in self._whole),
            sections_p99_ms={name: _quantile_ms(values, 0.99) for name, values in self._sections.items()},
        )


def _quantile_ms(seconds: array[float], share: float) -> float:
    """Nearest rank; 0 for no values: a drive that never began has nothing to say."""
    if not seconds:
        return 0.0
    return sorted(seconds)[min(len(seconds) - 1, int(share * len(seconds)))] * 1000.0
