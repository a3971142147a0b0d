from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from control.errors import TrackError
from sim.tracks.file import refuse_overlap
from sim.tracks.generator import random_track
from sim.tracks.library import find_track


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.floats(0.2, 1.0))
def test_random_tracks_keep_their_smallest_radius_and_never_overlap(seed: int, radius: float) -> None:
    track = random_track(seed, min_radius_m=radius)
    refuse_overlap(track, source="random")
    curvature = [abs(track.curvature_at(s, span_m=0.1)) for s in np.linspace(0, track.length_m, 200)]
    assert max(curvature) <= 1.05 / radius


def test_a_seed_gives_the_same_track_and_another_seed_another() -> None:
    np.testing.assert_array_equal(find_track("random:7").center, random_track(7).center)
    assert not np.allclose(random_track(7).center, random_track(8).center)


def test_both_directions_occur() -> None:
    assert {random_track(seed).nearest(0.0, 0.0).lateral_m > 0 for seed in range(10)} == {True, False}


@pytest.mark.parametrize("radius", [0.0, -1.0, 5.0, float("nan")])
def test_an_impossible_radius_is_refused(radius: float) -> None:
    with pytest.raises(TrackError, match="radius"):
        random_track(0, min_radius_m=radius)
