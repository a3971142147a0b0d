from __future__ import annotations

import numpy as np
import pytest

from calibration.profile import Calibration, CameraModel
from calibration.projection import GroundProjection
from sim.replay.views import Place, ViewMaker
from sim.tracks.library import find_track
from sim.world import World

SMALL = Calibration(camera=CameraModel(width=112, height=112, fx=40.5, fy=53.5, cx=55.5, cy=55.5))


def test_a_view_from_where_the_picture_was_taken_is_the_picture() -> None:
    picture = np.random.default_rng(0).integers(0, 255, (112, 112, 3), dtype=np.uint8)
    maker = ViewMaker(GroundProjection(SMALL.camera, SMALL.mount))
    same = maker.view(picture, Place(index=0, forward_m=0.0, left_m=0.0, turn_rad=0.0))
    assert np.abs(same.astype(int) - picture.astype(int)).max() <= 1


@pytest.mark.parametrize(("left_m", "turn_rad"), [(0.08, 0.0), (-0.08, 0.15), (0.0, -0.2)])
def test_the_line_is_where_the_simulator_shows_it(left_m: float, turn_rad: float) -> None:
    world = World(find_track("oval"), calibration=SMALL, effects=False)
    world.reset(3, start_m=0.5)
    maker = ViewMaker(world.projection)
    made = maker.view(world.image(), Place(index=0, forward_m=0.02, left_m=left_m, turn_rad=turn_rad))
    world.reset(3, start_m=0.52, lateral_m=left_m, turn_rad=turn_rad)
    true = world.image()
    # White tape is the brightest: its middle in each row of the floor.
    for row in range(62, 96, 6):
        places = [float(np.average(np.arange(112), weights=image[row].mean(axis=1) ** 8.0)) for image in (made, true)]
        assert places[0] == pytest.approx(places[1], abs=1.5)


@pytest.mark.parametrize(
    ("left_m", "turn_rad", "valid", "lost"),
    [(0.05, 0.1, True, False), (0.15, 0.0, False, False), (0.0, 0.5, False, False), (0.3, 0.0, False, True)],
)
def test_where_pictures_are_good_is_said(left_m: float, turn_rad: float, valid: bool, lost: bool) -> None:
    place = Place(index=0, forward_m=0.0, left_m=left_m, turn_rad=turn_rad)
    assert (place.is_valid, place.is_lost) == (valid, lost)
