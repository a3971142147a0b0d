from math import atan, inf, nan, radians

import pytest
from hypothesis import given
from hypothesis import strategies as st

from control.messages import STAND_STILL, AckermannCommand, DifferentialCommand, DriveCommand
from control.mixing import AckermannMixer, DifferentialMixer, duty_of_speed, speed_of_duty

MIXER = DifferentialMixer(wheel_base_m=0.1, top_speed_mps=1.0, dead_zone=0.1)


def motion(command: DifferentialCommand, mixer: DifferentialMixer = MIXER) -> tuple[float, float]:
    """(speed, yaw rate) of a vehicle that answers as calibrated."""
    left, right = (
        speed_of_duty(d, top_speed_mps=mixer.top_speed_mps, dead_zone=mixer.dead_zone) / gain
        for d, gain in ((command.left, mixer.left_gain), (command.right, mixer.right_gain))
    )
    return 0.5 * (left + right), (right - left) / mixer.wheel_base_m


def test_zero_speed_is_exactly_zero_on_both_vehicles() -> None:
    assert MIXER.wheels(DriveCommand(curvature_1pm=5.0)) == (DifferentialCommand(), False)
    assert AckermannMixer().wheels(STAND_STILL) == (AckermannCommand(), False)


def test_the_dead_zone_is_made_up_for_in_both_directions() -> None:
    assert MIXER.wheels(DriveCommand(speed_mps=0.5))[0].left == pytest.approx(0.55)
    assert MIXER.wheels(DriveCommand(speed_mps=-0.5))[0].left == pytest.approx(-0.55)


def test_left_curvature_drives_the_right_wheel_faster() -> None:
    wheels, _ = MIXER.wheels(DriveCommand(curvature_1pm=4.0, speed_mps=0.5))
    assert (wheels.left, wheels.right) == pytest.approx((0.1 + 0.4 * 0.9, 0.1 + 0.6 * 0.9))


def test_a_saturated_wheel_costs_speed_and_not_curvature() -> None:
    wheels, limited = MIXER.wheels(DriveCommand(curvature_1pm=5.0, speed_mps=1.0))
    speed, yaw_rate = motion(wheels)
    assert limited
    assert (wheels.right, yaw_rate / speed) == pytest.approx((1.0, 5.0))


@given(st.floats(-1.5, 1.5), st.floats(-20, 20), st.floats(0.7, 1.4), st.floats(0, 0.4))
def test_the_vehicle_does_what_was_asked(speed: float, curvature: float, gain: float, dead_zone: float) -> None:
    mixer = DifferentialMixer(left_gain=gain, dead_zone=dead_zone)
    wheels, limited = mixer.wheels(DriveCommand(curvature_1pm=curvature, speed_mps=speed))
    got, yaw_rate = motion(wheels, mixer)
    assert max(abs(wheels.left), abs(wheels.right)) <= 1.0
    assert yaw_rate == pytest.approx(got * curvature, abs=1e-6)
    assert limited or got == pytest.approx(speed, abs=1e-9)
    assert abs(got) <= abs(speed) + 1e-9


@pytest.mark.parametrize("bad", [nan, inf, -inf])
def test_what_is_no_number_becomes_rest(bad: float) -> None:
    for command in (DriveCommand(speed_mps=bad), DriveCommand(speed_mps=0.5, curvature_1pm=bad)):
        assert MIXER.wheels(command) == (DifferentialCommand(), True)
        assert AckermannMixer(center=0.1).wheels(command) == (AckermannCommand(steering=0.1), True)


def test_ackermann_turns_the_servo_by_the_bicycle_angle() -> None:
    mixer = AckermannMixer(wheel_base_m=0.2, max_angle_rad=radians(30), center=0.05, top_speed_mps=2.0, dead_zone=0.1)
    command, limited = mixer.wheels(DriveCommand(curvature_1pm=1.5, speed_mps=1.0))
    assert not limited
    assert (command.steering, command.throttle) == pytest.approx((0.05 + atan(0.3) / radians(30), 0.55))


def test_ackermann_says_when_the_servo_or_the_motor_is_at_its_end() -> None:
    mixer = AckermannMixer()
    assert mixer.wheels(DriveCommand(curvature_1pm=-9.0, speed_mps=1.0))[0].steering == -1.0
    assert mixer.wheels(DriveCommand(curvature_1pm=-9.0, speed_mps=1.0))[1]
    assert mixer.wheels(DriveCommand(speed_mps=9.0)) == (AckermannCommand(throttle=1.0), True)


@given(st.floats(-1, 1), st.floats(0, 0.4))
def test_duty_and_speed_are_inverse_outside_the_dead_zone(duty: float, dead_zone: float) -> None:
    speed = speed_of_duty(duty, top_speed_mps=0.9, dead_zone=dead_zone)
    back = duty_of_speed(speed, top_speed_mps=0.9, dead_zone=dead_zone)
    assert back == pytest.approx(duty if abs(duty) > dead_zone and speed else 0.0, abs=1e-9)
