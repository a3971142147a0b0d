"""Thermal zones as files, and what a hot computer does to a drive."""

from __future__ import annotations

from math import isnan, nan
from pathlib import Path

import pytest

from control.messages import Cause, SafetyState
from robot.drive.loop import drive
from robot.drive.thermometer import Thermometer
from tests.robot.fakes import Bench, Kept


def zone(root: Path, number: int, kind: str, told: str) -> Path:
    folder = root / f"thermal_zone{number}"
    folder.mkdir(exist_ok=True)
    (folder / "type").write_text(f"{kind}\n")
    (folder / "temp").write_text(f"{told}\n")
    return folder / "temp"


def test_the_hottest_zone_counts(tmp_path: Path) -> None:
    zone(tmp_path, 0, "cpu-thermal", "45500")
    zone(tmp_path, 1, "tj-thermal", "61250")
    assert Thermometer(tmp_path)(0.0) == 61.25


def test_what_is_switched_off_or_never_true_does_not_count(tmp_path: Path) -> None:
    zone(tmp_path, 0, "CPU-therm", "45500")
    zone(tmp_path, 1, "GPU-therm", "-256000")
    zone(tmp_path, 2, "PMIC-Die", "100000")
    zone(tmp_path, 3, "cv0-thermal", "")
    (tmp_path / "thermal_zone4").mkdir()
    assert Thermometer(tmp_path)(0.0) == 45.5


def test_a_machine_without_zones_is_not_measured(tmp_path: Path) -> None:
    assert Thermometer(tmp_path)(0.0) is None


def test_each_zone_is_read_again_within_a_second(tmp_path: Path) -> None:
    files = [zone(tmp_path, number, "cpu", "40000") for number in range(10)]
    thermometer = Thermometer(tmp_path)
    files[7].write_text("93000")
    assert max(thermometer(0.1 * tick) or nan for tick in range(11)) == 93.0


def test_zones_that_all_fall_silent_are_a_fault(tmp_path: Path) -> None:
    file = zone(tmp_path, 0, "cpu", "40000")
    thermometer = Thermometer(tmp_path)
    file.unlink()
    assert isnan(thermometer(0.0) or 0.0)
    zone(tmp_path, 0, "cpu", "41000")
    assert thermometer(1.0) == 41.0


@pytest.mark.parametrize(("celsius", "within_s"), [(92.0, 2.5), (96.0, 1.2), (nan, 2.5)])
def test_a_computer_that_gets_too_hot_ends_the_drive(celsius: float, within_s: float) -> None:
    bench, kept = Bench(), Kept()
    hot_s = bench.clock.time_s + 2.0
    rig = bench.rig(temperature_c=lambda now_s: celsius if now_s >= hot_s else 50.0)
    assert drive(rig, kept, timer=bench.timer) == (Cause.TOO_HOT,)
    assert kept.ticks[-1].verdict.state is SafetyState.STOPPED
    assert bench.clock.time_s - hot_s <= within_s


@pytest.mark.parametrize(("volts", "within_s"), [(3.3, 3.2), (3.1, 2.1), (nan, 3.2)])
def test_a_battery_that_runs_low_ends_the_drive(volts: float, within_s: float) -> None:
    bench, kept = Bench(), Kept()
    low_s = bench.clock.time_s + 2.0
    rig = bench.rig(cell_voltage_v=lambda now_s: volts if now_s >= low_s else 3.9)
    assert drive(rig, kept, timer=bench.timer) == (Cause.BATTERY_LOW,)
    # A dip of less than two seconds, as when starting, does not count.
    assert 2.0 <= bench.clock.time_s - low_s <= within_s
