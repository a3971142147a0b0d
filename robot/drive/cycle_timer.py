"""The loop measures itself: how long each pass took, and how often the camera overtook it."""

from __future__ import annotations

from dataclasses import dataclass
from time import perf_counter


@dataclass(frozen=True, slots=True, kw_only=True)
class CycleSummary:
    passes: int
    loop_p50_ms: float
    loop_p99_ms: float
    estimate_p50_ms: float
    overhead_p99_ms: float
    """Everything in a pass but the network."""
    overruns: int
    """Passes that took longer than the camera's period."""


class CycleTimer:
    """Real time, also in the simulator: it times the computer, not the vehicle."""

    def __init__(self, *, period_s: float) -> None:
        self._period_s = period_s
        self._whole: list[float] = []
        self._estimate: list[float] = []
        self._began = 0.0
        self._mark = 0.0

    def begin(self) -> None:
        self._began = self._mark = perf_counter()

    def estimated(self, *, started_s: float) -> None:
        self._mark = perf_counter()
        self._estimate.append(self._mark - started_s)

    def now_s(self) -> float:
        return perf_counter()

    def end(self) -> None:
        self._whole.append(perf_counter() - self._began)

    def summary(self) -> CycleSummary:
        rest = [whole - net for whole, net in zip(self._whole, self._estimate, strict=False)]
        return CycleSummary(
            passes=len(self._whole),
            loop_p50_ms=_quantile(self._whole, 0.5) * 1000,
            loop_p99_ms=_quantile(self._whole, 0.99) * 1000,
            estimate_p50_ms=_quantile(self._estimate, 0.5) * 1000,
            overhead_p99_ms=_quantile(rest, 0.99) * 1000,
            overruns=sum(whole > self._period_s for whole in self._whole),
        )


def _quantile(values: list[float], share: float) -> float:
    """0 for no values: a drive that never began has nothing to say."""
    return sorted(values)[min(len(values) - 1, int(share * len(values)))] if values else 0.0
