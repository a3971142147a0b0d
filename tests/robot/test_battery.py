"""The battery: an INA219 through the real smbus2 over a register model, and what a drive makes of it."""

from __future__ import annotations

import errno
from math import isnan
from pathlib import Path
from threading import Event

import cv2
import numpy as np
import pytest
from fakes import FakeEstimator
from i2c_model import I2cModel, install

from control.errors import MotorError
from control.faults import SupervisorSettings
from control.messages import Cause, DriveCommand, Health, SafetyState
from control.supervisor import SafetySupervisor
from robot.config import load_config
from robot.drive.battery import BackgroundGauge, cell_voltage
from robot.drive.clock import MonotonicClock
from robot.drive.rig import open_rig
from robot.motors.i2c import I2cDevice
from robot.motors.ina219 import Ina219
from robot.motors.settings import BatterySettings

BATTERY = BatterySettings(sensor="ina219", bus=7, cells=3)


@pytest.fixture
def bus(monkeypatch: pytest.MonkeyPatch) -> I2cModel:
    model = I2cModel(0x60)
    model.words[0x41] = {0: 0x399F, 1: 0x01F4, 2: 0x5DC0}
    install(model, monkeypatch.setattr)
    return model


def now() -> float:
    return MonotonicClock().now_s()


def test_an_ina219_tells_volts_and_amperes(bus: I2cModel) -> None:
    sensor = Ina219(I2cDevice(0x41, bus=7))
    sensor.open()
    assert bus.words[0x41][0] == 0x3EEF
    assert sensor.voltage_v() == pytest.approx(12.0)
    assert sensor.current_a() == pytest.approx(0.05)
    bus.words[0x41][1] = 0xFC18
    assert sensor.current_a() == pytest.approx(-0.1)
    sensor.close()


def test_the_flags_below_the_voltage_are_no_part_of_it(bus: I2cModel) -> None:
    bus.words[0x41][2] = 0x5DC0 | 0b011
    assert Ina219(I2cDevice(0x41, bus=7)).voltage_v() == pytest.approx(12.0)


class OtherChip(dict[int, int]):
    """Whose register 0 cannot be written, as that of an ADS1115."""

    def __setitem__(self, register: int, value: int) -> None: ...


def test_another_chip_at_its_address_is_refused(bus: I2cModel) -> None:
    bus.words[0x41] = OtherChip({0: 0x1234, 2: 0x5DC0})
    with pytest.raises(MotorError, match=r"INA219 at 0x41 .* keeps 0x1234 .* another chip\?"):
        cell_voltage(BATTERY)


def test_no_sensor_is_not_measured() -> None:
    assert cell_voltage(BatterySettings())(0.0) is None


def test_a_battery_is_told_by_its_cell(bus: I2cModel) -> None:
    gauge = cell_voltage(BATTERY)
    assert isinstance(gauge, BackgroundGauge)
    assert gauge(now()) == pytest.approx(4.0)
    gauge.close()


def test_a_sensor_that_is_not_there_is_one_line_with_a_way_out(bus: I2cModel) -> None:
    del bus.words[0x41]
    with pytest.raises(MotorError, match=r"INA219 at 0x41 on I2C bus 7: .*i2cdetect.*battery\.sensor=none") as caught:
        cell_voltage(BATTERY)
    assert "\n" not in str(caught.value)


def test_a_sensor_that_dies_is_a_fault_and_not_the_last_good_reading(bus: I2cModel) -> None:
    gauge = cell_voltage(BATTERY)
    assert isinstance(gauge, BackgroundGauge)
    bus.fail = lambda: errno.EREMOTEIO
    gauge.update()
    assert isnan(gauge(now()) or 0.0)
    bus.fail = lambda: None
    gauge.update()
    assert gauge(now()) == pytest.approx(4.0)
    gauge.close()


def test_a_reading_that_has_become_old_is_a_fault() -> None:
    gauge = BackgroundGauge(lambda: 4.0, period_s=60.0, now_s=lambda: 0.0)
    assert gauge(0.5) == 4.0
    assert isnan(gauge(2.0) or 0.0)
    gauge.close()


def test_it_is_read_again_and_again_beside_the_loop() -> None:
    read_often = Event()
    counted: list[float] = []

    def read() -> float:
        counted.append(4.0)
        if len(counted) == 4:
            read_often.set()
        return 4.0

    gauge = BackgroundGauge(read, period_s=0.001)
    assert len(counted) == 1
    gauge(now())
    assert read_often.wait(10.0)
    gauge.close()


@pytest.mark.parametrize(
    ("raw", "after_s", "state"),
    [
        (0x5DC0, 4.0, SafetyState.ARMED),
        (round(3 * 3.3 / 0.004) << 3, 1.9, SafetyState.ARMED),
        (round(3 * 3.3 / 0.004) << 3, 2.5, SafetyState.RAMPING),
        (round(3 * 3.1 / 0.004) << 3, 1.9, SafetyState.ARMED),
        (round(3 * 3.1 / 0.004) << 3, 2.5, SafetyState.STOPPED),
    ],
)
def test_an_empty_battery_slows_down_and_stops_within_its_time(
    bus: I2cModel, raw: int, after_s: float, state: SafetyState
) -> None:
    gauge = cell_voltage(BATTERY)
    assert isinstance(gauge, BackgroundGauge)
    supervisor = SafetySupervisor(SupervisorSettings())
    supervisor.check(DriveCommand(), Health(cell_voltage_v=gauge(now())), dt_s=0.05)
    assert supervisor.arm() == ()
    bus.words[0x41][2] = raw
    gauge.update()
    for _ in range(round(after_s / 0.05)):
        verdict = supervisor.check(DriveCommand(speed_mps=0.3), Health(cell_voltage_v=gauge(now())), dt_s=0.05)
    assert verdict.state is state
    assert (Cause.BATTERY_LOW in verdict.causes) == (state is not SafetyState.ARMED)
    gauge.close()


def test_the_robot_file_brings_it_into_live_drives_only(bus: I2cModel, tmp_path: Path) -> None:
    frame = np.full((224, 224, 3), 90, np.uint8)
    assert cv2.imwrite(str(tmp_path / "0.png"), frame)
    overrides = ["motors.driver=dry-run", "battery={sensor: ina219, bus: 7, cells: 3}"]
    recorded = open_rig(load_config(None, [*overrides, f"camera.source=file:{tmp_path}"]), estimator=FakeEstimator())
    assert recorded.cell_voltage_v(now()) is None
    del bus.words[0x41]
    with pytest.raises(MotorError, match="INA219"):
        open_rig(load_config(None, [*overrides, "camera.source=usb:0"]), estimator=FakeEstimator())
