"""What every motor driver must do, real and simulated: one suite over all of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

from control.errors import MotorError
from control.messages import AckermannCommand, DifferentialCommand, WheelCommand
from robot.motors.driver import Motors
from robot.motors.dry_run import DryRunMotors
from sim.rig import SimMotors
from sim.tracks.library import find_track
from sim.vehicle.params import JETRACER
from sim.world import World


@dataclass(frozen=True)
class Subject:
    """Motors, what they take, what they must not take, and whether they stand still now."""

    motors: Motors
    forward: WheelCommand
    wrong: WheelCommand
    stands: Callable[[], bool]


FORWARD = DifferentialCommand(left=0.5, right=0.5)
THROTTLE = AckermannCommand(steering=0.1, throttle=0.5)


def dry_run() -> Subject:
    motors = DryRunMotors()
    return Subject(motors, FORWARD, THROTTLE, lambda: motors.last == DifferentialCommand())


def dry_run_with_a_servo() -> Subject:
    motors = DryRunMotors(AckermannCommand(steering=0.2))
    return Subject(motors, THROTTLE, FORWARD, lambda: motors.last == AckermannCommand(steering=0.2))


def stands_later(world: World) -> bool:
    """After its delay and lag."""
    world.advance(2.0)
    return abs(world.vehicle.speed_mps) < 1e-3


def simulated() -> Subject:
    world = World(find_track("straight"))
    return Subject(SimMotors(world), FORWARD, THROTTLE, lambda: stands_later(world))


def simulated_with_a_servo() -> Subject:
    world = World(find_track("straight"), vehicle=JETRACER)
    return Subject(SimMotors(world), THROTTLE, FORWARD, lambda: stands_later(world))


MAKERS = (dry_run, dry_run_with_a_servo, simulated, simulated_with_a_servo)


@pytest.fixture(params=MAKERS, ids=[maker.__name__ for maker in MAKERS])
def subject(request: pytest.FixtureRequest) -> Iterator[Subject]:
    made: Subject = request.param()
    yield made
    made.motors.close()


def test_entering_gives_the_motors_themselves_standing(subject: Subject) -> None:
    with subject.motors as motors:
        assert motors is subject.motors
        assert subject.stands()


def test_a_command_moves_and_stop_stops(subject: Subject) -> None:
    with subject.motors as motors:
        motors.apply(subject.forward)
        assert not subject.stands()
        motors.stop()
        assert subject.stands()


def test_leaving_stops(subject: Subject) -> None:
    with subject.motors as motors:
        motors.apply(subject.forward)
    assert subject.stands()


def test_leaving_with_an_error_stops_too_and_passes_the_error_on(subject: Subject) -> None:
    subject.motors.apply(subject.forward)
    with pytest.raises(ValueError, match="mine"), subject.motors:
        raise ValueError("mine")
    assert subject.stands()


def test_closing_and_stopping_twice_is_fine(subject: Subject) -> None:
    with subject.motors as motors:
        motors.close()
        motors.close()
        motors.stop()
        motors.stop()


def test_closed_motors_refuse_to_drive(subject: Subject) -> None:
    with subject.motors as motors:
        motors.close()
        with pytest.raises(MotorError) as caught:
            motors.apply(subject.forward)
    assert "\n" not in str(caught.value)
    assert subject.stands()


def test_a_command_for_another_kind_of_drive_is_refused(subject: Subject) -> None:
    with subject.motors as motors, pytest.raises(MotorError):
        motors.apply(subject.wrong)
    assert subject.stands()


def test_the_same_command_may_come_again_and_again(subject: Subject) -> None:
    with subject.motors as motors:
        for _ in range(50):
            motors.apply(subject.forward)
        assert not subject.stands()
