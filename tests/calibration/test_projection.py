"""Image points and the floor: the two directions agree, and the signs are those of control/messages.py."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from calibration.profile import CameraModel, CameraMount
from calibration.projection import GroundProjection

LENSES = {
    "fisheye": CameraModel(),
    "pinhole": CameraModel(model="pinhole", fx=150.0, fy=150.0, distortion=(-0.05, 0.005, 0.001, -0.001)),
}


@pytest.mark.parametrize("lens", LENSES)
@given(x=st.floats(0.15, 1.5), y=st.floats(-0.3, 0.3))
def test_a_floor_point_is_found_again_from_its_image(lens: str, x: float, y: float) -> None:
    projection = GroundProjection(LENSES[lens], CameraMount(roll_rad=0.03, yaw_rad=-0.05))
    image = projection.to_image(np.array([[x, y]]))
    if np.abs(image).max() > 1:
        return
    assert projection.to_ground(image)[0] == pytest.approx((x, y), abs=2e-3)


def test_left_of_the_vehicle_is_left_in_the_image_and_near_is_low() -> None:
    projection = GroundProjection(CameraModel(), CameraMount())
    left, right, near, far = projection.to_image(np.array([[0.4, 0.1], [0.4, -0.1], [0.2, 0.0], [0.8, 0.0]]))
    assert left[0] < 0 < right[0]
    assert near[1] > far[1]


def test_nothing_above_the_horizon_is_on_the_floor() -> None:
    assert GroundProjection(CameraModel(), CameraMount()).ground_point(0.0, -0.95) is None


@given(x=st.floats(-0.9, 0.9), y=st.floats(0.0, 0.99))
def test_the_table_of_rays_agrees_with_the_exact_lens(x: float, y: float) -> None:
    projection = GroundProjection(CameraModel(), CameraMount())
    exact = projection.to_ground(np.array([[x, y]]))[0]
    if np.hypot(*exact) < 1.5:
        assert projection.ground_point(x, y) == pytest.approx(tuple(exact), abs=1e-3)
