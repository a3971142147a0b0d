"""How far today's answers lie from the recorded ones, field by field, against a tolerance."""

from __future__ import annotations

from array import array
from collections.abc import Mapping
from dataclasses import dataclass
from math import inf, isfinite, nan
from typing import Any

import numpy as np

from control.errors import ConfigError
from control.messages import AckermannCommand, LineEstimate, WheelCommand
from robot.sessions.session_tick import SessionTick
from sim.replay.control_steps import Replayed
from sim.replay.open_loop import Pair

POINTS, SEEN, CONFIDENCE = "points", "seen", "confidence"
CURVATURE, SPEED, STEERING, THROTTLE, STATE = "curvature", "speed", "steering", "throttle", "state"
TOLERANCES: dict[str, float] = {
    POINTS: 3.0, SEEN: 1.0, CONFIDENCE: 0.1, CURVATURE: 0.5, SPEED: 0.05, STEERING: 0.05, THROTTLE: 0.05, STATE: 0.0,
}  # fmt: skip
UNITS = {
    POINTS: "px of 224", SEEN: "rows", CONFIDENCE: "", CURVATURE: "1/m", SPEED: "m/s", STEERING: "duty",
    THROTTLE: "duty", STATE: "",
}  # fmt: skip
_OF_PICTURE = (POINTS, SEEN, CONFIDENCE)
"""Known only where the picture was looked at anew."""
_PICTURE_PX = 224
_VISIBLE = 0.5
_SETTLE_S = 1.0
"""A piece of a drive begins with a pilot that has learnt nothing yet: so long its commands are not judged."""


def tolerances(given: list[str]) -> dict[str, float]:
    """The usual ones with FIELD=NUMBER on top. Raises ConfigError."""
    found = dict(TOLERANCES)
    for text in given:
        name, _, number = text.partition("=")
        try:
            value = float(number)
        except ValueError:
            value = nan
        if name not in found or not value >= 0:
            raise ConfigError(
                f"--tolerance {text}: give FIELD=NUMBER, a number from 0 up, of the fields {', '.join(found)}"
            )
        found[name] = value
    return found


def difference(recorded: SessionTick, replayed: Replayed) -> dict[str, float]:
    """Of one tick, absolute; what cannot be compared is infinite."""
    then, now = recorded.verdict, replayed.verdict
    steering, throttle = _wheels(recorded.wheels, replayed.wheels)
    found = {
        CURVATURE: abs(then.command.curvature_1pm - now.command.curvature_1pm),
        SPEED: abs(then.command.speed_mps - now.command.speed_mps), STEERING: steering, THROTTLE: throttle,
        STATE: float(then.state is not now.state),
    }  # fmt: skip
    if replayed.looked:
        found |= _seen(recorded.estimate, replayed.estimate)
    return {key: value if isfinite(value) else inf for key, value in found.items()}


def _seen(then: LineEstimate, now: LineEstimate) -> dict[str, float]:
    """Rows are matched by their height; a model with other rows is compared where it has the same."""
    rows = {round(point.y, 6): point for point in now.points}
    pairs = [(point, rows[key]) for point in then.points if (key := round(point.y, 6)) in rows]
    both = [(a, b) for a, b in pairs if a.visible >= _VISIBLE and b.visible >= _VISIBLE]
    aside = max((abs(a.x - b.x) for a, b in both), default=0.0) * _PICTURE_PX / 2
    flips = sum((a.visible >= _VISIBLE) is not (b.visible >= _VISIBLE) for a, b in pairs)
    return {POINTS: aside, SEEN: float(flips), CONFIDENCE: abs(then.confidence - now.confidence)}


def _wheels(then: WheelCommand, now: WheelCommand) -> tuple[float, float]:
    """Differences in steering and throttle; of two wheels half their difference and their mean."""
    if isinstance(then, AckermannCommand):
        if not isinstance(now, AckermannCommand):
            return inf, inf
        return abs(then.steering - now.steering), abs(then.throttle - now.throttle)
    if isinstance(now, AckermannCommand):
        return inf, inf
    left, right = then.left - now.left, then.right - now.right
    return abs(right - left) / 2, abs(right + left) / 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One line of the table."""

    name: str
    unit: str
    ticks: int
    """That were compared."""
    mean: float
    p95: float
    largest: float
    at_s: float
    """When it was largest, seconds from the start."""
    tolerance: float
    beyond: int
    """Ticks beyond the tolerance."""


class Differences:
    """Collects ticks; holds a few numbers for each."""

    def __init__(self, tolerance: Mapping[str, float], *, midway: bool) -> None:
        self._tolerance = tolerance
        self._values: dict[str, array[float]] = {name: array("d") for name in TOLERANCES}
        self._times: dict[str, array[float]] = {name: array("d") for name in TOLERANCES}
        self._midway = midway
        self._first_s: float | None = None
        self.ticks = self.looked = self.identical = 0
        self.same_commands = 0
        self.seen_then_s, self.seen_now_s = array("d"), array("d")

    def add(self, pair: Pair) -> dict[str, float]:
        tick, now = pair.recorded.tick, pair.replayed
        self._first_s = tick.now_s if self._first_s is None else self._first_s
        since_s = tick.now_s - self._first_s
        found = difference(tick, now)
        settling = self._midway and since_s < _SETTLE_S
        for name, value in found.items():
            if name in _OF_PICTURE or not settling:
                self._values[name].append(value)
                self._times[name].append(since_s)
        self._count(tick, now)
        return found

    def _count(self, tick: SessionTick, now: Replayed) -> None:
        self.ticks += 1
        self.looked += now.looked
        same = tick.wheels == now.wheels and tick.verdict == now.verdict
        self.same_commands += same
        self.identical += same and tick.estimate == now.estimate and tick.decision == now.decision
        if now.looked:
            self.seen_now_s.append(now.see_s)
            if "see" in tick.sections_s:
                self.seen_then_s.append(tick.sections_s["see"])

    def fields(self) -> list[Field]:
        return [self._field(name) for name in TOLERANCES if self._values[name]]

    def _field(self, name: str) -> Field:
        values, allowed = np.asarray(self._values[name]), self._tolerance[name]
        worst = int(values.argmax())
        return Field(
            name=name, unit=UNITS[name], ticks=len(values), mean=float(values.mean()),
            p95=float(np.quantile(values, 0.95, method="nearest")), largest=float(values[worst]),
            at_s=self._times[name][worst], tolerance=allowed, beyond=int((values > allowed).sum()),
        )  # fmt: skip

    def within(self, *, share: float) -> bool:
        """Whether of no field more than ``share`` of the ticks lie beyond its tolerance."""
        return all(field.beyond <= share * field.ticks for field in self.fields())


def field_record(field: Field) -> dict[str, Any]:
    return {
        "unit": field.unit, "ticks": field.ticks, "mean": field.mean, "p95": field.p95, "max": field.largest,
        "max_at_s": field.at_s, "tolerance": field.tolerance, "beyond": field.beyond,
    }  # fmt: skip
