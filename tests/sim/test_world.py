"""A simulated robot: the truth is true, and a seed says everything."""

from __future__ import annotations

import numpy as np
import pytest

from control.errors import CameraError, CameraStalled, InputError
from control.messages import DifferentialCommand
from sim.rig import SimCamera
from sim.tracks.library import find_track
from sim.world import World

AHEAD = DifferentialCommand(left=0.5, right=0.5)


def test_the_same_seed_and_commands_make_the_same_pictures() -> None:
    pictures = []
    for _ in range(2):
        world = World(find_track("straight"))
        world.reset(4)
        for _ in range(5):
            world.step(AHEAD, 1 / 30)
        pictures.append(world.image())
    assert (pictures[0] == pictures[1]).all()


def test_driving_straight_on_a_straight_track_stays_on_the_line() -> None:
    world = World(find_track("straight"))
    for _ in range(60):
        world.step(AHEAD, 1 / 30)
    assert world.truth.distance_m > 0.4
    assert abs(world.truth.lateral_error_m) < 1e-6
    assert not world.truth.off_line


def test_a_robot_left_of_the_line_has_a_positive_lateral_error() -> None:
    world = World(find_track("straight"))
    for _ in range(15):
        world.step(DifferentialCommand(left=0.4, right=0.6), 1 / 30)
    assert world.truth.lateral_error_m > 0
    assert world.truth.heading_error_rad > 0


def test_the_line_ahead_is_brighter_than_the_floor() -> None:
    world = World(find_track("straight"), effects=False)
    row = world.image()[180].astype(np.float64).mean(axis=1)
    assert row[105:119].max() > row[[20, 200]].max() + 60


def test_an_unknown_look_names_the_nearest() -> None:
    with pytest.raises(InputError, match="white-tape"):
        World(find_track("straight"), look="white-tap")


def test_a_frame_arrives_one_camera_delay_after_its_exposure() -> None:
    world = World(find_track("straight"))
    with SimCamera(world, fps=30) as camera:
        frame = next(iter(camera.frames(timeout_s=0.25)))
    assert frame.stamp_s == pytest.approx(world.params.camera_delay_s)
    assert world.now_s >= frame.stamp_s - 1e-9


def test_a_stalled_camera_says_so_after_the_deadline() -> None:
    world = World(find_track("straight"))
    with SimCamera(world, fps=30) as camera:
        frames = iter(camera.frames(timeout_s=0.25))
        next(frames)
        camera.stalled = True
        with pytest.raises(CameraStalled):
            list(frames)


def test_a_dead_camera_says_so() -> None:
    world = World(find_track("straight"))
    with SimCamera(world, fps=30) as camera:
        frames = iter(camera.frames(timeout_s=0.25))
        next(frames)
        camera.dead = True
        with pytest.raises(CameraError):
            next(frames)
