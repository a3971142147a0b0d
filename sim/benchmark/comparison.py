"""Two settings on the same scenarios: paired differences, and how sure they are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import comb

import numpy as np
from numpy.typing import NDArray

from sim.benchmark.scenarios import IDENTITY, Record, finite

_RESAMPLES = 4000
_FEWEST_TRACKS = 3
"""With fewer tracks scenarios are drawn by themselves, not by track."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    key: str
    name: str
    unit: str
    scale: float
    lower_is_better: bool
    margin: float
    """A difference up to here is not worth a warning, however sure it is."""


MEASURES = (
    Measure(key="lateral_error_rms_m", name="error rms", unit="cm", scale=100, lower_is_better=True, margin=0.001),
    Measure(key="lateral_error_p95_m", name="error p95", unit="cm", scale=100, lower_is_better=True, margin=0.002),
    Measure(key="off_line_s", name="off the line", unit="s", scale=1, lower_is_better=True, margin=0.1),
    Measure(key="mean_speed_m_s", name="mean speed", unit="m/s", scale=1, lower_is_better=False, margin=0.01),
    Measure(key="steering_effort_1pm_s", name="steering", unit="1/m/s", scale=1, lower_is_better=True, margin=1.0),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One measure, of the pairs in which both have it."""

    measure: Measure
    pairs: int
    before: float
    after: float
    difference: float
    """After minus before, mean."""
    low: float
    high: float
    """The 95 % interval of the difference, by the bootstrap over tracks."""

    @property
    def worse(self) -> bool:
        return self._matters and (self.low > 0) == self.measure.lower_is_better

    @property
    def better(self) -> bool:
        return self._matters and (self.low > 0) != self.measure.lower_is_better

    @property
    def _matters(self) -> bool:
        """Sure, and large enough."""
        return (self.low > 0 or self.high < 0) and abs(self.difference) > self.measure.margin


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    pairs: int
    unpaired: int
    """Of either side, with no partner: left out."""
    lost: list[str]
    """Completed before and no more."""
    gained: list[str]
    p_completed: float
    """McNemar's exact test: how likely so uneven a change is by chance."""
    rows: list[Row]

    @property
    def worse(self) -> bool:
        return len(self.lost) > len(self.gained) or any(row.worse for row in self.rows)


def identity(record: Record) -> tuple[object, ...]:
    """Records of older benchmarks have the calibrated robot, with its delay."""
    usual = {"robot": 0, "delay_ms": None, "clutter": 0}
    return tuple(record.get(key, usual.get(key)) for key in IDENTITY)


def compare(before: Sequence[Record], after: Sequence[Record], *, seed: int = 0) -> Comparison:
    first, second = ({identity(r): r for r in records} for records in (before, after))
    shared = [key for key in first if key in second]
    pairs = [(first[key], second[key]) for key in shared]
    lost = [_named(b) for a, b in pairs if a["completed"] and not b["completed"]]
    gained = [_named(b) for a, b in pairs if b["completed"] and not a["completed"]]
    rows = [row for measure in MEASURES if (row := _row(measure, pairs, seed=seed)) is not None]
    return Comparison(
        pairs=len(pairs), unpaired=len(first) + len(second) - 2 * len(pairs), lost=lost, gained=gained,
        p_completed=_mcnemar(len(lost), len(gained)), rows=rows,
    )  # fmt: skip


def _row(measure: Measure, pairs: Sequence[tuple[Record, Record]], *, seed: int) -> Row | None:
    known = [
        (str(a["track"]), one, other)
        for a, b in pairs
        if (one := finite(a.get(measure.key))) is not None and (other := finite(b.get(measure.key))) is not None
    ]
    if not known:
        return None
    values = np.array([(one, other) for _, one, other in known])
    apart = values[:, 1] - values[:, 0]
    low, high = bootstrap_interval(apart, [name for name, _, _ in known], seed=seed)
    before, after = values.mean(axis=0).tolist()
    return Row(
        measure=measure, pairs=len(known), before=before, after=after, difference=float(apart.mean()), low=low,
        high=high,
    )  # fmt: skip


def bootstrap_interval(apart: NDArray[np.float64], groups: Sequence[str], *, seed: int) -> tuple[float, float]:
    """95 % of the mean. Drives on one track are alike, so whole tracks are drawn where there are enough of them."""
    names, index = np.unique(np.asarray(groups), return_inverse=True)
    if len(names) < _FEWEST_TRACKS:
        names, index = np.arange(len(apart)), np.arange(len(apart))
    sums = np.bincount(index, weights=apart, minlength=len(names))
    counts = np.bincount(index, minlength=len(names))
    drawn = np.random.default_rng(seed).integers(len(names), size=(_RESAMPLES, len(names)))
    means = sums[drawn].sum(axis=1) / counts[drawn].sum(axis=1)
    low, high = np.quantile(means, [0.025, 0.975])
    return float(low), float(high)


def _mcnemar(lost: int, gained: int) -> float:
    total = lost + gained
    tail: float = sum(comb(total, k) for k in range(min(lost, gained) + 1)) / 2**total
    return min(1.0, 2 * tail)


def _named(record: Record) -> str:
    robot = f" robot {record['robot']}" if record.get("robot") else ""
    return f"{record['track']} {record['look']} {record['direction']}{robot}"
