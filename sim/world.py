"""A robot on a floor: wheels in, pictures and truth out, in simulated time."""

from __future__ import annotations

from dataclasses import dataclass
from math import atan2, cos, sin

import numpy as np

from calibration.profile import Calibration
from calibration.projection import GroundProjection
from control.messages import WheelCommand
from sim.looks import backdrop, find_look, paint_floor
from sim.render.ground import Image
from sim.render.ray_map import RayMap
from sim.render.sensor import Sensor
from sim.tracks.geometry import Track
from sim.vehicle.kinematics import Pose
from sim.vehicle.params import VehicleParams
from sim.vehicle.vehicle import Vehicle

_SPACING_M = 0.01


@dataclass(frozen=True, slots=True, kw_only=True)
class Truth:
    """Where the vehicle's origin really is, relative to the track."""

    time_s: float
    x: float
    y: float
    heading_rad: float
    speed_mps: float
    lateral_error_m: float
    """Positive: the robot is left of the line."""
    heading_error_rad: float
    distance_m: float
    """Travelled along the track since the start, over all laps."""
    off_line: bool
    """Further from the line than half the robot's width."""


class World:
    """``reset`` draws everything random from one seed; then the same commands give the same pictures."""

    def __init__(
        self, track: Track, *, look: str = "white-tape", vehicle: VehicleParams | None = None,
        calibration: Calibration | None = None, effects: bool = True,
    ) -> None:  # fmt: skip
        self.track = track
        self.look = find_look(look)
        self.params = vehicle or VehicleParams()
        self.calibration = calibration or Calibration()
        self.projection = GroundProjection(self.calibration.camera, self.calibration.mount)
        camera = self.calibration.camera
        self._effects = effects
        self._rays = RayMap(self.projection, backdrop(self.look, width=camera.width, height=camera.height))
        self._path = track.path(_SPACING_M)
        self.reset(0)

    def reset(self, seed: int) -> None:
        """Back to the start of the track, standing on the line."""
        self._rng = np.random.default_rng(seed)
        self.ground = paint_floor(self._path, self.look, rng=self._rng)
        camera = self.calibration.camera
        self._sensor = Sensor(self.look.sensor, width=camera.width, height=camera.height, rng=self._rng)
        x, y, heading = self.track.pose_at(0.0)
        self.vehicle = Vehicle(self.params, pose=Pose(x=x, y=y, heading=heading))
        self._segment: int | None = None
        self._along_m: float | None = None
        self._distance_m = 0.0
        self.truth = self._look_up()

    @property
    def now_s(self) -> float:
        return self.vehicle.now_s

    def command(self, wheels: WheelCommand) -> None:
        self.vehicle.command(wheels)

    def advance(self, dt_s: float) -> None:
        self.vehicle.advance(dt_s)
        self.truth = self._look_up()

    def step(self, wheels: WheelCommand, dt_s: float) -> None:
        self.command(wheels)
        self.advance(dt_s)

    def image(self) -> Image:
        """What the camera sees now: (H, W, 3) uint8 BGR."""
        clean = self._rays.render(self.ground, self.vehicle.pose)
        return self._sensor.apply(clean, self._rng) if self._effects else clean

    def _look_up(self) -> Truth:
        pose = self.vehicle.pose
        near = self.track.nearest(pose.x, pose.y, hint=self._segment)
        if self._along_m is not None:
            moved = near.s - self._along_m
            if self.track.closed:
                half = self.track.length_m / 2
                moved = (moved + half) % (2 * half) - half
            self._distance_m += moved
        self._segment, self._along_m = near.index, near.s
        turn = pose.heading - near.heading_rad
        return Truth(
            time_s=self.vehicle.now_s, x=pose.x, y=pose.y, heading_rad=pose.heading, speed_mps=self.vehicle.speed_mps,
            lateral_error_m=near.lateral_m, heading_error_rad=atan2(sin(turn), cos(turn)), distance_m=self._distance_m,
            off_line=abs(near.lateral_m) > self.params.width_m / 2,
        )  # fmt: skip
