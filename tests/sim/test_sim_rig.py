from __future__ import annotations

from itertools import islice

import numpy as np
import pytest

from control.errors import CameraError, CameraStalled, MotorError
from control.messages import AckermannCommand, DifferentialCommand
from sim.rig import SimCamera, SimClock, SimMotors
from sim.tracks.library import find_track
from sim.vehicle.params import JETBOT, JETRACER, VehicleParams
from sim.world import World

GO = DifferentialCommand(left=0.5, right=0.5)


@pytest.fixture
def world() -> World:
    return World(find_track("straight"), effects=False)


def test_frames_come_at_the_frame_rate_one_camera_delay_late(world: World) -> None:
    clock = SimClock(world)
    with SimCamera(world, fps=30) as camera:
        for index, frame in enumerate(islice(camera.frames(timeout_s=0.25), 8)):
            assert frame.index == index
            assert frame.stamp_s == pytest.approx(index / 30 + 0.04)
            assert clock.now_s() == frame.stamp_s


def test_a_frame_shows_the_world_at_its_exposure(world: World) -> None:
    motors = SimMotors(world)
    with motors, SimCamera(world, fps=10) as camera:
        frames = camera.frames(timeout_s=0.25)
        for _ in range(3):
            next(frames)
            motors.apply(GO)
        frame = next(frames)
    twin = World(find_track("straight"), effects=False)
    twin.advance_to(0.04)
    for exposure_s in (0.14, 0.24):
        twin.command(GO)
        twin.advance_to(exposure_s)
    twin.command(GO)
    twin.advance_to(0.3)
    np.testing.assert_array_equal(frame.image, twin.image())


def test_a_delay_longer_than_the_frame_period_keeps_every_frame() -> None:
    slow = World(find_track("straight"), vehicle=VehicleParams(camera_delay_s=0.15), effects=False)
    with SimCamera(slow, fps=30) as camera:
        stamps = [frame.stamp_s for frame in islice(camera.frames(timeout_s=0.25), 10)]
    np.testing.assert_allclose(stamps, np.arange(10) / 30 + 0.15)


def test_camera_to_wheel_takes_120_ms(world: World) -> None:
    motors = SimMotors(world)
    with motors, SimCamera(world) as camera:
        frame = next(camera.frames(timeout_s=0.25))
        exposed_s = frame.stamp_s - JETBOT.camera_delay_s
        motors.apply(GO)
        world.advance_to(exposed_s + 0.1199)
        assert world.truth.speed_mps == 0.0
        world.advance_to(exposed_s + 0.125)
        assert world.truth.speed_mps > 0.0


def test_a_stalled_camera_is_told_after_the_timeout_and_numbers_go_on(world: World) -> None:
    with SimCamera(world) as camera:
        next(camera.frames(timeout_s=0.25))
        camera.stalled = True
        before_s = world.now_s
        with pytest.raises(CameraStalled, match="250 ms"):
            next(camera.frames(timeout_s=0.25))
        assert world.now_s == pytest.approx(before_s + 0.25)
        camera.stalled = False
        frame = next(camera.frames(timeout_s=0.25))
        assert frame.index >= 8
        assert frame.stamp_s > before_s + 0.25


def test_a_frame_rate_below_the_timeout_is_a_stall(world: World) -> None:
    with SimCamera(world, fps=2) as camera, pytest.raises(CameraStalled):
        list(islice(camera.frames(timeout_s=0.25), 2))


def test_a_dead_camera_is_an_error_and_not_a_stall(world: World) -> None:
    with SimCamera(world) as camera:
        frames = camera.frames(timeout_s=0.25)
        next(frames)
        camera.dead = True
        with pytest.raises(CameraError, match="died") as caught:
            next(frames)
        assert not isinstance(caught.value, CameraStalled)


def test_a_covered_lens_is_black_and_a_frozen_one_repeats_itself(world: World) -> None:
    motors = SimMotors(world)
    with motors, SimCamera(world) as camera:
        frames = camera.frames(timeout_s=0.25)
        first = next(frames)
        camera.frozen = True
        motors.apply(GO)
        later = list(islice(frames, 10))
        assert all((frame.image == later[-1].image).all() for frame in later[2:])
        camera.frozen, camera.dark = False, True
        assert list(islice(frames, 3))[-1].image.max() == 0
        assert first.image.max() > 0


def test_close_works_twice_and_the_camera_can_be_entered_again(world: World) -> None:
    camera = SimCamera(world)
    with camera:
        next(camera.frames(timeout_s=0.25))
    camera.close()
    with pytest.raises(CameraError, match="closed"):
        next(camera.frames(timeout_s=0.25))
    with camera:
        assert next(camera.frames(timeout_s=0.25)).index == 0


def test_leaving_stops_the_motors_and_closed_ones_refuse(world: World) -> None:
    motors = SimMotors(world)
    with motors:
        motors.apply(GO)
        world.advance(1.0)
        assert world.truth.speed_mps > 0.4
    world.advance(1.0)
    assert world.truth.speed_mps == pytest.approx(0.0, abs=1e-3)
    motors.close()
    motors.stop()
    with pytest.raises(MotorError, match="closed"):
        motors.apply(GO)
    with motors:
        motors.apply(GO)


def test_a_failing_bus_refuses_writes(world: World) -> None:
    motors = SimMotors(world)
    with motors:
        motors.failing = True
        with pytest.raises(MotorError, match="refused"):
            motors.apply(GO)
        motors.stop()


def test_an_ackermann_vehicle_stops_with_its_wheels_straight() -> None:
    world = World(find_track("straight"), vehicle=JETRACER, effects=False)
    with SimMotors(world) as motors:
        motors.apply(AckermannCommand(steering=0.5, throttle=0.3))
        world.advance(1.0)
        assert world.truth.heading_rad > 0.1
    world.advance(2.0)
    assert world.vehicle.steering_rad == pytest.approx(0.0, abs=1e-3)
    assert world.truth.speed_mps == pytest.approx(0.0, abs=1e-3)


@pytest.mark.parametrize("fps", [0.0, -1.0, float("nan")])
def test_an_impossible_frame_rate_is_refused(fps: float, world: World) -> None:
    with pytest.raises(CameraError, match="frame rate"):
        SimCamera(world, fps=fps)
