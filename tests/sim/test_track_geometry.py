from __future__ import annotations

from math import hypot, pi

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from control.errors import TrackError
from sim.tracks.geometry import Track, heading_difference
from sim.tracks.library import find_track, track_names

SQUARE = Track(name="square", center=np.array([[0.0, 0.0], [2.0, 0.0], [2.0, 2.0], [0.0, 2.0]]), closed=True)
LINE = Track(name="line", center=np.array([[0.0, 0.0], [1.0, 0.0], [3.0, 0.0]]), closed=False)
TRACKS = {name: find_track(name) for name in ("oval", "figure-eight", "s-bend", "reinvent_base")}
names = st.sampled_from(sorted(TRACKS))


def test_lengths_of_open_and_closed_tracks() -> None:
    assert SQUARE.length_m == pytest.approx(8.0)
    assert LINE.length_m == pytest.approx(3.0)


def test_left_of_the_line_is_positive() -> None:
    assert LINE.nearest(1.5, 0.2).lateral_m == pytest.approx(0.2)
    assert LINE.nearest(1.5, -0.2).lateral_m == pytest.approx(-0.2)
    assert LINE.reversed().nearest(1.5, 0.2).lateral_m == pytest.approx(-0.2)


def test_beyond_an_open_end_the_end_is_nearest() -> None:
    near = LINE.nearest(4.0, 0.0)
    assert near.s == pytest.approx(3.0)
    assert abs(near.lateral_m) == pytest.approx(1.0)


@given(names, st.floats(0, 1), st.floats(-0.15, 0.15))
def test_a_point_beside_the_line_is_found_where_it_was_put(name: str, share: float, offset: float) -> None:
    track = TRACKS[name]
    s = share * track.length_m
    x, y, heading = track.pose_at(s)
    px, py = x - offset * np.sin(heading), y + offset * np.cos(heading)
    near = track.nearest(px, py)
    assert abs(near.lateral_m) <= abs(offset) + 1e-9


@given(names, st.floats(-10, 10), st.floats(-10, 10))
def test_the_nearest_point_is_nearer_than_every_vertex(name: str, x: float, y: float) -> None:
    track = TRACKS[name]
    distance = abs(track.nearest(x, y).lateral_m)
    assert distance <= np.hypot(track.vertices[:, 0] - x, track.vertices[:, 1] - y).min() + 1e-9


@given(names, st.floats(-5, 100), st.floats(-0.05, 0.05), st.floats(-0.05, 0.05))
def test_a_hint_finds_the_same_place_on_a_short_way(name: str, s: float, dx: float, dy: float) -> None:
    track = TRACKS[name]
    x, y, _ = track.pose_at(s)
    assume(not track.crossing or hypot(x, y) > 0.3)
    everywhere = track.nearest(x + dx, y + dy)
    hinted = track.nearest(x + dx, y + dy, hint=track.nearest(x, y).index)
    assert hinted.lateral_m == pytest.approx(everywhere.lateral_m)


def test_a_hint_keeps_to_its_branch_in_a_crossing() -> None:
    track = TRACKS["figure-eight"]
    before = track.nearest(*track.pose_at(track.length_m / 4)[:2])
    arrived = track.nearest(0.0, 0.0, hint=before.index)
    heading = heading_difference(arrived.heading_rad, track.pose_at(arrived.s)[2])
    assert abs(arrived.s - before.s) < track.length_m / 2
    assert heading == pytest.approx(0.0, abs=0.1)


@given(names, st.floats(0.01, 0.2))
def test_resampled_points_are_equally_spaced_and_keep_the_length(name: str, spacing: float) -> None:
    track = TRACKS[name]
    path = track.path(spacing)
    steps = np.hypot(*np.diff(path, axis=0).T)
    assert steps.max() <= track.length_m / (len(path) - 1) + 1e-9
    assert track.resampled(spacing).length_m == pytest.approx(track.length_m, rel=0.01)


@given(names)
def test_reversing_twice_gives_the_same_track(name: str) -> None:
    track = TRACKS[name]
    np.testing.assert_array_equal(track.reversed().reversed().center, track.center)
    assert track.reversed().length_m == pytest.approx(track.length_m)


def test_a_reversed_closed_track_starts_at_the_same_place() -> None:
    np.testing.assert_array_equal(SQUARE.reversed().center[0], SQUARE.center[0])


@given(names, st.floats(0.1, 5))
def test_scaling_scales_lengths_and_width(name: str, factor: float) -> None:
    track = TRACKS[name]
    assert track.scaled(factor).length_m == pytest.approx(track.length_m * factor)
    assert track.scaled(factor).width_m == pytest.approx(track.width_m * factor)


@pytest.mark.parametrize("factor", [0.0, -1.0, float("nan"), float("inf")])
def test_an_impossible_scale_is_refused(factor: float) -> None:
    with pytest.raises(TrackError, match="scale"):
        SQUARE.scaled(factor)


def test_curvature_of_an_arc_is_one_over_its_radius_positive_to_the_left() -> None:
    oval = TRACKS["oval"]
    middle_of_bend = 2.0 + 0.7 * pi / 2
    assert oval.curvature_at(middle_of_bend) == pytest.approx(1 / 0.7, rel=0.02)
    assert oval.reversed().curvature_at(oval.length_m - middle_of_bend) == pytest.approx(-1 / 0.7, rel=0.02)
    assert oval.curvature_at(1.0) == pytest.approx(0.0, abs=1e-9)


@given(st.floats(-50, 50), st.floats(-50, 50))
def test_differences_of_headings_are_wrapped(a: float, b: float) -> None:
    difference = heading_difference(a, b)
    assert -pi <= difference < pi
    assert np.cos(difference) == pytest.approx(np.cos(a - b), abs=1e-9)


@pytest.mark.parametrize("name", track_names())
def test_every_known_track_goes_round_once(name: str) -> None:
    track = find_track(name)
    assert track.length_m > 2
    if track.closed:
        headings = np.unwrap(np.arctan2(*np.diff(track.path(0.02), axis=0).T[::-1]))
        turns = (headings[-1] - headings[0]) / (2 * pi)
        assert round(turns) in ((0,) if track.crossing else (-1, 1))
