"""The numbers of one simulated vehicle, and how they vary from robot to robot."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from math import inf, isfinite, radians
from typing import Literal

import numpy as np

from control.errors import ConfigError

_ANY_SIZE = frozenset({
    "drive", "duty_rate_per_s", "servo_rate_radps", "steering_center", "left_stop_rad", "right_stop_rad",
})  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class VehicleParams:
    """A JetBot by default. Duties are in [-1, 1]; a share is in [0, 1)."""

    drive: Literal["differential", "ackermann"] = "differential"
    width_m: float = 0.13
    wheel_base_m: float = 0.10
    """Differential: between the wheels. Ackermann: between the axles."""
    top_speed_mps: float = 0.9
    """At full duty and full battery."""
    dead_zone: float = 0.04
    """Duty below which a wheel stands still."""
    left_gain: float = 1.0
    right_gain: float = 1.0
    lag_s: float = 0.06
    """First-order time constant of a wheel behind its duty."""
    camera_delay_s: float = 0.04
    """From the exposure until the frame has arrived."""
    motor_delay_s: float = 0.08
    """From the command until the motor driver acts on it."""
    duty_rate_per_s: float = inf
    """The motor driver's own ramp."""
    slip: float = 0.0
    """Share of the wheels' travel lost to the floor."""
    understeer: float = 0.0
    """Share of the yaw rate lost to the floor."""
    sag: float = 0.0
    """Share of the speed lost when both motors run at full duty."""
    discharge_per_s: float = 0.0
    """Share of the speed lost a second as the battery empties; it stops at one half."""
    max_steering_rad: float = radians(28.0)
    steering_center: float = 0.0
    """Servo command at which the wheels point straight ahead."""
    left_stop_rad: float = inf
    """How far the linkage lets the wheels turn to that side."""
    right_stop_rad: float = inf
    servo_rate_radps: float = inf

    def __post_init__(self) -> None:
        for item in fields(self):
            value = getattr(self, item.name)
            if item.name not in _ANY_SIZE and not (isfinite(value) and value >= 0):
                raise ConfigError(f"vehicle: {item.name} must be 0 or more, not {value!r}")
        if not (self.wheel_base_m > 0 and self.top_speed_mps > 0 and self.width_m > 0 and self.max_steering_rad > 0):
            raise ConfigError("vehicle: sizes, top speed and steering angle must be positive")
        if not (self.duty_rate_per_s > 0 and self.servo_rate_radps > 0 and isfinite(self.steering_center)):
            raise ConfigError("vehicle: rates must be positive and steering_center finite")
        if not (self.left_stop_rad > 0 and self.right_stop_rad > 0):
            raise ConfigError("vehicle: left_stop_rad and right_stop_rad must be above 0")
        if max(self.dead_zone, self.slip, self.understeer, self.sag) >= 1 or self.max_steering_rad >= 1.5:
            raise ConfigError("vehicle: dead_zone, slip, understeer and sag are shares below 1")

    @property
    def total_delay_s(self) -> float:
        """Camera-to-wheel transport delay, without the lag."""
        return self.camera_delay_s + self.motor_delay_s

    def randomised(self, rng: np.random.Generator) -> VehicleParams:
        """Another robot of the same make. JetBot dead zones of 0.03 to 0.05 are reported; the rest is judgement."""

        def around(value: float, share: float) -> float:
            return value * float(rng.uniform(1 - share, 1 + share))

        return replace(
            self,
            top_speed_mps=around(self.top_speed_mps, 0.1),
            dead_zone=around(self.dead_zone, 0.3),
            left_gain=around(self.left_gain, 0.05),
            right_gain=around(self.right_gain, 0.05),
            lag_s=around(self.lag_s, 0.4),
            camera_delay_s=around(self.camera_delay_s, 0.25),
            motor_delay_s=around(self.motor_delay_s, 0.25),
            slip=float(rng.uniform(0.0, 0.05)),
            understeer=float(rng.uniform(0.0, 0.05)),
            sag=float(rng.uniform(0.0, 0.08)),
            steering_center=self.steering_center + float(rng.uniform(-0.04, 0.04)),
        )


JETBOT = VehicleParams()
JETRACER = VehicleParams(
    drive="ackermann", width_m=0.19, wheel_base_m=0.174, top_speed_mps=3.0, dead_zone=0.05, servo_rate_radps=5.0
)
VEHICLES: dict[str, VehicleParams] = {"jetbot": JETBOT, "jetracer": JETRACER}
