"""The battery: an INA219 through the real smbus2 over a register model, and what a drive makes of it."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import tty
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from math import isnan
from pathlib import Path
from threading import Event, Thread

import cv2
import numpy as np
import pytest
from fakes import FakeEstimator
from i2c_model import I2cModel, install

from control.errors import ConfigError, MotorError
from control.faults import SupervisorSettings
from control.messages import Cause, DifferentialCommand, DriveCommand, Health, SafetyState
from control.supervisor import SafetySupervisor
from robot.config import load_config
from robot.drive.battery import BackgroundGauge, cell_voltage
from robot.drive.clock import MonotonicClock
from robot.drive.health import Gauge
from robot.drive.rig import open_rig
from robot.motors import open_motors
from robot.motors.i2c import I2cDevice
from robot.motors.ina219 import Ina219
from robot.motors.settings import BatterySettings, MotorSettings

BATTERY = BatterySettings(sensor="ina219", bus=7, cells=3)


@pytest.fixture
def bus(monkeypatch: pytest.MonkeyPatch) -> I2cModel:
    model = I2cModel(0x60)
    model.words[0x41] = {0: 0x399F, 1: 0x01F4, 2: 0x5DC0}
    install(model, monkeypatch.setattr)
    return model


def gauge_of(settings: BatterySettings, board: str = "motorhat", motors: object = None) -> Gauge:
    return cell_voltage(settings, board=MotorSettings(driver=board), motors=motors)


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
        gauge_of(BATTERY)


def test_no_sensor_is_not_measured() -> None:
    assert gauge_of(BatterySettings())(0.0) is None


def test_a_battery_is_told_by_its_cell(bus: I2cModel) -> None:
    gauge = gauge_of(BATTERY)
    assert isinstance(gauge, BackgroundGauge)
    assert gauge(now()) == pytest.approx(4.0)
    gauge.close()


def test_a_sensor_that_is_not_there_is_one_line_with_a_way_out(bus: I2cModel) -> None:
    del bus.words[0x41]
    with pytest.raises(MotorError, match=r"INA219 at 0x41 on I2C bus 7: .*i2cdetect.*battery\.sensor=none") as caught:
        gauge_of(BATTERY)
    assert "\n" not in str(caught.value)


def test_a_sensor_that_dies_is_a_fault_and_not_the_last_good_reading(bus: I2cModel) -> None:
    gauge = gauge_of(BATTERY)
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
    assert gauge(1.5) == 4.0
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
    done = len(counted)
    Event().wait(0.05)
    assert len(counted) == done


def test_a_gauge_that_nobody_looked_at_can_be_closed() -> None:
    BackgroundGauge(lambda: 4.0).close()


_HANGING = """
from threading import Event
from robot.drive.battery import BackgroundGauge
asked = []
def read():
    asked.append(1)
    if len(asked) > 1:
        Event().wait()
    return 4.0
gauge = BackgroundGauge(read, period_s=0.001)
gauge(0.0)
gauge.close()
"""


def test_a_sensor_that_hangs_does_not_keep_the_program_from_ending() -> None:
    root = Path(__file__).resolve().parents[2]
    subprocess.run([sys.executable, "-c", _HANGING], cwd=root, check=True, timeout=30)


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
    gauge = gauge_of(BATTERY)
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


def test_more_volts_than_the_cells_can_have_are_refused(bus: I2cModel) -> None:
    # 12 V: two cells would have 6 V each, and three empty ones would pass for two full ones.
    with pytest.raises(ConfigError, match=r"battery\.cells: 12\.0 V would be 6\.0 V in each of 2.*count the cells"):
        gauge_of(BatterySettings(sensor="ina219", bus=7, cells=2))


BOARD = BatterySettings(sensor="board", cells=3)


@dataclass
class Telling:
    """Motors that answer with what is next; a MotorError is raised."""

    answers: list[float | MotorError | None]
    asked: int = 0

    def battery_v(self) -> float | None:
        self.asked += 1
        answer = self.answers.pop(0) if self.answers else None
        if isinstance(answer, MotorError):
            raise answer
        return answer


def test_a_board_is_asked_four_times_a_second_and_told_by_its_cell() -> None:
    motors = Telling([12.3, 12.0])
    gauge = gauge_of(BOARD, "roboclaw", motors)
    assert gauge(100.0) == pytest.approx(4.1)
    assert gauge(100.24) == pytest.approx(4.1)
    assert motors.asked == 1
    assert gauge(100.25) == pytest.approx(4.0)
    assert motors.asked == 2


def test_a_board_that_has_not_told_yet_keeps_the_drive_from_arming() -> None:
    gauge = gauge_of(BOARD, "roboclaw", Telling([None, 12.0]))
    assert isnan(gauge(100.0) or 0.0)
    assert gauge(100.3) == pytest.approx(4.0)


def test_a_board_that_never_tells_is_one_line_with_a_way_out() -> None:
    gauge = gauge_of(BOARD, "roboclaw", Telling([]))
    assert isnan(gauge(100.0) or 0.0)
    assert isnan(gauge(102.0) or 0.0)
    with pytest.raises(MotorError, match=r"the motor board tells no voltage; .*battery\.sensor=none"):
        gauge(102.1)


def test_a_board_that_falls_silent_is_a_fault() -> None:
    gauge = gauge_of(BOARD, "roboclaw", Telling([12.0]))
    assert gauge(100.0) == pytest.approx(4.0)
    assert gauge(101.5) == pytest.approx(4.0)
    assert isnan(gauge(101.6) or 0.0)


def test_a_wire_that_fails_is_left_to_the_commands() -> None:
    gauge = gauge_of(BOARD, "roboclaw", Telling([12.0, MotorError("unplugged")]))
    assert gauge(100.0) == pytest.approx(4.0)
    assert gauge(100.5) == pytest.approx(4.0)


def test_the_fullest_cell_is_still_a_cell() -> None:
    settings = BatterySettings(sensor="board", cells=1)
    assert gauge_of(settings, "roboclaw", Telling([4.4]))(100.0) == 4.4


def test_a_board_with_more_volts_than_its_cells_can_have_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"16\.4 V would be 5\.5 V in each of 3"):
        gauge_of(BOARD, "roboclaw", Telling([16.4]))(100.0)


@pytest.mark.parametrize("board", ["esp32-json", "vesc", "roboclaw"])
def test_boards_that_tell(board: str) -> None:
    vehicle = "ackermann" if board == "vesc" else "differential"
    settings = MotorSettings.model_validate({"driver": board, "vehicle": vehicle})
    assert cell_voltage(BOARD, board=settings, motors=Telling([11.1]))(0.0) == pytest.approx(3.7)


@pytest.mark.parametrize("board", ["motorhat", "scmd", "sabertooth", "motoron", "gpio"])
def test_a_board_that_tells_nothing_is_refused_before_anything_is_opened(board: str) -> None:
    with pytest.raises(ConfigError, match=rf"'{board}' tells no voltage; set battery\.sensor"):
        gauge_of(BOARD, board, Telling([]))


def test_motors_that_are_not_there_have_no_battery() -> None:
    assert gauge_of(BOARD, "dry-run")(0.0) is None


class Esp32:
    """A board behind a pty, that tells its volts when it is asked."""

    def __init__(self) -> None:
        self.volts = 11.7
        self._master, self._slave = os.openpty()
        tty.setraw(self._slave)
        self.port = os.ttyname(self._slave)
        self._thread = Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        with suppress(OSError):
            while heard := os.read(self._master, 4096):
                if b'{"T":130}' in heard:
                    os.write(self._master, b'{"T":1001,"L":0,"R":0,"v":%.2f}\n' % self.volts)

    def close(self) -> None:
        os.close(self._slave)
        self._thread.join(2.0)
        os.close(self._master)


@pytest.mark.parametrize("guarded", [True, False])
def test_a_real_line_tells_it_through_the_process_that_owns_it(guarded: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).resolve().parents[2]))
    board = Esp32()
    settings = MotorSettings.model_validate(
        {"driver": "esp32-json", "serial": {"port": board.port}, "guarded": guarded}
    )
    with open_motors(settings, standing=DifferentialCommand()) as motors:
        gauge = cell_voltage(BOARD, board=settings, motors=motors)
        assert _soon(lambda: (motors.apply(DifferentialCommand()), not isnan(gauge(now()) or 0.0))[1])
        assert gauge(now()) == pytest.approx(3.9)
        board.volts = 9.6
        assert _soon(lambda: (motors.apply(DifferentialCommand()), gauge(now()) == pytest.approx(3.2))[1])
    board.close()


def _soon(holds: Callable[[], bool]) -> bool:
    return any(holds() or Event().wait(0.02) for _ in range(500))
