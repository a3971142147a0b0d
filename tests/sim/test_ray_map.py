from __future__ import annotations

from dataclasses import replace
from math import atan2, radians

import numpy as np
import pytest
from numpy.typing import NDArray

from calibration.profile import CameraModel, CameraMount
from calibration.projection import GroundProjection
from sim.render.ground import Ground
from sim.render.panorama import WIDTH, facing, paint_panorama, panorama_map
from sim.render.pyramid import LEVELS, FloorPyramid
from sim.render.ray_map import RayMap
from sim.vehicle.kinematics import Pose

MPP = 0.005
LENSES = {
    "fisheye": CameraModel(),
    "pinhole": CameraModel(model="pinhole", fx=180.0, fy=180.0, distortion=(-0.1, 0.01, 0.0, 0.0)),
    "wide": CameraModel(width=320, height=240, fx=120.0, fy=120.0, cx=159.5, cy=119.5),
}
PANORAMA = paint_panorama(np.full((64, 64, 3), 200, np.uint8), rng=np.random.default_rng(0))
POSE = Pose(x=0.3, y=-0.2, heading=0.7)


def to_world(pose: Pose, floor: NDArray[np.float64]) -> NDArray[np.float64]:
    c, s = np.cos(pose.heading), np.sin(pose.heading)
    world: NDArray[np.float64] = floor @ np.array([[c, s], [-s, c]]) + (pose.x, pose.y)
    return world


def gradient_floor() -> Ground:
    """Blue grows with world x, green with world y: 40 grey levels a metre from -3 m on."""
    along = np.arange(1201) * MPP - 3.0
    image = np.zeros((1201, 1201, 3), np.uint8)
    image[..., 0] = np.clip(along * 40 + 127, 0, 255)
    image[..., 1] = np.clip(along[::-1, None] * 40 + 127, 0, 255)
    return Ground(image=image, metres_per_pixel=MPP, origin_xy=(-3.0, -3.0))


@pytest.mark.parametrize("lens", LENSES)
@pytest.mark.parametrize("mount", [CameraMount(), CameraMount(pitch_rad=radians(40), roll_rad=0.1, yaw_rad=-0.2)])
def test_each_pixel_shows_the_place_that_the_projection_says(lens: str, mount: CameraMount) -> None:
    camera = LENSES[lens]
    projection = GroundProjection(camera, mount)
    image = RayMap(projection, metres_per_pixel=MPP).render(FloorPyramid(gradient_floor()), PANORAMA, POSE)
    columns, rows = np.meshgrid(np.arange(4, camera.width, 16), np.arange(4, camera.height, 16))
    pixels = np.stack([columns.ravel(), rows.ravel()], axis=1)
    floor = projection.to_ground(projection.pixels_to_points(pixels.astype(np.float64)))
    near = np.hypot(*floor.T) < 1.0
    assert near.sum() > 30
    place = to_world(POSE, floor[near])
    shown = image[pixels[near, 1], pixels[near, 0], :2].astype(np.float64)
    np.testing.assert_allclose(shown, place * 40 + 127, atol=2.5)


def test_a_spot_on_the_floor_appears_where_to_image_says() -> None:
    ground = Ground(image=np.zeros((801, 801, 3), np.uint8), metres_per_pixel=MPP, origin_xy=(-2.0, -2.0))
    projection = GroundProjection(CameraModel(), CameraMount())
    floor = np.array([[0.35, 0.08]])
    column, row = np.round(ground.to_pixels(to_world(POSE, floor))[0]).astype(int)
    ground.image[row - 1 : row + 2, column - 1 : column + 2] = 255
    image = RayMap(projection, metres_per_pixel=MPP).render(FloorPyramid(ground), np.zeros_like(PANORAMA), POSE)
    weight = image[..., 0].astype(np.float64)
    found = np.array([(weight.sum(axis=0) * np.arange(224)).sum(), (weight.sum(axis=1) * np.arange(224)).sum()])
    expected = projection.points_to_pixels(projection.to_image(floor))[0]
    np.testing.assert_allclose(found / weight.sum(), expected, atol=1.0)


def test_past_the_bitmap_the_floor_goes_on_in_its_mean_colour() -> None:
    ground = Ground(image=np.full((50, 50, 3), 90, np.uint8), metres_per_pixel=MPP, origin_xy=(50.0, 50.0))
    projection = GroundProjection(CameraModel(), CameraMount())
    image = RayMap(projection, metres_per_pixel=MPP).render(FloorPyramid(ground), PANORAMA, POSE)
    assert (image[180:] == 90).all()


def test_a_camera_that_sees_no_floor_shows_the_wall_alone() -> None:
    camera = replace(LENSES["pinhole"], distortion=(0.0, 0.0, 0.0, 0.0))
    projection = GroundProjection(camera, CameraMount(pitch_rad=radians(-60)))
    ground = Ground(image=np.zeros((50, 50, 3), np.uint8), metres_per_pixel=MPP, origin_xy=(0.0, 0.0))
    image = RayMap(projection, metres_per_pixel=MPP).render(FloorPyramid(ground), PANORAMA, POSE)
    assert image.min() > 0


def test_a_camera_that_looks_straight_down_shows_no_wall() -> None:
    camera = replace(LENSES["pinhole"], distortion=(0.0, 0.0, 0.0, 0.0))
    projection = GroundProjection(camera, CameraMount(pitch_rad=radians(90)))
    image = RayMap(projection, metres_per_pixel=MPP).render(FloorPyramid(gradient_floor()), PANORAMA, POSE)
    assert (image[..., 2] == 0).all()


@pytest.mark.parametrize("distance", np.linspace(0.6, 1.6, 21).tolist())
def test_a_thin_far_line_keeps_its_light_wherever_it_lies(distance: float) -> None:
    """Without several lines a row a crosswise tape would fall between two rows and vanish."""
    image = np.zeros((1001, 401, 3), np.uint8)
    ground = Ground(image=image, metres_per_pixel=MPP, origin_xy=(-1.0, -1.0))
    top = round(float(ground.to_pixels(np.array([[0.0, distance]]))[0, 1]))
    image[top - 3 : top + 3] = 255
    projection = GroundProjection(CameraModel(), CameraMount())
    pose = Pose(heading=np.pi / 2)
    seen = RayMap(projection, metres_per_pixel=MPP).render(FloorPyramid(ground), np.zeros_like(PANORAMA), pose)
    light = float(seen[:, 112, 0].sum())
    rows = [projection.to_image(np.array([[distance + d, 0.0]]))[0, 1] * 112 for d in (-3 * MPP, 3 * MPP)]
    expected = 255 * (rows[0] - rows[1])
    assert expected / 2 < light < expected * 2


def test_coarse_levels_lie_in_the_same_place_as_the_fine_one() -> None:
    pyramid = FloorPyramid(gradient_floor())
    point = np.array([0.8, 0.3, 1.0])
    for level in range(LEVELS):
        column, row = pyramid.matrices(POSE)[level] @ point
        value = pyramid.levels[level][round(row), round(column), :2].astype(np.float64)
        place = to_world(POSE, point[None, :2])[0]
        np.testing.assert_allclose(value, place * 40 + 127, atol=2.0)


def test_the_wall_stands_still_while_the_robot_turns() -> None:
    ray = np.array([[1.0, 0.0, 0.2]])
    for heading in (0.0, 1.0, -2.0, 9.0):
        c, s = np.cos(heading), np.sin(heading)
        seen_by_robot = ray @ np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]])
        column, row = panorama_map(seen_by_robot / np.linalg.norm(seen_by_robot))[0]
        shown = facing(PANORAMA, heading)[int(row)]
        absolute = (np.pi - atan2(0.0, 1.0)) / (2 * np.pi) * WIDTH
        expected = PANORAMA[int(row), int(absolute) % WIDTH].astype(int)
        nearby = shown[max(0, int(column) - 2) : int(column) + 3].astype(int)
        assert np.abs(nearby - expected).sum(axis=1).min() < 40
