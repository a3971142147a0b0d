"""A flat field: near to the truth of a made-up camera, and refused where the pictures show no even sheet."""

from __future__ import annotations

import numpy as np
import pytest

from app.cli.calibrate_flat_field import falloff_error
from calibration.flat_field import Evening, fit_flat_field, gains
from calibration.profile import FlatField
from control.errors import CalibrationError
from robot.cameras.evened import EvenedCamera
from robot.cameras.source import Image
from sim.rig import SimCamera
from sim.tracks.library import find_track
from sim.white_sheet import WhiteSheetCamera
from sim.world import World


def sheets(seed: int = 0, count: int = 12) -> tuple[list[tuple[str, Image]], WhiteSheetCamera]:
    camera = WhiteSheetCamera(width=224, height=224, seed=seed)
    return [(str(i), picture) for i, picture in enumerate(camera.look(count))], camera


@pytest.mark.parametrize("seed", range(4))
def test_what_is_left_is_small_against_the_truth(seed: int) -> None:
    pictures, camera = sheets(seed)
    fit = fit_flat_field(pictures)
    rms, most = falloff_error(fit, camera)
    assert rms < 0.015
    assert most < 0.06
    assert fit.after < fit.before / 5


def test_light_from_one_side_averages_out_and_is_told() -> None:
    pictures, camera = sheets(1)
    alone, turned = fit_flat_field(pictures[:1]), fit_flat_field(pictures)
    assert alone.disagreement == 0
    assert falloff_error(turned, camera)[0] < falloff_error(alone, camera)[0] / 2
    assert turned.disagreement > 0.02


def test_an_even_sheet_is_even_in_any_size_of_the_same_view() -> None:
    pictures, _ = sheets(2)
    field = fit_flat_field(pictures).field
    evening = Evening(field)
    for size in (64, 128):
        even = np.full((size, size, 3), 120, np.uint8)
        shaded = np.asarray(even / gains(field, width=size, height=size), np.float64).round().astype(np.uint8)
        assert np.abs(evening.apply(shaded).astype(int) - 120).max() <= 4


def test_specks_and_glare_do_not_spoil_it() -> None:
    pictures, camera = sheets(0)
    for _, picture in pictures:
        picture[40:60, 150:170] = 20
        picture[10:30, 10:40] = 255
    assert falloff_error(fit_flat_field(pictures), camera)[0] < 0.02


def checkered() -> Image:
    squares = (np.indices((224, 224)) // 28).sum(axis=0) % 2
    return np.repeat((80 + 100 * squares).astype(np.uint8)[..., None], 3, axis=2)


@pytest.mark.parametrize(
    ("picture", "told"),
    [
        (checkered(), "no even sheet"),
        (np.full((224, 224, 3), 255, np.uint8), "too bright"),
        (np.full((224, 224, 3), 3, np.uint8), "too dark"),
        (np.full((100, 224, 3), 120, np.uint8), "another size"),
    ],
)
def test_what_is_no_even_sheet_is_refused(picture: Image, told: str) -> None:
    good, _ = sheets(0, 1)
    with pytest.raises(CalibrationError, match=told):
        fit_flat_field([*good, ("bad", picture)])


def test_a_field_has_all_colours_or_none() -> None:
    assert not FlatField().is_measured
    with pytest.raises(CalibrationError, match="14 numbers"):
        FlatField(blue=(0.0,) * 14)
    with pytest.raises(CalibrationError, match="finite"):
        FlatField(blue=(float("nan"),) * 14, green=(0.0,) * 14, red=(0.0,) * 14)


def test_a_live_camera_is_evened_and_its_stamps_stay() -> None:
    field = fit_flat_field(sheets(3)[0]).field
    worlds = [World(find_track("oval")) for _ in range(2)]
    plain, evened = SimCamera(worlds[0]), EvenedCamera(SimCamera(worlds[1]), field)
    with plain, evened:
        before, after = next(plain.frames(timeout_s=1.0)), next(evened.frames(timeout_s=1.0))
    assert (before.stamp_s, before.index) == (after.stamp_s, after.index)
    assert (after.image == Evening(field).apply(before.image)).all()
    assert (after.image != before.image).any()
