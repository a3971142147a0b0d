"""Where wheels take a vehicle: exact arcs on a plane."""

from __future__ import annotations

from dataclasses import dataclass
from math import cos, sin, tan


@dataclass(frozen=True, slots=True, kw_only=True)
class Pose:
    """Of the vehicle's origin, on the floor under the middle of the driven axle; metres and radians."""

    x: float = 0.0
    y: float = 0.0
    heading: float = 0.0
    """Counter-clockwise from x; not wrapped, so that it also counts turns."""


def differential_twist(left: float, right: float, *, wheel_base_m: float) -> tuple[float, float]:
    """Wheel travel or speeds -> (forward, yaw to the left)."""
    return (left + right) / 2, (right - left) / wheel_base_m


def ackermann_twist(travel: float, angle_rad: float, *, wheel_base_m: float) -> tuple[float, float]:
    """Rear axle travel or speed and front wheel angle -> (forward, yaw to the left)."""
    return travel, travel * tan(angle_rad) / wheel_base_m


def along_arc(pose: Pose, distance_m: float, turn_rad: float) -> Pose:
    """The pose after driving ``distance_m`` while turning by ``turn_rad`` at an even rate."""
    half = turn_rad / 2
    chord = distance_m if abs(half) < 1e-9 else distance_m * sin(half) / half
    toward = pose.heading + half
    return Pose(x=pose.x + chord * cos(toward), y=pose.y + chord * sin(toward), heading=pose.heading + turn_rad)
