"""What is tuned of a follower, and how widely."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from control.follower import FollowerSettings
from robot.config import RobotConfig

Gains = dict[str, float]
"""By the names of the settings, as ``follower.steering.kp``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Range:
    """``log``: equal factors count as equal steps."""

    low: float
    high: float
    log: bool = False


_SPACE: dict[str, Range] = {
    "follower.look_ahead_base_m": Range(low=0.05, high=0.15),
    "follower.look_ahead_time_s": Range(low=0.0, high=0.2),
    "follower.lag_lead": Range(low=0.0, high=1.5),
    "follower.steering.kp": Range(low=0.0, high=8.0),
    "follower.steering.ki": Range(low=0.0, high=25.0),
    "follower.steering.kd": Range(low=0.0, high=0.4),
    "follower.steering.feed_forward": Range(low=0.7, high=1.2),
    "follower.speed.lateral_acceleration_mps2": Range(low=0.5, high=4.0, log=True),
}
_MAX_SPEED = "follower.speed.max_speed_mps"
_SLOWEST_SHARE = 0.8


def gains_of(config: RobotConfig) -> Gains:
    """Those that the settings hold now."""
    return {name: _read(config.follower, name) for name in (*_SPACE, _MAX_SPEED)}


def space_for(config: RobotConfig) -> Mapping[str, Range]:
    """The top speed is somebody's choice: it is never raised. What stands in the settings always lies inside."""
    now = gains_of(config)
    top = now[_MAX_SPEED]
    low = max(config.follower.speed.min_speed_mps, _SLOWEST_SHARE * top)
    space = {**_SPACE, _MAX_SPEED: Range(low=low, high=top)}
    return {name: replace(r, low=min(r.low, now[name]), high=max(r.high, now[name])) for name, r in space.items()}


def with_gains(config: RobotConfig, gains: Gains) -> RobotConfig:
    follower = config.follower
    for name, value in gains.items():
        follower = _written(follower, name, value)
    return config.model_copy(update={"follower": follower})


def _read(follower: FollowerSettings, name: str) -> float:
    value: object = follower
    for part in name.split(".")[1:]:
        value = getattr(value, part)
    assert isinstance(value, int | float)
    return float(value)


def _written(follower: FollowerSettings, name: str, value: float) -> FollowerSettings:
    _, *section, last = name.split(".")
    if not section:
        return replace(follower, **{last: value})  # type: ignore[arg-type]
    inner = getattr(follower, section[0])
    return replace(follower, **{section[0]: replace(inner, **{last: value})})
