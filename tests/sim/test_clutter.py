"""Things beside a track: never in the way, where the seed puts them, and in the labels when they hide the line."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from control.errors import InputError
from control.messages import DifferentialCommand
from sim.floor import paint_floor
from sim.looks import find_look
from sim.render.clutter import CLEARANCE_M, Clutter, place_clutter
from sim.render.ground import Ground
from sim.render.scenery import Scenery
from sim.render.shadow import cast_shadow
from sim.render.solids import block
from sim.tracks.library import find_track
from sim.world import World

Floats = NDArray[np.float64]
TRACKS = ["oval", "corners", "crossing", "figure-eight", "reInvent2019_wide", "s-bend"]
ROWS = tuple(0.9 - 0.1 * i for i in range(13))


def placed(track: str, *, per_10_m: int = 20, seed: int = 0) -> tuple[Floats, Clutter]:
    path = find_track(track).path(0.01)
    return path, place_clutter(path, per_10_m=per_10_m, rng=np.random.default_rng(seed))


def distance(points: Floats, path: Floats) -> float:
    gap = points[:, None] - path
    return float(np.sqrt(np.einsum("ijk,ijk->ij", gap, gap).min()))


@pytest.mark.parametrize("track", TRACKS)
def test_nothing_stands_in_the_way_on_any_stretch(track: str) -> None:
    path, clutter = placed(track)
    assert len(clutter.things) >= 0.5 * len(path) / 100
    low = [solid for solid in clutter.solids if solid.low_m < 0.4]
    corners = np.concatenate([solid.bottom for solid in low])
    assert distance(corners, path) >= CLEARANCE_M
    # Near enough to be seen: a table reaches about 0.7 m from its middle.
    assert all(distance(solid.bottom, path) < 2.0 for solid in low)


def test_cables_lie_beside_the_way() -> None:
    path, clutter = placed("reInvent2019_wide", per_10_m=40)
    assert len(clutter.cables) >= 3
    for mark in clutter.cables:
        assert distance(np.concatenate(mark.polygons), path) >= CLEARANCE_M - 0.01


def test_a_door_frame_spans_the_way() -> None:
    clutter = placed("straight", per_10_m=60, seed=3)[1]
    lintels = [solid for solid in clutter.solids if solid.low_m == 2.0]
    assert lintels
    for lintel in lintels:
        sides = lintel.bottom[:, 1]
        assert sides.min() < -0.4
        assert sides.max() > 0.4


def test_the_number_of_things_grows_with_the_length_of_the_track() -> None:
    short, long = (len(placed(track, per_10_m=5)[1].things) for track in ("oval", "Monaco"))
    assert short <= 4
    assert 15 <= long <= 30
    assert not placed("oval", per_10_m=0)[1].things


def test_a_seed_says_what_stands_where() -> None:
    pictures = []
    for seed in (4, 4, 5):
        world = World(find_track("oval"), clutter=10)
        world.reset(seed)
        for _ in range(3):
            world.step(DifferentialCommand(left=0.5, right=0.5), 1 / 30)
        pictures.append(world.image())
    assert (pictures[0] == pictures[1]).all()
    assert (pictures[0] != pictures[2]).any()


def test_clutter_changes_neither_floor_nor_robot_nor_wall() -> None:
    bare, full = (World(find_track("straight"), clutter=number, effects=False) for number in (0, 30))
    difference = np.abs(bare.image().astype(int) - full.image()).max(axis=2) > 3
    assert 0.02 < difference.mean() < 0.5


def test_a_look_says_how_much_stands_about_and_the_world_may_say_otherwise() -> None:
    tidy, full = find_look("white-tape"), find_look("white-dashes")
    assert (tidy.clutter, full.clutter > 0) == (0, True)
    assert World(find_track("straight"), look=full).clutter == full.clutter
    assert World(find_track("straight"), look=full, clutter=0).clutter == 0
    for number in (-1, 101):
        with pytest.raises(InputError, match="from 0 to 100"):
            World(find_track("straight"), clutter=number)


def test_a_shadow_is_dark_under_the_thing_soft_at_its_edge_and_falls_away_from_the_lamp() -> None:
    ground = Ground(image=np.full((401, 401, 3), 200, np.uint8), metres_per_pixel=0.005, origin_xy=(-1.0, -1.0))
    cast_shadow(ground, (block((0.2, 0.2, 0.4), color=(0.0, 0.0, 0.0)),), away=np.array([0.5, 0.0]))
    along = ground.image[200, :, 0].astype(int)
    assert along[200] < 120
    assert along[200 + 50] < 150
    assert along[200 - 50] == 200
    edge = along[200 + 50 : 200 + 80]
    assert (np.diff(edge) >= 0).all()
    assert len(np.unique(edge)) > 6


def test_a_shadow_past_the_edge_of_the_floor_is_cut() -> None:
    ground = Ground(image=np.full((41, 41, 3), 200, np.uint8), metres_per_pixel=0.005, origin_xy=(0.0, 0.0))
    cast_shadow(ground, (block((0.2, 0.2, 0.4), color=(0.0, 0.0, 0.0), at=(9.0, 9.0)),), away=np.array([0.1, 0.0]))
    assert (ground.image == 200).all()
    cast_shadow(ground, (block((0.2, 0.2, 0.4), color=(0.0, 0.0, 0.0)),), away=np.array([0.1, 0.0]))
    assert ground.image.min() < 150


def test_labels_say_where_a_thing_hides_the_line() -> None:
    world = World(find_track("straight"), effects=False)
    seen = world.labels(ROWS)[1]
    assert seen[:8].all()
    box = block((0.1, 0.3, 0.2), color=(0.0, 0.0, 250.0), at=(0.5, 0.0))
    world._scenery = Scenery(world.projection, (box,), lamp=np.array([-1.0, 0.0]))
    x, visible = world.labels(ROWS)
    np.testing.assert_array_equal(x, World(find_track("straight"), effects=False).labels(ROWS)[0])
    image = world.image()
    lit = []
    for row, column in zip(ROWS, x, strict=True):
        pixel = image[round((row + 1) * 112 - 0.5), round((column + 1) * 112 - 0.5)].astype(int)
        lit.append(bool(pixel[2] - pixel[0] > 100))
    assert any(lit)
    assert not all(lit)
    np.testing.assert_array_equal(visible, seen & ~np.array(lit))


def test_driving_past_clutter_never_hides_the_near_line() -> None:
    track = find_track("crossing")
    world = World(track, clutter=20, effects=False)
    for along in np.linspace(0, track.length_m, 8, endpoint=False):
        world.reset(2, start_m=float(along))
        assert world.labels([0.9, 0.7])[1].all()


def test_clutter_is_not_worn_or_strayed_over_the_paint() -> None:
    path = find_track("oval").path(0.01)
    look = replace(find_look("white-tape"), clutter=0)
    before = paint_floor(path, look, rng=np.random.default_rng(0))
    line = before.to_pixels(path).round().astype(int)
    after = paint_floor(path, look, rng=np.random.default_rng(0))
    place_clutter(path, per_10_m=20, rng=np.random.default_rng(1)).paint(after, rng=np.random.default_rng(2))
    was, now = (ground.image[line[:, 1], line[:, 0], 0].astype(float) for ground in (before, after))
    # Shadows may fall on the line; it stays brighter than any floor in the sun.
    assert (now <= was + 1).all()
    assert (now / was).min() > 0.2
