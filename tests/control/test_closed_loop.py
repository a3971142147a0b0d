"""Golden numbers of the default gains on a kinematic vehicle with 120 ms delay, 60 ms lag and 30 frames a second."""

from dataclasses import replace

import pytest

from control.follower import FollowerSettings, LineFollower
from control.laws import JetBotLaw, JetBotSettings
from tests.control.closed_loop import PATHS, SLALOM, STADIUM, TIGHT, Plant, Run, drive, to_ground


def follow(path: str, plant: Plant | None = None, *, settings: FollowerSettings | None = None) -> Run:
    return drive(LineFollower(settings, to_ground=to_ground), PATHS[path], plant=plant)


@pytest.mark.parametrize(
    ("path", "rms_mm", "speed"), [("stadium", 2.0, 0.64), ("tight", 2.9, 0.63), ("slalom", 2.8, 0.63)]
)
def test_the_default_gains_hold_the_line_to_millimetres(path: str, rms_mm: float, speed: float) -> None:
    run = follow(path)
    assert run.completed
    assert run.rms_m * 1000 == pytest.approx(rms_mm, abs=0.5)
    assert run.mean_speed_mps == pytest.approx(speed, abs=0.02)
    assert run.max_m < 0.01


@pytest.mark.parametrize("speed", [0.4, 0.6, 0.8])
def test_the_line_is_held_within_a_centimetre_at_other_speeds(speed: float) -> None:
    default = FollowerSettings()
    settings = replace(default, speed=replace(default.speed, max_speed_mps=speed, lateral_acceleration_mps2=3.0))
    run = follow("tight", settings=settings)
    assert run.completed
    assert run.rms_m < 0.005


@pytest.mark.parametrize(
    "plant",
    [
        Plant(noise=0.04), Plant(left_gain=0.92), Plant(camera_s=0.11), Plant(camera_s=0.05), Plant(lag_s=0.1),
        Plant(lag_s=0.02),
    ],
)  # fmt: skip
@pytest.mark.parametrize("path", ["tight", "slalom"])
def test_a_robot_that_is_not_as_calibrated_still_holds_the_line(path: str, plant: Plant) -> None:
    run = follow(path, plant)
    assert run.completed
    assert run.rms_m < 0.014


def test_without_latency_compensation_the_same_gains_leave_the_line() -> None:
    pilot = LineFollower(to_ground=to_ground, delay_s=0.0, motor_lag_s=0.0)
    assert drive(pilot, STADIUM).rms_m > 0.02


def test_one_point_ahead_is_enough_to_go_round() -> None:
    run = drive(LineFollower(to_ground=to_ground), SLALOM, rows=slice(4, 5))
    assert run.completed
    assert run.rms_m < 0.01


def test_without_calibration_the_line_is_still_followed() -> None:
    run = drive(LineFollower(), SLALOM)
    assert run.completed
    assert run.max_m < 0.06


def test_jetbots_law_goes_round_slower_and_wider() -> None:
    peer = drive(JetBotLaw(JetBotSettings(speed_gain=0.45, kp=0.1, dead_zone=0.04, target_row=0.3)), TIGHT)
    ours = follow("tight")
    assert peer.completed
    assert ours.mean_speed_mps > peer.mean_speed_mps
    assert ours.rms_m < 0.25 * peer.rms_m


def test_a_drive_repeats_bit_for_bit() -> None:
    assert follow("tight", Plant(noise=0.03)) == follow("tight", Plant(noise=0.03))
