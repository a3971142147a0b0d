"""Who measured a robot drives that one in the simulator, too."""

from __future__ import annotations

from dataclasses import replace
from math import inf

import pytest

from calibration.profile import Calibration, DriveTrim, Latency, SteeringTrim
from calibration.quality import DriveQuality, LatencyQuality, Quality, SteeringQuality
from control.messages import AckermannCommand
from sim.vehicle.measured import measured_vehicle
from sim.vehicle.params import JETBOT, JETRACER
from sim.vehicle.vehicle import Vehicle

DAY = "2026-01-31"
KNOWN = Calibration(
    drive=DriveTrim(wheel_base_m=0.11, top_speed_mps=0.8, left_gain=1.25),
    steering=SteeringTrim(center=0.1, right_limit=-0.6, left_limit=1.0, max_angle_rad=0.5, top_speed_mps=2.0),
    latency=Latency(delay_s=0.2, camera_s=0.05, motor_lag_s=0.03),
)


def test_what_was_never_measured_is_as_usual() -> None:
    assert measured_vehicle(KNOWN, JETBOT) == JETBOT
    assert measured_vehicle(KNOWN, JETRACER) == JETRACER


def test_two_wheels() -> None:
    robot = measured_vehicle(replace(KNOWN, measured=Quality(drive=DriveQuality(date=DAY))), JETBOT)
    assert (robot.wheel_base_m, robot.top_speed_mps, robot.left_gain) == (0.11, 0.8, 0.8)
    assert (robot.total_delay_s, robot.lag_s) == pytest.approx((0.2, 0.03))


def test_a_car_turns_no_further_than_its_stops() -> None:
    car = measured_vehicle(replace(KNOWN, measured=Quality(steering=SteeringQuality(date=DAY))), JETRACER)
    assert (car.steering_center, car.top_speed_mps, car.left_stop_rad) == (0.1, 2.0, inf)
    assert car.right_stop_rad == pytest.approx(0.35)
    vehicle = Vehicle(car)
    vehicle.command(AckermannCommand(steering=-1.0))
    vehicle.advance(2.0)
    assert vehicle.steering_rad == pytest.approx(-0.35)


def test_a_recorded_drive_tells_the_latency_alone() -> None:
    robot = measured_vehicle(replace(KNOWN, measured=Quality(latency=LatencyQuality(date=DAY))), JETBOT)
    assert (robot.total_delay_s, robot.lag_s) == pytest.approx((0.2, 0.03))
    assert (robot.wheel_base_m, robot.top_speed_mps) == (JETBOT.wheel_base_m, JETBOT.top_speed_mps)
