"""Made-up pictures: their labels lie on what was painted, and one seed makes one stream."""

from __future__ import annotations

from dataclasses import replace
from itertools import islice

import numpy as np
import pytest

from perception.look_ahead import ROWS
from sim import synthetic
from sim.render.appearance import LineStyle, TrackStyle, crossing_path, random_line_style
from sim.render.ground import corners
from sim.synthetic import frames
from sim.synthetic_path import SIZE


@pytest.mark.parametrize("seed", range(6))
def test_the_same_seed_makes_the_same_pictures(seed: int) -> None:
    one, two = (list(islice(frames(ROWS, seed=seed, size=64), 12)) for _ in range(2))
    assert all((a.image == b.image).all() and (a.x == b.x).all() for a, b in zip(one, two, strict=True))


def test_another_seed_makes_other_pictures() -> None:
    one, two = (next(frames(ROWS, seed=seed, size=64)) for seed in (1, 2))
    assert (one.image != two.image).any()


def test_labels_have_the_promised_shapes_and_ranges() -> None:
    for frame in islice(frames(ROWS, seed=3, size=96), 40):
        assert frame.image.shape == (96, 96, 3)
        assert frame.image.dtype == np.uint8
        assert frame.x.shape == frame.visible.shape == (2, len(ROWS))
        assert np.isfinite(frame.x).all()
        assert (np.abs(frame.x[frame.visible > 0]) <= 1).all()
        assert set(np.unique(frame.visible)) <= {0.0, 1.0}
        assert frame.defined.sum() >= 1


def test_some_pictures_show_no_line_and_say_so() -> None:
    empty = [f for f in islice(frames(ROWS, seed=5, size=64), 80) if f.defined.all() and not f.visible.any()]
    assert empty


def test_a_smooth_tile_makes_a_smooth_floor(monkeypatch: pytest.MonkeyPatch) -> None:
    wave = 128 + 100 * np.cos(np.arange(128) * 2 * np.pi / 128)
    tile = np.repeat(((wave[:, None] + wave) / 2)[..., None], 3, axis=2).astype(np.uint8)
    monkeypatch.setattr(synthetic, "_tint", lambda tile, rng: tile)
    monkeypatch.setattr(synthetic, "random_tile", lambda rng: tile)
    monkeypatch.setattr(synthetic, "random_paint", lambda rng: (90.0, 120.0, 150.0))
    for seed in range(8):
        rng = np.random.default_rng(seed)
        picture, _ = synthetic._floor(synthetic._View(rng, jetbots=1.0), rng)
        near = picture[-30:].astype(int)
        assert np.abs(np.diff(near, axis=1)).max() < 25


def test_a_lane_beside_the_line_has_its_own_label(monkeypatch: pytest.MonkeyPatch) -> None:
    def beside(rng: np.random.Generator, floor: tuple[float, float, float], scale: float) -> TrackStyle:
        return replace(random_line_style(rng, floor, scale), has_lane=True, lane_offset_m=0.15 * scale)

    monkeypatch.setattr(synthetic, "_style", beside)
    shown = list(islice(frames(ROWS, seed=5, size=64), 60))
    both = [(f.x[0] - f.x[1])[f.visible.min(axis=0) > 0] for f in shown]
    assert np.median(np.concatenate(both)) > 0.1


def _lane(half_m: float, *, middle_m: float = 0.0) -> TrackStyle:
    left = LineStyle(color=(255.0, 255.0, 255.0), width_m=0.04, offset_m=middle_m + half_m)
    inner = replace(left, offset_m=middle_m + 0.2 * half_m)
    return TrackStyle(
        lines=(left, replace(left, offset_m=middle_m - half_m), inner), has_lane=True, lane_offset_m=middle_m
    )


@pytest.mark.parametrize("middle_m", [0.0, 0.1])
def test_the_way_lies_between_the_outermost_lines(middle_m: float) -> None:
    style = _lane(0.3, middle_m=middle_m)
    assert style.edges == style.lines[:2]
    assert style.half_way_m == pytest.approx(0.28)
    assert TrackStyle().half_way_m == 0


def test_a_right_angle_is_a_corner_and_a_bend_is_none() -> None:
    x = np.arange(0, 1, 0.02)
    bend = np.stack([np.sin(x / 0.3) * 0.3, 0.3 - np.cos(x / 0.3) * 0.3], axis=1)
    assert len(corners(bend)) == 0
    square = np.concatenate([np.stack([x, 0 * x], axis=1), np.stack([1 + 0 * x, x], axis=1)])
    assert np.allclose(square[corners(square)], [1, 0], atol=0.03)


def test_a_crossing_way_passes_over_the_path_ahead() -> None:
    path = np.stack([np.arange(-1.2, 4.5, 0.02), np.zeros(285)], axis=1)
    other = crossing_path(np.random.default_rng(3), path, 1.0)
    assert other[:, 1].min() < -1
    assert other[:, 1].max() > 1
    assert 0 < other[np.abs(other[:, 1]).argmin(), 0] < 1.8


def test_no_border_lies_across_a_way_that_is_crossed() -> None:
    # Straight ahead, seen from above the start: the columns of the way stay free of paint.
    style, path = _lane(0.3), np.stack([np.arange(-1.2, 4.5, 0.02), np.zeros(285)], axis=1)
    style = replace(style, lines=style.lines[:2])
    crossed = 0
    for seed in range(60):
        rng = np.random.default_rng(seed)
        view = synthetic._View(rng, jetbots=1.0)
        picture = np.zeros((SIZE, SIZE, 3), np.uint8)
        synthetic._paint_track(picture, view, style, path, rng)
        along = np.column_stack([np.linspace(0.25, 1.2, 80), np.zeros(80)])
        column, row = view.to_pixels(along).round().astype(int).T
        assert not picture[row, column].any()
        aside = np.column_stack([np.linspace(0.25, 1.2, 80), np.full(80, 0.3)])
        column, row = np.clip(view.to_pixels(aside).round().astype(int), 0, SIZE - 1).T
        crossed += not picture[row, column].all()
    assert crossed, "no seed drew a crossing"
