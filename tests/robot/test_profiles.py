"""Each profile that is shipped is settings, fits its board, and can be named or copied."""

from __future__ import annotations

from math import tan
from pathlib import Path

import pytest

from app.cli.main import main
from control.errors import ConfigError
from control.messages import DriveCommand
from robot.config import load_config
from robot.drive.pilots import make_mixer, standing_command
from robot.motors.board import Voltmeter
from robot.motors.boards import make_board
from robot.motors.pca9685 import pulse_us
from robot.motors.wire import is_neutral
from robot.profiles import profile_names, profile_path, settings_path

NAMES = [
    "f1tenth-vesc", "gpio-l298n", "jetbot", "jetbot-sparkfun", "jetbot-waveshare", "jetracer", "jetracer-waveshare",
    "wave-rover",
]  # fmt: skip
ROOT = Path(__file__).resolve().parents[2]


def test_these_are_shipped() -> None:
    assert profile_names() == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_a_profile_is_settings_for_a_board_that_can_be_made(name: str) -> None:
    config = load_config(profile_path(name))
    board = make_board(config.motors)
    mixer = make_mixer(config)
    assert is_neutral(standing_command(config))
    assert isinstance(standing_command(config), board.takes)
    # What the follower may ask for on a straight is within what the wheels can and the supervisor lets through.
    fastest = config.follower.speed.max_speed_mps
    _, limited = mixer.wheels(DriveCommand(speed_mps=fastest))
    assert not limited
    assert fastest <= config.supervisor.max_speed_mps


@pytest.mark.parametrize("name", NAMES)
def test_a_profile_says_where_its_wiring_is_told(name: str) -> None:
    assert "docs/wiring.md" in profile_path(name).read_text()
    assert f"## {name}\n" in (ROOT / "docs" / "wiring.md").read_text()


@pytest.mark.parametrize("name", NAMES)
def test_a_profile_for_the_wrong_vehicle_is_one_line(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    right = load_config(profile_path(name)).motors.vehicle
    wrong = {"differential": "ackermann", "ackermann": "differential"}[right]
    assert main(["stop", f"profile:{name}", f"motors.vehicle={wrong}"]) == 2
    told = capsys.readouterr().err
    assert f"set motors.vehicle={right}" in told
    assert told.count("\n") == 1


def test_a_profile_is_named_or_copied(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(["config", "--profile", "jetbot"]) == 0
    copied = tmp_path / "robot.yaml"
    copied.write_text(capsys.readouterr().out)
    assert copied.read_text().startswith("# JetBot")
    assert load_config(copied) == load_config(settings_path("profile:jetbot"))
    assert settings_path(str(copied)) == copied


def test_a_profile_that_is_not_there_names_the_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ConfigError, match="did you mean 'jetracer'"):
        profile_path("jetracr")
    assert main(["config", "profile:nothing"]) == 2
    assert "known: f1tenth-vesc, gpio-l298n, jetbot" in capsys.readouterr().err


def test_a_profile_to_copy_stands_alone(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["config", "--profile", "jetbot", "fps=20"]) == 2
    assert "give it alone" in capsys.readouterr().err


def test_profiles_are_part_of_the_package() -> None:
    assert 'robot = ["profiles/*.yaml"]' in (ROOT / "pyproject.toml").read_text()


@pytest.mark.parametrize("angle_rad", [-0.2, 0.0, 0.1, 0.25])
def test_a_vesc_gets_the_servo_position_of_its_vesc_yaml(angle_rad: float) -> None:
    config = load_config(profile_path("f1tenth-vesc"))
    curvature = tan(angle_rad) / config.calibration.steering.wheel_base_m
    command, limited = make_mixer(config).wheels(DriveCommand(curvature_1pm=curvature))
    assert not limited
    # The driver's centre and span: 0.5 and -0.5.
    assert 0.5 - 0.5 * getattr(command, "steering", 0.0) == pytest.approx(0.5304 - 1.2135 * angle_rad, abs=2e-3)


def test_a_jetracer_steers_with_the_pulses_of_its_own_software() -> None:
    ends = load_config(profile_path("jetracer")).motors.servo.steering_us
    # us = 1500 + 750 * (-0.65 * steering), its steering being positive to the right.
    for left in (-1.0, 0.0, 1.0):
        assert pulse_us(left, ends=ends) == pytest.approx(1500 + 750 * 0.65 * left, abs=1)


@pytest.mark.parametrize("name", NAMES)
def test_the_battery_of_a_profile_can_be_measured_by_what_it_names(name: str) -> None:
    config = load_config(profile_path(name))
    tells = isinstance(make_board(config.motors), Voltmeter)
    assert (config.battery.sensor == "board") == tells


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ("motors.driver=motorhatt", "did you mean 'motorhat'?"),
        ("motors.driver=typo", "known: dry-run, sim, motorhat"),
        ("camera.source=ubs:0", "did you mean 'usb:NUMBER'?"),
        ("camera.source=usb", "says not which one"),
        ("camera.source=nothing", "known: sim"),
    ],
)
def test_settings_that_name_no_device_are_not_printed_as_good_ones(
    setting: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["config", setting]) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert said in told.err
    assert told.err.count("\n") == 1


@pytest.mark.parametrize("setting", ["motors.driver=dry-run", "motors.driver=my:board", "camera.source=my:camera"])
def test_a_device_of_another_module_is_not_loaded_to_be_printed(
    setting: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["config", setting]) == 0
    assert setting.partition("=")[2] in capsys.readouterr().out
