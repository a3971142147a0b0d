"""The few numbers that a page may turn while the robot drives."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from control.errors import ConfigError
from control.follower import FollowerSettings, LineFollower
from control.pilot import Pilot

_Get = Callable[[FollowerSettings], float]
_Set = Callable[[FollowerSettings, float], FollowerSettings]


@dataclass(frozen=True, slots=True, kw_only=True)
class Knob:
    key: str
    """As in the settings file, so that a number that was found can be written there."""
    label: str
    low: float
    high: float
    step: float
    get: _Get
    change: _Set


def _steering(name: str) -> tuple[_Get, _Set]:
    return (
        lambda s: float(getattr(s.steering, name)),
        lambda s, value: replace(s, steering=replace(s.steering, **{name: value})),
    )


def _speed(name: str) -> tuple[_Get, _Set]:
    return (
        lambda s: float(getattr(s.speed, name)),
        lambda s, value: replace(s, speed=replace(s.speed, **{name: value})),
    )


def _own(name: str) -> tuple[_Get, _Set]:
    return lambda s: float(getattr(s, name)), lambda s, value: replace(s, **{name: value})


def _knob(key: str, label: str, bounds: tuple[float, float, float], parts: tuple[_Get, _Set]) -> Knob:
    low, high, step = bounds
    return Knob(key=key, label=label, low=low, high=high, step=step, get=parts[0], change=parts[1])


KNOBS = (
    _knob("follower.speed.max_speed_mps", "top speed, m/s", (0.15, 1.5, 0.05), _speed("max_speed_mps")),
    _knob("follower.steering.kp", "proportional gain", (0.0, 10.0, 0.1), _steering("kp")),
    _knob("follower.steering.ki", "integral gain", (0.0, 20.0, 0.2), _steering("ki")),
    _knob("follower.steering.kd", "derivative gain", (0.0, 1.0, 0.01), _steering("kd")),
    _knob("follower.steering.feed_forward", "weight of the curve ahead", (0.0, 2.0, 0.05), _steering("feed_forward")),
    _knob("follower.look_ahead_time_s", "look-ahead, s", (0.0, 0.5, 0.01), _own("look_ahead_time_s")),
)


class Tuning:
    """``settings`` is a new record after each turn of a knob; the loop picks it up when it likes."""

    def __init__(self, settings: FollowerSettings) -> None:
        self.settings = settings

    def turn(self, name: str, value: float) -> str:
        """Why not; empty when it was turned."""
        knob = next((knob for knob in KNOBS if knob.key == name), None)
        if knob is None:
            return f"{name} cannot be turned here"
        if not knob.low <= value <= knob.high:
            return f"{name} must be from {knob.low:g} to {knob.high:g}, not {value:g}"
        try:
            self.settings = knob.change(self.settings, value)
        except ConfigError as error:
            return str(error)
        return ""

    def shown(self) -> list[dict[str, Any]]:
        return [
            {
                "key": knob.key, "label": knob.label, "low": knob.low, "high": knob.high, "step": knob.step,
                "value": round(knob.get(self.settings), 6),
            }
            for knob in KNOBS
        ]  # fmt: skip

    def apply(self, pilot: Pilot) -> None:
        """In the loop's thread, between two passes."""
        if isinstance(pilot, LineFollower) and pilot.settings is not self.settings:
            pilot.retune(self.settings)
