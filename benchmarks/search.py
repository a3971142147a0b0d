"""A seeded search over a few settings: spread over their ranges at first, then around the best."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Settings = dict[str, float]
_TOGETHER = 8
"""Settings proposed at a time, whatever the number of processes: the search does not depend on the machine."""
_SPREAD = 1 / 3
"""Share of the budget that is spread over the ranges."""
_BEST = 6
"""So many of the best tell how far, and in which direction, the next step goes."""
_CLOSEST = 0.03
"""Standard deviation of a step when they all are the same, as a share of the range."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Range:
    """``log``: equal factors count as equal steps."""

    low: float
    high: float
    default: float
    log: bool = False

    def at(self, share: float) -> float:
        """``share`` in [0, 1] of the way from low to high."""
        if self.log:
            return float(self.low * (self.high / self.low) ** share)
        return self.low + (self.high - self.low) * share

    def share(self, value: float) -> float:
        """The inverse of ``at``."""
        if self.log:
            return float(np.log(value / self.low) / np.log(self.high / self.low))
        return (value - self.low) / (self.high - self.low)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """Error and speed of one that was not completed say nothing."""

    completed: bool
    error_m: float
    speed_mps: float

    def within(self, bar_m: float) -> bool:
        return self.completed and self.error_m <= bar_m


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    settings: Settings
    outcome: Outcome


Evaluate = Callable[[list[Settings]], list[Outcome]]


def fastest_within(tried: Sequence[Tried], bar_m: float) -> Tried | None:
    """The fastest whose error is at most ``bar_m``; the first of equals."""
    return max((t for t in tried if t.outcome.within(bar_m)), key=lambda t: t.outcome.speed_mps, default=None)


def front(tried: Sequence[Tried], *, most: int) -> list[Tried]:
    """Those than which none is both faster and more exact, from the slowest to the fastest.

    Of more than ``most`` those go first whose neighbours' speeds are closest, by factor; the ends stay.
    """
    best: list[Tried] = []
    completed = [t for t in tried if t.outcome.completed]
    for one in sorted(completed, key=lambda t: (t.outcome.error_m, -t.outcome.speed_mps)):
        if not best or one.outcome.speed_mps > best[-1].outcome.speed_mps:
            best.append(one)
    while len(best) > max(2, most):
        speeds = [t.outcome.speed_mps for t in best]
        del best[min(range(1, len(best) - 1), key=lambda i: speeds[i + 1] / speeds[i - 1])]
    return best


def search(
    space: Mapping[str, Range], evaluate: Evaluate, *, bars_m: Sequence[float], budget: int, seed: int,
    starts: Sequence[Settings] = (),
) -> list[Tried]:  # fmt: skip
    """The defaults and ``starts``, without those a Latin hypercube; then steps from the best for each bar in turn.

    So one search serves all bars. Exactly ``budget`` are tried, however many may start.
    """
    rng = np.random.default_rng(seed)
    first = [{name: r.default for name, r in space.items()}, *starts]
    if not starts:
        first += [_settings(space, point) for point in _latin_hypercube(int(budget * _SPREAD), len(space), rng)]
    tried = _try(first[:budget], evaluate)
    while len(tried) < budget:
        turns = range(len(tried), min(len(tried) + _TOGETHER, budget))
        points = [_near_best(tried, bars_m[turn % len(bars_m)], space, rng=rng) for turn in turns]
        tried += _try([_settings(space, point) for point in points], evaluate)
    return tried


def _try(batch: list[Settings], evaluate: Evaluate) -> list[Tried]:
    return [Tried(settings=s, outcome=o) for s, o in zip(batch, evaluate(batch), strict=True)]


def _settings(space: Mapping[str, Range], point: NDArray[np.float64]) -> Settings:
    return {name: r.at(float(share)) for (name, r), share in zip(space.items(), point, strict=True)}


def _latin_hypercube(count: int, dimensions: int, rng: np.random.Generator) -> list[NDArray[np.float64]]:
    """Each of ``count`` equal parts of each range is used once."""
    if count < 1:
        return []
    parts = np.stack([rng.permutation(count) for _ in range(dimensions)], axis=1)
    return list((parts + rng.random(parts.shape)) / count)


def _near_best(
    tried: Sequence[Tried], bar_m: float, space: Mapping[str, Range], *, rng: np.random.Generator
) -> NDArray[np.float64]:
    """A step from the best with half the variance of the few best; anywhere when next to none was completed."""
    completed = [t for t in tried if t.outcome.completed]
    best = sorted(completed, key=lambda t: _merit(t.outcome, bar_m), reverse=True)[:_BEST]
    if len(best) < 2:
        return rng.random(len(space))
    points = np.array([[r.share(t.settings[name]) for name, r in space.items()] for t in best])
    covariance = np.cov(points.T) / 2 + _CLOSEST**2 * np.eye(len(space))
    return np.clip(rng.multivariate_normal(points[0], covariance), 0.0, 1.0)


def _merit(outcome: Outcome, bar_m: float) -> float:
    """The speed; of one less exact than the bar, less by the square of how far it misses."""
    return outcome.speed_mps * min(1.0, bar_m / max(outcome.error_m, 1e-9)) ** 2
