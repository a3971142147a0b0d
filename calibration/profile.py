"""The measured numbers of one robot: lens, camera mount, drive and steering trim, latency.

Defaults describe a JetBot with the 160 degree camera, good enough for the simulator and a first drive.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import isfinite, radians
from typing import Literal

from calibration.quality import Quality
from control.errors import CalibrationError

VERSION = 1
"""Of calibration.yaml; another number is another meaning of its fields."""
FALLOFF_TERMS = 14
"""Of a polynomial of degree four in two variables, but for the constant."""


def _require(ok: bool, message: str) -> None:
    if not ok:
        raise CalibrationError(message)


@dataclass(frozen=True, slots=True, kw_only=True)
class CameraModel:
    """Intrinsics in pixels of an image of width x height.

    ``fisheye`` is Kannala-Brandt with four coefficients as in ``cv2.fisheye``; ``pinhole`` is plumb_bob
    (k1, k2, p1, p2) as in ROS camera_info. A squashed picture simply has fx != fy.
    """

    width: int = 224
    height: int = 224
    model: Literal["pinhole", "fisheye"] = "fisheye"
    fx: float = 81.0
    fy: float = 107.0
    cx: float = 111.5
    cy: float = 111.5
    distortion: tuple[float, float, float, float] = (-0.01, 0.003, 0.0, 0.0)

    def __post_init__(self) -> None:
        numbers = (self.fx, self.fy, self.cx, self.cy, *self.distortion)
        _require(all(isfinite(v) for v in numbers), "calibration.camera: every number must be finite")
        _require(self.fx > 0 and self.fy > 0, "calibration.camera: fx and fy must be positive")
        _require(self.width > 0 and self.height > 0, "calibration.camera: width and height must be positive")


@dataclass(frozen=True, slots=True, kw_only=True)
class FlatField:
    """How much darker each colour gets away from the middle: coefficients as ``calibration/flat_field.py`` has them.

    Empty is: never measured, and pictures stay as they are.
    """

    blue: tuple[float, ...] = ()
    green: tuple[float, ...] = ()
    red: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        colours = (self.blue, self.green, self.red)
        lengths = {len(colour) for colour in colours}
        _require(
            lengths in ({0}, {FALLOFF_TERMS}),
            f"calibration.flat_field: each colour needs {FALLOFF_TERMS} numbers, or all three none",
        )
        _require(
            all(isfinite(v) for colour in colours for v in colour), "calibration.flat_field: numbers must be finite"
        )

    @property
    def is_measured(self) -> bool:
        return bool(self.green)


@dataclass(frozen=True, slots=True, kw_only=True)
class CameraMount:
    """Where the camera sits on the vehicle: positive pitch looks down, roll leans right, yaw turns left."""

    height_m: float = 0.10
    forward_m: float = 0.06
    pitch_rad: float = radians(22.0)
    roll_rad: float = 0.0
    yaw_rad: float = 0.0

    def __post_init__(self) -> None:
        _require(self.height_m > 0, "calibration.mount: height_m must be positive")


@dataclass(frozen=True, slots=True, kw_only=True)
class DriveTrim:
    """From m/s to duty: duty = sign(v) * dead_zone + v / top_speed * (1 - dead_zone), per side."""

    wheel_base_m: float = 0.10
    top_speed_mps: float = 0.9
    dead_zone: float = 0.04
    left_gain: float = 1.0
    right_gain: float = 1.0

    def __post_init__(self) -> None:
        positive = self.top_speed_mps > 0 and self.wheel_base_m > 0
        _require(positive, "calibration.drive: wheel_base_m and top_speed_mps must be positive")
        _require(0 <= self.dead_zone < 0.5, "calibration.drive: dead_zone must be in [0, 0.5)")


@dataclass(frozen=True, slots=True, kw_only=True)
class SteeringTrim:
    """Ackermann: servo command = center + tan^-1(wheel_base * curvature) / max_angle, between the limits."""

    wheel_base_m: float = 0.174
    max_angle_rad: float = radians(28.0)
    """For a command of 1 off the centre; what understeers is in it, when it was measured."""
    center: float = 0.0
    right_limit: float = -1.0
    """Command at which the wheels are turned as far as they go; beyond it a servo only strains."""
    left_limit: float = 1.0
    top_speed_mps: float = 3.0
    dead_zone: float = 0.05

    def __post_init__(self) -> None:
        _require(
            -1 <= self.right_limit < self.center < self.left_limit <= 1,
            "calibration.steering: center must lie between right_limit and left_limit, and those from -1 to 1",
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Latency:
    """Camera-to-wheel delay: from the middle of the exposure until the wheels answer."""

    delay_s: float = 0.12
    camera_s: float = 0.04
    """The part of it before the frame arrives."""
    motor_lag_s: float = 0.06
    """First-order time constant of the wheels behind their command."""

    def __post_init__(self) -> None:
        _require(0 <= self.delay_s < 2, f"calibration.latency.delay_s: seconds from 0 to 2, not {self.delay_s:g}")
        _require(
            0 <= self.motor_lag_s < 2, f"calibration.latency.motor_lag_s: seconds from 0 to 2, not {self.motor_lag_s:g}"
        )
        _require(
            0 <= self.camera_s <= self.delay_s,
            f"calibration.latency.camera_s: is a part of delay_s ({self.delay_s:g}), not {self.camera_s:g}",
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """Everything measured about one robot; ``calibration.yaml`` holds exactly this."""

    version: int = VERSION
    camera: CameraModel = field(default_factory=CameraModel)
    flat_field: FlatField = field(default_factory=FlatField)
    mount: CameraMount = field(default_factory=CameraMount)
    drive: DriveTrim = field(default_factory=DriveTrim)
    steering: SteeringTrim = field(default_factory=SteeringTrim)
    latency: Latency = field(default_factory=Latency)
    measured: Quality = field(default_factory=Quality)

    def __post_init__(self) -> None:
        _require(
            self.version == VERSION,
            f"calibration.version: this file is of version {self.version}, and this linepilot reads version {VERSION}; "
            + ("update linepilot" if self.version > VERSION else "measure again with: linepilot calibrate"),
        )
