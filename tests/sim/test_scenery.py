"""Upright things through a lens, against a ray caster that knows nothing of outlines."""

from __future__ import annotations

from math import radians

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from calibration.profile import CameraModel, CameraMount
from calibration.projection import GroundProjection
from sim.render.scenery import Scenery
from sim.render.solids import Solid, block, rounded
from sim.vehicle.kinematics import Pose

Floats = NDArray[np.float64]
LAMP = np.array([1.0, 0.0])
RED, GREEN = (0.0, 0.0, 200.0), (0.0, 200.0, 0.0)
FISHEYE = CameraModel()
PINHOLE = CameraModel(model="pinhole", fx=180.0, fy=180.0, distortion=(-0.1, 0.01, 0.0, 0.0))
# This polynomial turns back 52 degrees from the axis, a little beyond the corners of the picture.
FOLDING = CameraModel(model="pinhole", fx=190.0, fy=190.0, distortion=(-0.2, 0.0, 0.0, 0.0))
ROLLED = CameraMount(roll_rad=0.1, yaw_rad=-0.2, pitch_rad=radians(12))
POSE = Pose(x=1.0, y=-2.0, heading=0.7)


def grid(camera: CameraModel) -> Floats:
    """Every pixel's image point, row by row."""
    columns, rows = np.meshgrid(np.arange(camera.width), np.arange(camera.height))
    pixels = np.stack([columns, rows], axis=-1).reshape(-1, 2).astype(np.float64)
    points: Floats = GroundProjection(camera, CameraMount()).pixels_to_points(pixels)
    return points


def cast(projection: GroundProjection, low: Floats, high: Floats) -> NDArray[np.bool_]:
    """(H * W,) which pixels' rays meet the box between two corners in the vehicle frame."""
    rays = projection.rays(grid(projection.camera))
    eye = np.array([projection.mount.forward_m, 0.0, projection.mount.height_m])
    with np.errstate(divide="ignore", invalid="ignore"):
        first, second = (low - eye) / rays, (high - eye) / rays
    enter, leave = np.minimum(first, second).max(axis=1), np.maximum(first, second).min(axis=1)
    return np.asarray((enter <= leave) & (leave > 0))


BOXES = {
    "ahead": ((0.6, -0.1, 0.0), (0.9, 0.2, 0.3)),
    "beside": ((0.0, 0.25, 0.0), (0.2, 0.5, 0.4)),
    "leg": ((0.4, -0.28, 0.0), (0.43, -0.25, 0.7)),
    "overhead": ((0.8, -0.6, 0.7), (1.6, 0.6, 0.73)),
    "wall that leaves the view": ((-0.2, -0.6, 0.0), (1.4, -0.55, 0.3)),
    "low": ((0.25, 0.1, 0.0), (0.4, 0.3, 0.05)),
}


@pytest.mark.parametrize("camera", [FISHEYE, PINHOLE, FOLDING], ids=["fisheye", "pinhole", "folding"])
@pytest.mark.parametrize("mount", [CameraMount(), ROLLED], ids=["level", "rolled"])
@pytest.mark.parametrize("name", BOXES)
def test_a_box_covers_the_pixels_whose_rays_meet_it(name: str, mount: CameraMount, camera: CameraModel) -> None:
    low, high = (np.array(corner) for corner in BOXES[name])
    projection = GroundProjection(camera, mount)
    size, middle = high - low, (low + high) / 2
    solid = block((size[0], size[1], size[2]), color=RED, at=(middle[0], middle[1]), low_m=low[2])
    placed = solid.placed(POSE.x, POSE.y, POSE.heading)
    shape = (camera.height, camera.width)
    drawn = Scenery(projection, (placed,), lamp=LAMP).hides(grid(camera), POSE).reshape(shape).astype(np.uint8)
    expected = cast(projection, low, high).reshape(shape).astype(np.uint8)
    assert expected.sum() > 300 or camera.model == "pinhole"
    # Its edges may differ: a pixel more may be drawn, none less. What ends just outside the picture is left out.
    ring = np.ones((3, 3), np.uint8)
    more, less = drawn & ~cv2.dilate(expected, ring, iterations=2), cv2.erode(expected, ring) & ~drawn
    assert not more[4:-4, 4:-4].any()
    assert not less[4:-4, 4:-4].any()


@pytest.mark.parametrize("camera", [FISHEYE, PINHOLE], ids=["fisheye", "pinhole"])
def test_what_stands_behind_the_robot_is_not_seen(camera: CameraModel) -> None:
    behind = [block((0.4, 1.5, 1.0), color=RED, at=(-0.45, 0.0)), block((2.0, 2.0, 0.02), color=RED, low_m=0.8)]
    scenery = Scenery(GroundProjection(camera, CameraMount()), (behind[0],), lamp=LAMP)
    assert not scenery.hides(grid(camera), Pose()).any()
    # A table top that the robot stands under is overhead, not before the floor.
    below = GroundProjection(camera, CameraMount()).to_ground(grid(camera))
    floor = np.isfinite(below).all(axis=1) & (np.hypot(*np.nan_to_num(below, nan=9.0).T) < 3.0)
    assert (
        not Scenery(GroundProjection(camera, CameraMount()), (behind[1],), lamp=LAMP)
        .hides(grid(camera)[floor], Pose())
        .any()
    )


def test_a_lens_that_folds_beyond_its_view_shows_no_ghosts() -> None:
    projection = GroundProjection(FOLDING, CameraMount(pitch_rad=0.0))
    bearing = radians(68)
    x, y = 0.06 + 0.8 * np.cos(bearing), 0.8 * np.sin(bearing)
    assert (np.abs(projection.world_to_image(np.array([[x, y, 0.1]]))) < 1).all()
    solid = block((0.1, 0.1, 0.2), color=RED, at=(float(x), float(y)))
    assert not Scenery(projection, (solid,), lamp=LAMP).hides(grid(FOLDING), Pose()).any()


@pytest.mark.parametrize("order", [1, -1])
def test_the_nearer_thing_hides_the_farther(order: int) -> None:
    near, far = block((0.1, 0.1, 0.1), color=RED, at=(0.5, 0.0)), block((0.1, 0.6, 0.6), color=GREEN, at=(1.2, 0.0))
    image = np.zeros((224, 224, 3), np.uint8)
    scenery = Scenery(GroundProjection(FISHEYE, CameraMount()), (near, far)[::order], lamp=LAMP)
    scenery.draw(image, Pose())
    covered = cast(GroundProjection(FISHEYE, CameraMount()), np.array([0.45, -0.05, 0.0]), np.array([0.55, 0.05, 0.1]))
    assert (image.reshape(-1, 3)[covered][:, 2] > 0).mean() > 0.9
    assert (image[..., 1] > 0).sum() > 500


def test_sides_towards_the_lamp_are_brighter() -> None:
    brightness = []
    for lamp in (np.array([-1.0, 0.0]), np.array([1.0, 0.0])):
        image = np.zeros((224, 224, 3), np.uint8)
        solid = block((0.2, 0.4, 0.4), color=RED, at=(0.7, 0.0))
        Scenery(GroundProjection(FISHEYE, CameraMount()), (solid,), lamp=lamp).draw(image, Pose())
        brightness.append(int(image[..., 2].max()))
    assert brightness[0] > 1.5 * brightness[1]


@pytest.mark.parametrize("solid", [block((0.3, 0.2, 0.1), color=RED), rounded((0.3, 0.2, 0.1), color=RED, taper=0.5)])
def test_every_face_looks_outwards(solid: Solid) -> None:
    faces = solid.faces()
    middle = faces.reshape(-1, 3).mean(axis=0)
    for face in faces:
        outward = np.cross(face - face[0], np.roll(face, -1, axis=0) - face[0]).sum(axis=0)
        assert outward @ (face[0] - middle) > 0
        # All its points lie in one plane.
        assert np.abs((face - face[0]) @ (outward / np.linalg.norm(outward))).max() < 1e-9


def test_an_empty_world_hides_nothing() -> None:
    scenery = Scenery(GroundProjection(FISHEYE, CameraMount()), (), lamp=LAMP)
    assert not scenery.hides(grid(FISHEYE), Pose()).any()
