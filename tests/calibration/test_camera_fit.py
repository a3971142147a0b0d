"""Lenses from views: the truth is found, the right kind is chosen, and bad sets of views are refused in plain words."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from calibration.camera import board_pose, fit_camera, view_error_px
from calibration.collection import ViewCollection
from calibration.coverage import coverage_of, draw_coverage
from calibration.detection import NoView, View
from control.errors import CalibrationError
from tests.calibration.views import FISHEYE, PINHOLE, moved, views_of

LENSES = {"fisheye": FISHEYE, "pinhole": PINHOLE}


@pytest.mark.parametrize("kind", LENSES)
def test_a_lens_is_found_from_noisy_views(kind: str) -> None:
    truth = LENSES[kind]
    fit = fit_camera(views_of(truth, 24))
    assert fit.camera.model == kind
    assert (fit.camera.fx, fit.camera.fy) == pytest.approx((truth.fx, truth.fy), rel=0.005)
    assert (fit.camera.cx, fit.camera.cy) == pytest.approx((truth.cx, truth.cy), abs=2.0)
    assert 0.1 < fit.fit_px <= fit.held_out_px < 0.2
    assert 0 < fit.focal_deviation < 0.005


def test_the_lens_that_was_asked_for_is_fitted() -> None:
    assert fit_camera(views_of(PINHOLE, 24), lens="fisheye").camera.model == "fisheye"


def test_a_board_s_place_is_found_through_the_true_lens() -> None:
    view = views_of(FISHEYE, 3)[0]
    pose, error_px = board_pose(FISHEYE, view)
    assert error_px < 0.2
    middle = cv2.Rodrigues(pose[:3])[0] @ view.points.mean(axis=0) + pose[3:]
    assert middle[2] > 0


def refused(seen: list[View | NoView]) -> str:
    with pytest.raises(CalibrationError) as told:
        fit_camera(seen)
    text = str(told.value)
    assert "\n" not in text
    return text


def test_too_few_views_are_refused_with_the_commonest_reason() -> None:
    few = [*views_of(FISHEYE, 5), *(NoView(name=f"{i}", reason="no board seen in it") for i in range(3))]
    assert "most often: no board seen in it" in refused(few)


def test_one_sided_views_are_refused_and_the_missing_regions_named() -> None:
    left = [view for view in views_of(PINHOLE, 60) if view.pixels[:, 0].max() < 2 / 3 * PINHOLE.width]
    assert len(left) >= 8
    text = refused(list(left))
    assert "nothing in its right third" in text
    assert "upper right" in text


def test_pictures_of_two_sizes_are_refused() -> None:
    assert "320x240" in refused([*views_of(FISHEYE, 10), *views_of(PINHOLE, 10)])


def test_mirrored_pictures_are_refused() -> None:
    mirrored = [NoView(name=f"{i}.png", reason="the picture is mirrored", mirrored=True) for i in range(9)]
    assert "mirroring off" in refused(list(mirrored))


def test_another_board_is_refused() -> None:
    others = [NoView(name=f"{i}.png", reason="a board with 5x5 markers", other_board=True) for i in range(9)]
    assert "print the right one" in refused(list(others))


def test_flat_views_that_leave_the_focal_length_open_are_refused() -> None:
    """A board that always faces the camera from the same distance may be larger and further away."""
    camera = replace(PINHOLE, distortion=(0.0, 0.0, 0.0, 0.0))
    view = views_of(camera, 12)[4]
    rng = np.random.default_rng(0)
    flat = []
    for x in (10.0, 110.0, 210.0):
        for y in (5.0, 60.0, 120.0):
            corners = view.points[:, :2] * 500 + (x, y)
            flat.append(replace(view, name=f"{x} {y}", pixels=corners + rng.normal(0, 0.3, corners.shape)))
    text = refused(list(flat))
    assert "focal length" in text or "no lens fits" in text


def test_blurred_and_stray_views_are_left_out_by_name() -> None:
    views = views_of(FISHEYE, 26)
    views[3] = replace(views[3], edge_px=5.0)
    wrong = views[6].pixels.copy()
    wrong[::2] += 6.0
    views[6] = replace(views[6], pixels=wrong)
    fit = fit_camera(views)
    assert {(view.name, view.reason) for view in fit.left_out} == {
        (views[3].name, "blurred"), (views[6].name, "does not fit the others"),
    }  # fmt: skip
    assert fit.held_out_px < 0.2


def test_the_error_of_a_view_grows_with_a_wrong_lens() -> None:
    view = views_of(FISHEYE, 3)[0]
    assert view_error_px(replace(FISHEYE, fx=FISHEYE.fx * 1.1), view) > 3 * view_error_px(FISHEYE, view)


def test_the_map_shows_what_is_missing() -> None:
    views = [view for view in views_of(PINHOLE, 12) if view.pixels[:, 0].max() < 0.6 * PINHOLE.width]
    assert {"upper right", "right", "lower right"} <= set(coverage_of(views).missing)
    picture = draw_coverage(views)
    height, width = picture.shape[:2]
    assert picture[height // 2 + 20, width - 20].tolist() == [200, 200, 250]


def test_a_live_camera_s_collection_wants_what_is_new() -> None:
    kept = ViewCollection()
    first, *others = views_of(FISHEYE, 40)
    assert kept.offer(first)
    assert not kept.offer(moved(first, (1.0, 1.0)))
    assert not kept.offer(replace(others[0], edge_px=6.0))
    assert "1 views; hold the board to" in kept.advice
    for view in others:
        kept.offer(view)
    assert kept.complete
    assert "hold" not in kept.advice


def test_views_that_no_lens_explains_are_refused() -> None:
    rng = np.random.default_rng(0)
    bent = [replace(view, pixels=view.pixels + rng.normal(0, 8.0, view.pixels.shape)) for view in views_of(PINHOLE, 20)]
    assert "no lens fits" in refused(list(bent))
