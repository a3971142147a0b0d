"""Where the camera sits, from a board on the floor and from a line of known width."""

from __future__ import annotations

from dataclasses import replace
from math import radians

import numpy as np
import pytest
from numpy.typing import NDArray

from calibration.detection import View
from calibration.floor_line import fit_line
from calibration.grid import draw_grid
from calibration.ground import BOARD_ON_FLOOR, board_to_camera, fit_mount
from calibration.lens import rays_to_pixels
from calibration.profile import CameraModel, CameraMount
from calibration.projection import GroundProjection
from control.errors import CalibrationError
from sim.board_camera import BoardPose, SheetCamera
from tests.calibration.views import BOARD, FISHEYE

MOUNT = CameraMount(height_m=0.13, forward_m=0.07, pitch_rad=radians(25), roll_rad=radians(-2.0), yaw_rad=0.0)
SPOTS = ((0.42, 0.09, 0.0), (0.46, 0.10, 0.15), (0.42, 0.06, -0.2))


def on_floor(mount: CameraMount, spots: tuple[tuple[float, float, float], ...], *, noise_px: float = 0.1) -> list[View]:
    rng = np.random.default_rng(0)
    views = []
    for number, spot in enumerate(spots):
        rotation, position = board_to_camera(mount, spot)
        pixels = rays_to_pixels(FISHEYE, BOARD.points() @ rotation.T + position)
        size = (FISHEYE.width, FISHEYE.height)
        views.append(
            View(
                name=f"{number}", size=size, ids=tuple(range(BOARD.corners)), points=BOARD.points(),
                pixels=pixels + rng.normal(0, noise_px, pixels.shape), edge_px=2.4,
            )
        )  # fmt: skip
    return views


def floor_error_m(camera: CameraModel, found: CameraMount, truth: CameraMount, *, ahead_m: float) -> float:
    spots = np.array([[truth.forward_m + ahead_m, y] for y in (-0.2, 0.0, 0.2)])
    seen = GroundProjection(camera, truth).to_image(spots)
    return float(np.linalg.norm(GroundProjection(camera, found).to_ground(seen) - spots, axis=1).max())


def test_a_board_on_the_floor_tells_height_and_tilt() -> None:
    fit = fit_mount(FISHEYE, on_floor(MOUNT, SPOTS), board=BOARD, before=CameraMount(forward_m=0.07))
    assert fit.mount.height_m == pytest.approx(MOUNT.height_m, abs=0.001)
    assert fit.mount.roll_rad == pytest.approx(MOUNT.roll_rad, abs=0.005)
    assert floor_error_m(FISHEYE, fit.mount, MOUNT, ahead_m=0.5) < 0.01
    assert floor_error_m(FISHEYE, fit.mount, MOUNT, ahead_m=1.0) < 0.03
    assert floor_error_m(FISHEYE, fit.mount, MOUNT, ahead_m=1.0) < 1.5 * fit.error_at_1_m
    assert fit.headings_rad == pytest.approx([spot[2] for spot in SPOTS], abs=0.01)
    assert fit.near_edges_m[0] == pytest.approx(SPOTS[0][0] - BOARD.size_mm[1] / 1000, abs=0.003)


def test_one_view_is_enough_and_more_noise_is_told() -> None:
    quiet, loud = (
        fit_mount(FISHEYE, on_floor(MOUNT, SPOTS[:1], noise_px=noise), board=BOARD, before=MOUNT)
        for noise in (0.1, 0.5)
    )
    assert loud.error_at_1_m > 3 * quiet.error_at_1_m > 0


def test_the_board_s_right_is_the_vehicle_s_right() -> None:
    right_of_board = BOARD_ON_FLOOR @ np.array([1.0, 0.0, 0.0])
    assert right_of_board[1] == -1.0


def test_the_yaw_of_before_stays() -> None:
    before = CameraMount(yaw_rad=0.1, forward_m=0.02)
    mount = fit_mount(FISHEYE, on_floor(MOUNT, SPOTS), board=BOARD, before=before).mount
    assert (mount.yaw_rad, mount.forward_m) == (0.1, 0.02)


def test_a_board_that_stands_before_the_robot_is_no_floor() -> None:
    upright = np.diag([1.0, 1.0, 1.0])
    pixels = rays_to_pixels(FISHEYE, BOARD.points() @ upright.T + (-0.09, -0.12, 0.3))
    view = replace(on_floor(MOUNT, SPOTS[:1])[0], pixels=pixels)
    with pytest.raises(CalibrationError, match="no floor before the robot"):
        fit_mount(FISHEYE, [view], board=BOARD, before=MOUNT)


def test_a_bent_board_fits_no_floor() -> None:
    with pytest.raises(CalibrationError, match="fits no flat floor"):
        fit_mount(FISHEYE, on_floor(MOUNT, SPOTS, noise_px=6.0), board=BOARD, before=MOUNT)


def test_no_board_is_told() -> None:
    with pytest.raises(CalibrationError, match="no board seen on the floor"):
        fit_mount(FISHEYE, [], board=BOARD, before=MOUNT)


def taped_floor(*, width_mm: int, light: int, dark: int, mount: CameraMount) -> NDArray[np.uint8]:
    """A picture of a floor of ``dark`` with a tape of ``light`` straight ahead, 3 cm to the left."""
    rng = np.random.default_rng(0)
    floor = np.asarray(np.clip(rng.normal(dark, 6, (2000, 1000)), 0, 255), np.uint8)
    floor[:, 500 - width_mm // 2 : 500 - width_mm // 2 + width_mm] = light
    camera = SheetCamera(FISHEYE, floor, pixels_per_mm=1.0, beyond=float(dark), rng=rng)
    rotation, position = board_to_camera(mount, (2.0, 0.53, 0.0))
    return camera.look(BoardPose(rotation=rotation, position=position))


@pytest.mark.parametrize(("light", "dark"), [(220, 80), (40, 160)], ids=["white", "black"])
def test_a_line_of_known_width_tells_height_and_pitch(light: int, dark: int) -> None:
    truth = CameraMount(height_m=0.13, pitch_rad=radians(25))
    image = taped_floor(width_mm=36, light=light, dark=dark, mount=truth)
    fit = fit_line(FISHEYE, image, width_m=0.036, before=CameraMount())
    assert fit.mount.height_m == pytest.approx(truth.height_m, rel=0.03)
    assert fit.mount.pitch_rad == pytest.approx(truth.pitch_rad, abs=0.01)
    assert fit.heading_rad == pytest.approx(0.0, abs=0.02)
    board = fit_mount(FISHEYE, on_floor(truth, SPOTS), board=BOARD, before=truth)
    assert floor_error_m(FISHEYE, fit.mount, truth, ahead_m=1.0) < fit.error_at_1_m
    assert fit.error_at_1_m > 2 * board.error_at_1_m


def test_a_floor_without_a_line_is_told() -> None:
    noise = np.asarray(np.random.default_rng(0).normal(100, 3, (FISHEYE.height, FISHEYE.width, 3)), np.uint8)
    with pytest.raises(CalibrationError, match="no straight line"):
        fit_line(FISHEYE, noise, width_m=0.025, before=CameraMount())


def test_a_picture_of_another_size_is_told() -> None:
    with pytest.raises(CalibrationError, match="measured at 408x308"):
        fit_line(FISHEYE, np.zeros((224, 224, 3), np.uint8), width_m=0.025, before=CameraMount())


def test_the_grid_is_drawn_where_the_floor_is() -> None:
    """The line straight ahead passes through the floor points that it stands for."""
    image = np.zeros((FISHEYE.height, FISHEYE.width, 3), np.uint8)
    drawn = draw_grid(image, FISHEYE, MOUNT)
    assert not image.any()
    point = GroundProjection(FISHEYE, MOUNT).to_image(np.array([[0.25, 0.0]]))[0]
    column, row = np.rint((point + 1) / 2 * (FISHEYE.width, FISHEYE.height) - 0.5).astype(int)
    assert drawn[row, column, 2] > 150
    assert not drawn[:20].any()
