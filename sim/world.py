"""A robot on a floor: wheels in, pictures and truth out, in simulated time."""

from __future__ import annotations

from dataclasses import dataclass
from math import cos, sin

import numpy as np
from numpy.typing import ArrayLike, NDArray

from calibration.profile import Calibration
from calibration.projection import GroundProjection
from control.errors import InputError
from control.messages import WheelCommand
from sim.floor import paint_floor
from sim.labels import row_crossings
from sim.looks import Look, find_look
from sim.render.clutter import place_clutter
from sim.render.ground import Image
from sim.render.panorama import paint_panorama
from sim.render.pyramid import FloorPyramid
from sim.render.ray_map import RayMap
from sim.render.scenery import Scenery
from sim.render.sensor import Sensor
from sim.render.textures import tile
from sim.tracks.geometry import Nearest, Track, heading_difference
from sim.vehicle.kinematics import Pose
from sim.vehicle.params import VehicleParams
from sim.vehicle.vehicle import Vehicle

_SPACING_M = 0.01
_LOOK_UP_EVERY_M, _LOOK_UP_EVERY_S = 0.1, 0.1
"""A crossing is passed on the right branch only when the nearest place is followed in small steps."""
_BEHIND_M, _AHEAD_M, _LABEL_SPACING_M = 0.3, 4.0, 0.02
_MOST_CLUTTER = 100
_FINISH_M = 0.05
"""An open track counts as driven this far before its end."""


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
    """Positive: the robot points to the left of the line, in [-pi, pi)."""
    along_m: float
    """Arc length of the nearest place on the track."""
    distance_m: float
    """Driven along the track since the start, over all laps; backwards counts down."""
    laps: int
    """Whole laps driven; an open track has one."""
    off_line: bool
    """Further from the line than half the robot's width."""


class World:
    """``reset`` draws everything random from one seed; then the same commands give the same pictures."""

    def __init__(
        self, track: Track, *, look: str | Look = "white-tape", vehicle: VehicleParams | None = None,
        calibration: Calibration | None = None, effects: bool = True, randomise: bool = False,
        clutter: int | None = None,
    ) -> None:  # fmt: skip
        """``effects``: the camera's own faults; ``randomise``: each seed is another robot of the same make.

        ``clutter``: how many things stand beside ten metres of track; None is as many as the look says.
        """
        self.track = track
        self.look = find_look(look) if isinstance(look, str) else look
        self.calibration = calibration or Calibration()
        self.projection = GroundProjection(self.calibration.camera, self.calibration.mount)
        self.params = self._nominal = vehicle or VehicleParams()
        self._effects = effects
        self._randomise = randomise
        self.clutter = self.look.clutter if clutter is None else clutter
        if not 0 <= self.clutter <= _MOST_CLUTTER:
            raise InputError(f"clutter: from 0 to {_MOST_CLUTTER} things in ten metres of track, not {self.clutter}")
        self._path = track.path(_SPACING_M)
        self._rays: RayMap | None = None
        self._truth: Truth | None = None
        self.reset(0)

    def reset(self, seed: int, *, start_m: float = 0.0, lateral_m: float = 0.0, turn_rad: float = 0.0) -> None:
        """Stand at ``start_m`` along the track, ``lateral_m`` to its left, turned by ``turn_rad`` to the left."""
        paint_rng, vehicle_rng, self._rng, clutter_rng = np.random.default_rng(seed).spawn(4)
        self._paint(paint_rng, clutter_rng)
        self.params = self._nominal.randomised(vehicle_rng) if self._randomise else self._nominal
        self.vehicle = Vehicle(self.params, pose=self._beside(start_m, lateral_m, turn_rad))
        # On a crossing both branches are equally near: the hint says which one is meant.
        x, y, _ = self.track.pose_at(start_m)
        self._near = self.track.nearest(x, y, hint=self.track.segment_at(start_m))
        self._distance_m = 0.0
        self._look_up()

    def _paint(self, rng: np.random.Generator, clutter_rng: np.random.Generator) -> None:
        """All that only pictures need."""
        ground = paint_floor(self._path, self.look, rng=rng)
        clutter = place_clutter(self._path, per_10_m=self.clutter, rng=clutter_rng)
        clutter.paint(ground, rng=clutter_rng)
        self._scenery = Scenery(self.projection, clutter.solids, lamp=clutter.lamp)
        self._floor = FloorPyramid(ground)
        if self._rays is None:
            self._rays = RayMap(self.projection, metres_per_pixel=ground.metres_per_pixel)
        self._panorama = paint_panorama(tile(self.look.wall), rng=rng)
        camera = self.calibration.camera
        self._sensor = Sensor(self.look.sensor, width=camera.width, height=camera.height, rng=self._rng)

    @property
    def truth(self) -> Truth:
        """Looked up when asked for."""
        return self._truth or self._look_up()

    @property
    def now_s(self) -> float:
        return self.vehicle.now_s

    def command(self, wheels: WheelCommand) -> None:
        self.vehicle.command(wheels)

    def advance(self, dt_s: float) -> None:
        self.advance_to(self.now_s + dt_s)

    def advance_to(self, when_s: float) -> None:
        """Let time pass until exactly ``when_s``."""
        while self.now_s < when_s:
            self.vehicle.advance_to(min(when_s, self.now_s + _LOOK_UP_EVERY_S))
            self._truth = None
            if self.vehicle.travelled_m - self._looked_at_m > _LOOK_UP_EVERY_M:
                self._look_up()

    def step(self, wheels: WheelCommand, dt_s: float) -> None:
        self.command(wheels)
        self.advance(dt_s)

    def image(self) -> Image:
        """What the camera sees now: (H, W, 3) uint8 BGR."""
        assert self._rays is not None
        clean = self._rays.render(self._floor, self._panorama, self.vehicle.pose)
        self._scenery.draw(clean, self.vehicle.pose)
        return self._sensor.apply(clean, self._rng) if self._effects else clean

    def labels(self, rows: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        """Where the centre line crosses rows (image y) of the picture seen now: x (K,) and visible (K,)."""
        first, last = self.truth.along_m - _BEHIND_M, self.truth.along_m + _AHEAD_M
        if not self.track.closed:
            first, last = max(first, 0.0), min(last, self.track.length_m)
        along = np.arange(first, last, _LABEL_SPACING_M)
        pose = self.vehicle.pose
        gap = self.track.points_at(along) - (pose.x, pose.y)
        c, s = cos(pose.heading), sin(pose.heading)
        seen = gap @ np.array([[c, -s], [s, c]])
        # A path that passes under the robot is seen only from the camera on.
        seen[seen[:, 0] <= self.calibration.mount.forward_m] = np.nan
        x, visible = row_crossings(self.projection.to_image(seen), rows)
        return x, visible & ~self._scenery.hides(np.column_stack([x, np.ravel(rows)]), pose)

    def _beside(self, start_m: float, lateral_m: float, turn_rad: float) -> Pose:
        x, y, heading = self.track.pose_at(start_m)
        return Pose(x=x - lateral_m * sin(heading), y=y + lateral_m * cos(heading), heading=heading + turn_rad)

    def _look_up(self) -> Truth:
        pose, track = self.vehicle.pose, self.track
        near = track.nearest(pose.x, pose.y, hint=self._near.index)
        moved = near.s - self._near.s
        if track.closed:
            half = track.length_m / 2
            moved = (moved + half) % (2 * half) - half
        self._distance_m += moved
        self._near, self._looked_at_m = near, self.vehicle.travelled_m
        self._truth = Truth(
            time_s=self.vehicle.now_s, x=pose.x, y=pose.y, heading_rad=pose.heading, speed_mps=self.vehicle.speed_mps,
            lateral_error_m=near.lateral_m, heading_error_rad=heading_difference(pose.heading, near.heading_rad),
            along_m=near.s, distance_m=self._distance_m, laps=self._laps(near),
            off_line=abs(near.lateral_m) > self.params.width_m / 2,
        )  # fmt: skip
        return self._truth

    def _laps(self, near: Nearest) -> int:
        if self.track.closed:
            return max(0, int(self._distance_m / self.track.length_m))
        return int(near.s >= self.track.length_m - _FINISH_M)
