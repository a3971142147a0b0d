from __future__ import annotations

import numpy as np
import pytest

from sim.render.overhead import overhead
from sim.tracks.library import find_track, track_names


@pytest.mark.parametrize("name", track_names())
def test_every_track_can_be_drawn_from_above(name: str) -> None:
    picture = overhead(find_track(name), width=300)
    assert picture.shape[1:] == (300, 3)
    assert (picture < 150).any()


def test_scales_are_equal_and_a_path_is_drawn_over_the_line() -> None:
    track = find_track("oval")
    path = np.vstack([track.path() * 1.3, [[np.nan, np.nan]]])
    plain, driven = overhead(track, width=400), overhead(track, paths=(path,), width=400)
    extent = np.ptp(track.vertices, axis=0)
    margin = 2 * 0.05 * extent.max()
    assert plain.shape[0] / 400 == pytest.approx((extent[1] + margin) / (extent[0] + margin), abs=0.01)
    blue = (driven[..., 0].astype(int) - driven[..., 2]) > 80
    assert blue.sum() > 300
