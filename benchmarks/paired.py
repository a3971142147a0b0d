"""Two laws on the same tracks: speed at equal error, error at equal speed, and how sure a ratio is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf
from statistics import median

import numpy as np

_RESAMPLES = 10_000


def speed_at(driven: Sequence[tuple[float, float]], bar: float) -> float:
    """The speed at which an error of ``bar`` is reached, from (error, speed) of several settings on one track.

    Read off the front, the fastest so far as the error grows, in straight lines between its corners; beyond the
    last corner its speed, and 0 where the most exact one errs more than the bar.
    """
    errors, speeds = _front(driven)
    return float(np.interp(bar, errors, speeds, left=0.0)) if errors else 0.0


def error_at(driven: Sequence[tuple[float, float]], speed: float) -> float:
    """The other way round: the error at that speed; infinite where even the fastest is slower."""
    errors, speeds = _front(driven)
    return float(np.interp(speed, speeds, errors, right=inf)) if errors else inf


def _front(driven: Sequence[tuple[float, float]]) -> tuple[list[float], list[float]]:
    """Errors and speeds, both rising; of equal errors the faster one."""
    errors: list[float] = []
    speeds: list[float] = []
    for error, speed in sorted(driven, key=lambda pair: (pair[0], -pair[1])):
        if not speeds or speed > speeds[-1]:
            errors.append(error)
            speeds.append(speed)
    return errors, speeds


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Ratios of speed, ours / the peer's."""

    ratio: float
    low: float
    high: float
    tracks: int
    """That count."""
    peer_missed: int
    """Tracks on which only ours reached the error: left out, which is in the peer's favour."""


def compare(ours: Sequence[float], peer: Sequence[float], *, seed: int) -> Comparison | None:
    """One speed a track and law, 0 where the error was not reached; None when no track is left to compare.

    Where only the peer reached it the ratio is 0. The median, and its 95 % interval by the bootstrap over tracks.
    """
    pairs = list(zip(ours, peer, strict=True))
    ratios = [a / b for a, b in pairs if b > 0]
    if not ratios:
        return None
    low, high = bootstrap_interval(ratios, seed=seed)
    missed = sum(a > 0 and b == 0 for a, b in pairs)
    return Comparison(ratio=median(ratios), low=low, high=high, tracks=len(ratios), peer_missed=missed)


def bootstrap_interval(values: Sequence[float], *, seed: int, share: float = 0.95) -> tuple[float, float]:
    """Of the median, by percentiles over resamples with replacement."""
    rng = np.random.default_rng(seed)
    resampled = np.asarray(values)[rng.integers(len(values), size=(_RESAMPLES, len(values)))]
    low, high = np.quantile(np.median(resampled, axis=1), [(1 - share) / 2, (1 + share) / 2])
    return float(low), float(high)
