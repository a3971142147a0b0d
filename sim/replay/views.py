"""What the camera would have seen near a recorded drive: its pictures, moved along the floor.

As Bojarski et al. (2016) and VISTA (Amini et al. 2020) do: all that a picture shows below the horizon lies on the
floor, so that it can be seen from another pose; what stands above is only turned, as if it were far away.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import cos, sin

import cv2
import numpy as np
from numpy.typing import NDArray

from calibration.profile import CameraModel
from calibration.projection import GroundProjection
from control.errors import SessionError
from control.messages import WheelCommand
from robot.sessions.session_tick import Image
from sim.replay.recorded import RecordedTick
from sim.vehicle.kinematics import Pose
from sim.vehicle.params import VehicleParams
from sim.vehicle.vehicle import Vehicle

Array = NDArray[np.float64]
_FAR_M, _SKY_M = 4.0, 1000.0
_ASPECT = 0.01
REGION_M, REGION_RAD = 0.10, 0.35
"""So far aside, and so far turned, pictures were found to be good."""
_END_M = 0.25
"""Farther aside little of the floor that matters was ever seen."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Of the robot beside the recorded drive."""

    index: int
    """Of the picture that is shown: the last one taken behind it."""
    forward_m: float
    left_m: float
    turn_rad: float

    @property
    def is_valid(self) -> bool:
        return abs(self.left_m) <= REGION_M and abs(self.turn_rad) <= REGION_RAD

    @property
    def is_lost(self) -> bool:
        return abs(self.left_m) > _END_M or abs(self.turn_rad) > 1.2


class ViewMaker:
    """For one lens on its mount."""

    def __init__(self, projection: GroundProjection) -> None:
        camera, mount = projection.camera, projection.mount
        self._projection = projection
        grid = np.stack(np.meshgrid(np.arange(camera.width), np.arange(camera.height)), axis=-1).reshape(-1, 2)
        points = projection.pixels_to_points(grid.astype(np.float64))
        eye = np.array([mount.forward_m, 0.0, mount.height_m])
        floor, rays = projection.to_ground(points), projection.rays(points)
        with np.errstate(invalid="ignore"):
            near = np.hypot(floor[:, 0], floor[:, 1]) < _FAR_M
        # (N, 3) in the vehicle frame.
        self._shown = np.where(near[:, None], np.column_stack([floor, np.zeros(len(floor))]), eye + rays * _SKY_M)
        self._near = near

    def view(self, picture: Image, place: Place) -> Image:
        """(H, W, 3): ``picture`` as seen from ``place``. What it did not show repeats its border."""
        c, s = cos(place.turn_rad), sin(place.turn_rad)
        turned = self._shown @ np.array([[c, s, 0.0], [-s, c, 0.0], [0.0, 0.0, 1.0]])
        turned[self._near, :2] += (place.forward_m, place.left_m)
        points = self._projection.world_to_image(turned)
        pixels = self._projection.points_to_pixels(np.nan_to_num(points, nan=-9.0)).astype(np.float32)
        camera = self._projection.camera
        where = pixels.reshape(camera.height, camera.width, 2)
        moved = cv2.remap(picture, where, None, cv2.INTER_LINEAR, None, cv2.BORDER_REPLICATE)  # type: ignore[call-overload]
        return np.asarray(moved, np.uint8)


class RecordedWorld:
    """The surroundings of a recorded drive, near where it went: a robot that is not held to it drives here.

    ``poses`` (N, 3) are x, y and heading of the vehicle's origin when the picture of each of ``ticks`` was taken. The
    vehicle is the one that the calibration describes. Starts ``offset_m`` to the left of the recorded start.
    """

    def __init__(
        self, ticks: Sequence[RecordedTick], poses: Array, *, projection: GroundProjection, vehicle: VehicleParams,
        offset_m: float = 0.0,
    ) -> None:  # fmt: skip
        self._ticks, self._poses = ticks, poses
        self._maker, self._camera = ViewMaker(projection), projection.camera
        self._held: tuple[int, Image] | None = None
        x, y, heading = self._poses[0].tolist()
        start = Pose(x=x - offset_m * sin(heading), y=y + offset_m * cos(heading), heading=heading)
        self.params = vehicle
        self._vehicle = Vehicle(vehicle, pose=start)
        self._index = 0

    @property
    def now_s(self) -> float:
        return self._vehicle.now_s

    def command(self, wheels: WheelCommand) -> None:
        self._vehicle.command(wheels)

    def advance_to(self, when_s: float) -> None:
        self._vehicle.advance_to(when_s)

    @property
    def speed_mps(self) -> float:
        return self._vehicle.speed_mps

    @property
    def is_at_end(self) -> bool:
        return self._index >= len(self._ticks) - 1

    def place(self) -> Place:
        """Where the robot is now; the recorded pictures are only ever passed forward."""
        while self._index + 1 < len(self._ticks) and self._beside(self._index + 1).forward_m >= 0.0:
            self._index += 1
        return self._beside(self._index)

    def image(self) -> Image:
        """Raises SessionError for a picture that is damaged, or of another camera."""
        place = self.place()
        return self._maker.view(self._picture(place.index), place)

    def _beside(self, index: int) -> Place:
        pose, (x, y, heading) = self._vehicle.pose, self._poses[index].tolist()
        c, s = cos(heading), sin(heading)
        dx, dy = pose.x - x, pose.y - y
        return Place(index=index, forward_m=c * dx + s * dy, left_m=c * dy - s * dx, turn_rad=pose.heading - heading)

    def _picture(self, index: int) -> Image:
        if self._held is None or self._held[0] != index:
            frame = self._ticks[index].frame
            image = frame.image()
            assert image is not None
            self._held = index, fitted(image, self._camera, source=str(frame.path))
        return self._held[1]


def fitted(image: Image, camera: CameraModel, *, source: str) -> Image:
    """In the size at which the lens was measured. Raises SessionError for the picture of another camera."""
    height, width = image.shape[:2]
    if (width, height) == (camera.width, camera.height):
        return image
    if abs(width / height * camera.height / camera.width - 1) > _ASPECT:
        raise SessionError(
            f"{source}: its pictures are {width}x{height}, but the lens was measured at "
            f"{camera.width}x{camera.height}; give the calibration of the camera that took them"
        )
    return np.asarray(cv2.resize(image, (camera.width, camera.height), interpolation=cv2.INTER_AREA), np.uint8)
