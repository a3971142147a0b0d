"""Named looks: what lies on the floor and what it is meant to be followed by."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from robot.config import load_config
from sim.benchmark.run import aimed
from sim.floor import paint_floor
from sim.looks import LOOKS
from sim.render.appearance import LineStyle
from sim.render.distractors import forks_and_crossings
from sim.render.ground import Ground
from sim.tracks.library import find_track

Floats = NDArray[np.float64]
LANES = ["edge-lines", "red-road", "street"]


def floor(track: str, look: str) -> Ground:
    return paint_floor(find_track(track).path(0.01), LOOKS[look], rng=np.random.default_rng(0))


def grey(ground: Ground, places: Floats) -> Floats:
    column, row = ground.to_pixels(places).round().astype(int).T
    return ground.image[row, column].astype(np.float64).mean(axis=1)


def test_the_first_three_stay_the_first_three() -> None:
    assert list(LOOKS)[:3] == ["white-tape", "yellow-dashes", "black-tape"]
    assert all(LOOKS[name].clutter == LOOKS[name].distractors == 0 for name in list(LOOKS)[:3])


def test_looks_with_a_line_are_for_lines_and_those_with_none_for_lanes() -> None:
    assert [name for name in LOOKS if LOOKS[name].target == "lane"] == LANES
    assert LOOKS["bordered-line"].target == "line"
    assert all(look.style.has_line or look.style.has_lane for look in LOOKS.values())


@pytest.mark.parametrize(("look", "target"), [("street", "lane"), ("white-tape", "line")])
def test_the_look_gives_the_target_unless_the_settings_do(look: str, target: str) -> None:
    assert aimed(load_config(None), look=look).target == target
    for said in ("line", "lane"):
        assert aimed(load_config(None, [f"target={said}"]), look=look).target == said


def test_worn_paint_has_holes() -> None:
    along = np.stack([np.linspace(0.5, 4.5, 400), np.zeros(400)], axis=1)
    brightness = grey(floor("straight", "worn-paint"), along)
    assert 0.5 < (brightness > 200).mean() < 0.95
    assert (brightness < 170).any()


def test_a_lane_is_empty_between_its_edges() -> None:
    ground = floor("straight", "edge-lines")
    across = np.stack([np.full(121, 2.0), np.linspace(-0.3, 0.3, 121)], axis=1)
    dark = across[grey(ground, across) < 60, 1]
    assert np.abs(np.abs(dark) - 0.18).max() < 0.02
    assert {bool(side) for side in dark > 0} == {True, False}


@pytest.mark.parametrize("track", ["crossing", "corners"])
def test_no_border_lies_across_the_way(track: str) -> None:
    path = find_track(track).path(0.01)
    plain = replace(LOOKS["edge-lines"], style=replace(LOOKS["edge-lines"].style, lines=()))
    bare = paint_floor(path, plain, rng=np.random.default_rng(0))
    bordered = floor(track, "edge-lines")
    for offset in (-0.1, 0.0, 0.1):
        places = path + np.array([offset, offset])
        near = np.sqrt(((places[:, None] - path[::4]) ** 2).sum(axis=2).min(axis=1)) < 0.12
        np.testing.assert_array_equal(grey(bordered, places[near]), grey(bare, places[near]))


def test_a_road_has_no_holes_in_its_corners() -> None:
    path = find_track("corners").path(0.01)
    ground = floor("corners", "red-road")
    angle = np.linspace(0, 2 * np.pi, 12, endpoint=False)
    for reach in (0.0, 0.06, 0.12, 0.16):
        for place in path[::3]:
            around = place + reach * np.stack([np.cos(angle), np.sin(angle)], axis=1)
            column, row = ground.to_pixels(around).round().astype(int).T
            assert (ground.image[row, column, 2].astype(int) - ground.image[row, column, 0] > 60).all()


STYLE = LineStyle(color=(255.0, 255.0, 255.0), width_m=0.025)


@pytest.mark.parametrize("track", ["oval", "crossing", "corners", "reInvent2019_track", "s-bend"])
def test_stray_lines_start_on_the_line_and_end_away_from_it(track: str) -> None:
    path = find_track(track).path(0.01)
    marks = forks_and_crossings(path, STYLE, per_10_m=10, rng=np.random.default_rng(0))
    assert len(marks) >= len(path) / 200
    for mark in marks:
        points = np.concatenate(mark.polygons)
        gap = np.sqrt(((points[:, None] - path[::2]) ** 2).sum(axis=2).min(axis=1))
        assert gap.min() < 0.03
        # Nothing runs along the path, or back to it.
        assert gap.max() > 0.06
        assert mark.color == STYLE.color


def test_a_fork_leaves_where_the_line_goes_straight() -> None:
    # A bend to the left, 1.5 m straight, a bend to the right.
    bend = np.concatenate([np.full(150, 1.2), np.zeros(150), np.full(150, -1.2)])
    heading = np.cumsum(bend) * 0.01
    path = np.cumsum(np.stack([np.cos(heading), np.sin(heading)], axis=1) * 0.01, axis=0)
    for seed in range(5):
        (fork,) = forks_and_crossings(path, STYLE, per_10_m=2, rng=np.random.default_rng(seed))
        start = fork.polygons[0].mean(axis=0)
        assert 150 <= int(((path - start) ** 2).sum(axis=1).argmin()) <= 300


@pytest.mark.parametrize("turn", [1.2, -1.2])
def test_on_a_bend_a_fork_leaves_to_the_other_side(turn: float) -> None:
    heading = np.arange(400) * turn * 0.01
    path = np.cumsum(np.stack([np.cos(heading), np.sin(heading)], axis=1) * 0.01, axis=0)
    center = np.array([0.0, 1.0 / turn])
    (fork,) = forks_and_crossings(path, STYLE, per_10_m=2, rng=np.random.default_rng(0))
    assert np.hypot(*(fork.polygons[-1].mean(axis=0) - center)) > 1 / abs(turn) + 0.1


def test_a_seed_lays_the_same_stray_lines() -> None:
    first, again, other = (
        paint_floor(find_track("s-bend").path(0.01), LOOKS["forks"], rng=np.random.default_rng(seed)).image
        for seed in (3, 3, 4)
    )
    assert (first == again).all()
    assert (first != other).any()


@pytest.mark.parametrize("per_10_m", [0, 1])
def test_a_short_track_may_have_none(per_10_m: int) -> None:
    path = np.stack([np.linspace(0, 0.4, 41), np.zeros(41)], axis=1)
    assert forks_and_crossings(path, STYLE, per_10_m=per_10_m, rng=np.random.default_rng(0)) == []


def test_the_line_is_painted_to_the_end_of_a_hall() -> None:
    path = np.stack([np.linspace(0, 30, 3001), np.zeros(3001)], axis=1)
    ground = paint_floor(path, LOOKS["white-tape"], rng=np.random.default_rng(0))
    columns, rows = np.round(ground.to_pixels(path)).astype(int).T
    assert ground.image[rows[5:-5], columns[5:-5]].min() > 200
