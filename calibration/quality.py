"""How the numbers of a calibration came about, and how well they are known; an empty date is: never measured."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class CameraQuality:
    date: str = ""
    """The day, as 2026-01-31."""
    how: str = ""
    views: int = 0
    held_out_px: float = 0.0
    """Root mean square reprojection error in views that the fit had not seen."""
    focal_deviation: float = 0.0
    """Relative standard deviation."""
    covered: float = 0.0
    """Share of the picture's nine regions in which the board was seen."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FlatFieldQuality:
    """Shares."""

    date: str = ""
    how: str = ""
    pictures: int = 0
    before: float = 0.0
    """From the darkest to the brightest part of an even sheet."""
    after: float = 0.0
    disagreement: float = 0.0
    """Between the pictures: uneven light."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MountQuality:
    date: str = ""
    how: str = ""
    error_at_half_m: float = 0.0
    """What a floor point 0.5 m ahead may be off, metres, two standard deviations."""
    error_at_1_m: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class DriveQuality:
    """Standard deviations; speeds are relative."""

    date: str = ""
    how: str = ""
    speed: float = 0.0
    ratio: float = 0.0
    """Of the left to the right wheel."""
    dead_zone: float = 0.0
    wheel_base_m: float = 0.0
    lag_s: float = 0.0
    delay_s: float = 0.0
    scatter_m: float = 0.0
    """Scatter of the motion between two frames about the fit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SteeringQuality:
    """Standard deviations; of the speed relative."""

    date: str = ""
    how: str = ""
    center: float = 0.0
    """Servo command."""
    curvature_1pm: float = 0.0
    """Scatter of the measured curvatures about the servo's line."""
    speed: float = 0.0
    dead_zone: float = 0.0
    lag_s: float = 0.0
    delay_s: float = 0.0
    scatter_m: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class LatencyQuality:
    """Of a latency that was read from recorded drives; standard deviations but for the jitter."""

    date: str = ""
    how: str = ""
    delay_s: float = 0.0
    lag_s: float = 0.0
    jitter_s: float = 0.0
    """From the 5th to the 95th hundredth of how long a picture waited for its order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Quality:
    camera: CameraQuality = field(default_factory=CameraQuality)
    flat_field: FlatFieldQuality = field(default_factory=FlatFieldQuality)
    mount: MountQuality = field(default_factory=MountQuality)
    drive: DriveQuality = field(default_factory=DriveQuality)
    """Also of the latency and of where the camera sits."""
    steering: SteeringQuality = field(default_factory=SteeringQuality)
    """The same for a robot that steers by a servo."""
    latency: LatencyQuality = field(default_factory=LatencyQuality)
    """Of recorded drives; motors and steering measure it too, and the later one counts."""
