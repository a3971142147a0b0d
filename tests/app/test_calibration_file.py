from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from app.cli.calibration_file import with_measured, write_calibration
from calibration.profile import Calibration
from robot.config import RobotConfig, load_config

GUESS = "calibration: {mount: {height_m: 0.2}, drive: {top_speed_mps: 0.63}}\n"


def _measured(path: Path) -> Calibration:
    usual = Calibration()
    mount = replace(usual.mount, height_m=0.13)
    quality = replace(usual.measured, mount=replace(usual.measured.mount, date="2026-11-01"))
    write_calibration(path, replace(usual, mount=mount, measured=quality))
    return usual


def test_what_was_measured_goes_before_the_guess_and_the_rest_of_the_guess_stays(tmp_path: Path) -> None:
    _measured(tmp_path / "calibration.yaml")
    (tmp_path / "robot.yaml").write_text(GUESS)
    found = with_measured(load_config(tmp_path / "robot.yaml"), tmp_path / "calibration.yaml").calibration
    assert found.mount.height_m == 0.13
    assert found.drive.top_speed_mps == 0.63
    assert found.measured.mount.date == "2026-11-01"


def test_a_latency_from_recorded_drives_is_kept(tmp_path: Path) -> None:
    usual = Calibration()
    quality = replace(usual.measured, latency=replace(usual.measured.latency, date="2026-11-01"))
    delay = replace(usual.latency, delay_s=0.2)
    write_calibration(tmp_path / "calibration.yaml", replace(usual, latency=delay, measured=quality))
    (tmp_path / "robot.yaml").write_text(GUESS)
    found = with_measured(load_config(tmp_path / "robot.yaml"), tmp_path / "calibration.yaml").calibration
    assert found.latency.delay_s == 0.2
    assert found.drive.top_speed_mps == 0.63


def test_without_a_file_the_guess_stays(tmp_path: Path) -> None:
    (tmp_path / "robot.yaml").write_text(GUESS)
    config = load_config(tmp_path / "robot.yaml")
    assert with_measured(config, tmp_path / "calibration.yaml") is config


def test_settings_that_name_a_measured_file_keep_it(tmp_path: Path) -> None:
    _measured(tmp_path / "mine.yaml")
    write_calibration(tmp_path / "calibration.yaml", Calibration())
    (tmp_path / "robot.yaml").write_text("calibration: mine.yaml\n")
    found = with_measured(load_config(tmp_path / "robot.yaml"), tmp_path / "calibration.yaml").calibration
    assert found.mount.height_m == 0.13


def test_settings_that_say_nothing_take_the_file(tmp_path: Path) -> None:
    _measured(tmp_path / "calibration.yaml")
    assert with_measured(RobotConfig(), tmp_path / "calibration.yaml").calibration.mount.height_m == 0.13
