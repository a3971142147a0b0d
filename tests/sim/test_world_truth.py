from __future__ import annotations

import numpy as np
import pytest

from control.messages import DifferentialCommand
from sim.looks import LOOKS
from sim.tracks.geometry import Track
from sim.tracks.library import find_track
from sim.vehicle.params import VehicleParams
from sim.world import World

IDEAL = VehicleParams(dead_zone=0.0, lag_s=0.0, motor_delay_s=0.0, camera_delay_s=0.0)
FRAME_S = 1 / 30


def chase(world: World, seconds: float, *, speed: float = 0.5) -> None:
    """Steer by the truth itself."""
    for _ in range(round(seconds / FRAME_S)):
        truth = world.truth
        turn = -2.0 * truth.lateral_error_m - 0.5 * truth.heading_error_rad
        turn += 0.05 * world.track.curvature_at(truth.along_m + 0.02)
        world.step(DifferentialCommand(left=speed * (1 - turn), right=speed * (1 + turn)), FRAME_S)


def test_reset_places_the_robot_where_it_is_told() -> None:
    world = World(find_track("straight"), vehicle=IDEAL, effects=False)
    world.reset(1, start_m=2.0, lateral_m=0.05, turn_rad=-0.2)
    truth = world.truth
    assert (truth.along_m, truth.lateral_error_m, truth.heading_error_rad) == pytest.approx((2.0, 0.05, -0.2))
    assert truth.distance_m == 0.0
    assert not truth.off_line


def test_off_the_line_means_by_more_than_half_the_robots_width() -> None:
    world = World(find_track("straight"), vehicle=IDEAL, effects=False)
    world.reset(0, start_m=1.0, lateral_m=0.064)
    assert not world.truth.off_line
    world.reset(0, start_m=1.0, lateral_m=-0.066)
    assert world.truth.off_line


@pytest.mark.parametrize("name", ["oval", "figure-eight", "crossing"])
@pytest.mark.parametrize("backwards", [False, True])
def test_laps_count_whole_rounds_in_both_directions_and_over_crossings(name: str, backwards: bool) -> None:
    track = find_track(name)
    world = World(track.reversed() if backwards else track, vehicle=IDEAL, effects=False)
    seconds = track.length_m / 0.45
    chase(world, seconds * 0.9)
    assert world.truth.laps == 0
    assert world.truth.distance_m == pytest.approx(0.9 * track.length_m, rel=0.05)
    chase(world, seconds * 0.3)
    assert world.truth.laps == 1
    assert abs(world.truth.lateral_error_m) < 0.03


@pytest.mark.parametrize(("along_m", "heading_rad"), [(1.0, 0.0), (5.0, -np.pi / 2)])
def test_a_start_on_a_crossing_is_on_the_branch_that_was_meant(along_m: float, heading_rad: float) -> None:
    center = np.array([[-1.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0], [0.0, -1.0], [-1.0, -1.0]])
    world = World(Track(name="knot", center=center, closed=True, crossing=True), effects=False)
    world.reset(0, start_m=along_m)
    assert (world.truth.x, world.truth.y) == pytest.approx((0.0, 0.0))
    assert world.truth.heading_rad == pytest.approx(heading_rad)
    assert world.truth.heading_error_rad == pytest.approx(0.0)
    assert world.truth.along_m == pytest.approx(along_m)


def test_an_open_track_is_one_lap_when_its_end_is_reached() -> None:
    world = World(find_track("straight"), vehicle=IDEAL, effects=False)
    world.reset(0, start_m=4.0)
    assert world.truth.laps == 0
    chase(world, 2.2)
    assert world.truth.laps == 1


def test_driving_backwards_takes_distance_away() -> None:
    world = World(find_track("oval"), vehicle=IDEAL, effects=False)
    world.step(DifferentialCommand(left=-0.5, right=-0.5), 0.5)
    assert world.truth.distance_m == pytest.approx(-0.225, abs=0.01)
    assert world.truth.laps == 0


def test_the_distance_is_right_even_when_nobody_looks_for_a_long_time() -> None:
    world = World(find_track("straight"), vehicle=IDEAL, effects=False)
    world.command(DifferentialCommand(left=0.5, right=0.5))
    world.advance(8.0)
    assert world.truth.distance_m == pytest.approx(3.6)


@pytest.mark.parametrize("look", LOOKS)
def test_every_look_can_be_seen(look: str) -> None:
    image = World(find_track("straight"), look=look).image()
    assert image.shape == (224, 224, 3)
    assert image.std() > 5


def test_labels_lie_on_the_painted_line() -> None:
    world = World(find_track("oval"), effects=False)
    world.reset(3, start_m=1.7, lateral_m=0.03, turn_rad=0.1)
    rows = np.array([0.9, 0.6, 0.3, 0.0])
    x, visible = world.labels(rows)
    assert visible.all()
    image = world.image().astype(np.float64).mean(axis=2)
    for row, label in zip(rows, x, strict=True):
        line = image[round((row + 1) * 112 - 0.5)]
        bright = np.flatnonzero(line > line.max() - 40)
        seen = (bright.mean() + 0.5) / 112 - 1
        assert label == pytest.approx(seen, abs=0.03)


def test_rows_above_the_horizon_and_past_the_end_have_no_label() -> None:
    world = World(find_track("straight"), effects=False)
    assert not world.labels([-0.9, -0.6])[1].any()
    world.reset(0, start_m=5.0)
    assert not world.labels([0.9, 0.5, 0.0])[1].any()


def test_a_randomised_world_is_another_robot_for_each_seed_and_the_same_for_one() -> None:
    world = World(find_track("oval"), randomise=True)
    drawn = []
    for seed in (1, 2, 1):
        world.reset(seed)
        drawn.append(world.params)
    assert drawn[0] == drawn[2]
    assert drawn[0] != drawn[1]
    assert World(find_track("oval")).params == VehicleParams()
