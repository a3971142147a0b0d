"""The I2C boards' bytes, through the real smbus2 over a register model."""

from __future__ import annotations

import errno
from math import nan
from pathlib import Path

import pytest
from i2c_model import I2cModel, install

from control.errors import ConfigError, MotorError
from control.messages import AckermannCommand, DifferentialCommand
from robot.motors.board import BoardMotors
from robot.motors.boards import BOARDS, make_board
from robot.motors.i2c import I2cDevice, header_bus
from robot.motors.pca9685 import JetRacerBoard, MotorHat, ServoPulses, WaveshareJetBot, WaveshareJetRacer, pulse_us
from robot.motors.scmd import Scmd
from robot.motors.settings import MotorSettings

# Left is +1 and the longer pulse, as on a JetRacer: 1500 us + 750 us * value.
_SERVO = MotorSettings().servo
PULSES = ServoPulses(steering=_SERVO.steering_us, throttle=_SERVO.throttle_us)
OFF, ON = bytes([0, 0, 0, 0x10]), bytes([0, 0x10, 0, 0])


@pytest.fixture
def bus(monkeypatch: pytest.MonkeyPatch) -> I2cModel:
    model = I2cModel(0x40, 0x5D, 0x60)
    install(model, monkeypatch.setattr)
    return model


def no_wait(_: float) -> None: ...


def device(address: int = 0x60) -> I2cDevice:
    return I2cDevice(address, bus=7)


def test_the_first_thing_a_motor_hat_hears_is_all_off(bus: I2cModel) -> None:
    with BoardMotors(MotorHat(device(), wait=no_wait)):
        pass
    assert bus.written[0] == (0x60, 0xFD, b"\x10")
    assert bus.written[1:4] == [(0x60, 0x00, b"\x31"), (0x60, 0xFE, b"\x03"), (0x60, 0x00, b"\x21")]


def test_both_wheels_change_in_one_transaction(bus: I2cModel) -> None:
    with BoardMotors(MotorHat(device(), forward_in1=True, wait=no_wait)) as motors:
        before = len(bus.written)
        motors.apply(DifferentialCommand(left=0.5, right=-0.25))
        assert len(bus.written) == before + 1
    expected = bytes.fromhex("0000ff07 00000010 00100000 00000010 00100000 0000ff03")
    assert bus.written[before] == (0x60, 0x26, expected)


def test_a_jetbot_is_wired_the_other_way_round(bus: I2cModel) -> None:
    with BoardMotors(MotorHat(device(), wait=no_wait)) as motors:
        motors.apply(DifferentialCommand(left=0.5, right=0.0))
        assert bus.written[-1][2] == bytes.fromhex("0000ff07") + ON + OFF * 4
        motors.apply(DifferentialCommand())
        assert bus.written[-1][2] == OFF * 6


def test_stop_is_one_byte_for_all_channels(bus: I2cModel) -> None:
    with BoardMotors(MotorHat(device(), wait=no_wait)) as motors:
        motors.apply(DifferentialCommand(left=1.0, right=1.0))
        motors.stop()
        assert bus.written[-1] == (0x60, 0xFD, b"\x10")


def test_a_waveshare_jetbot_pulses_the_inputs(bus: I2cModel) -> None:
    with BoardMotors(WaveshareJetBot(device(), wait=no_wait)) as motors:
        motors.apply(DifferentialCommand(left=0.5, right=-0.25))
    half, quarter = bytes.fromhex("0000ff07"), bytes.fromhex("0000ff03")
    assert bus.written[-2] == (0x60, 0x06, OFF + half + OFF + quarter)


def test_a_jetracer_gets_neutral_before_anything_else_and_pulses_in_microseconds(bus: I2cModel) -> None:
    board = JetRacerBoard(device(0x40), pulses=PULSES, wait=no_wait)
    with BoardMotors(board) as motors:
        assert (0x40, 0xFE, b"\x79") in bus.written
        neutral = (307).to_bytes(2, "little")
        assert bus.written[4] == (0x40, 0x0A, b"\0\0" + neutral)
        motors.apply(AckermannCommand(steering=-2 / 3, throttle=2 / 3))
        low, high = (205).to_bytes(2, "little"), (410).to_bytes(2, "little")
        assert bus.written[-1] == (0x40, 0x06, b"\0\0" + low + b"\0\0" + high)
    assert bus.written[-1] == (0x40, 0x0A, b"\0\0" + neutral)


@pytest.mark.parametrize(("value", "expected"), [(-1, 2000), (0, 1600), (1, 1000), (0.5, 1300), (-0.5, 1800)])
def test_pulses_are_linear_on_either_side_of_the_centre(value: float, expected: float) -> None:
    assert pulse_us(value, ends=(2000, 1600, 1000)) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("throttle", "duty", "full"), [(0.5, (0, 4, 7), (1, 6)), (-0.5, (0, 3, 7), (2, 5)), (0.0, (), ())]
)
def test_a_waveshare_jetracer_drives_two_bridges_together(
    bus: I2cModel, throttle: float, duty: tuple[int, ...], full: tuple[int, ...]
) -> None:
    with BoardMotors(WaveshareJetRacer(device(0x40), device(), pulses=PULSES, wait=no_wait)) as motors:
        motors.apply(AckermannCommand(throttle=throttle))
        address, register, data = bus.written[-1]
    assert (address, register) == (0x60, 0x06)
    channels = [data[i : i + 4] for i in range(0, 32, 4)]
    pulsed, high = bytes.fromhex("0000ff07"), ON
    assert channels == [pulsed if i in duty else high if i in full else OFF for i in range(8)]


def test_the_failsafe_timer_of_an_scmd_is_set_and_read_back(bus: I2cModel) -> None:
    with BoardMotors(Scmd(device(0x5D), watchdog_s=0.2)) as motors:
        assert bus.written[0] == (0x5D, 0x20, bytes([128, 128]))
        assert (0x5D, 0x76, bytes([20])) in bus.written
        assert (0x5D, 0x70, bytes([1])) in bus.written
        motors.apply(DifferentialCommand(left=1.0, right=-1.0))
        assert bus.written[-1] == (0x5D, 0x20, bytes([255, 1]))
    assert bus.written[-1] == (0x5D, 0x20, bytes([128, 128]))


@pytest.mark.parametrize("number", [errno.EIO, errno.ENXIO, errno.ETIMEDOUT, errno.EREMOTEIO])
def test_a_bus_error_names_the_board_and_what_to_do(bus: I2cModel, number: int) -> None:
    with BoardMotors(MotorHat(device(), wait=no_wait)) as motors:
        bus.fail = lambda: number
        with pytest.raises(MotorError, match=r"MotorHAT at 0x60 on I2C bus 7: .*i2cdetect -y -r 7"):
            motors.apply(DifferentialCommand(left=0.1))
        bus.fail = lambda: None


def test_a_board_that_is_not_there_is_refused_at_the_start(bus: I2cModel) -> None:
    with pytest.raises(MotorError, match="0x61"), BoardMotors(MotorHat(device(0x61), wait=no_wait)):
        pytest.fail("opened")
    assert bus.written == []


@pytest.mark.parametrize("bad", [nan, 1.5, -1.01])
def test_nothing_but_a_duty_reaches_the_wire(bus: I2cModel, bad: float) -> None:
    with BoardMotors(MotorHat(device(), wait=no_wait)) as motors:
        before = len(bus.written)
        with pytest.raises(MotorError):
            motors.apply(DifferentialCommand(left=bad))
        assert len(bus.written) == before


@pytest.mark.parametrize(
    ("compatible", "bus_number"),
    [
        (b"nvidia,p3450-0000\0nvidia,tegra210\0", 1),
        (b"nvidia,p3668\0nvidia,tegra194\0", 8),
        (b"nvidia,p3768\0nvidia,tegra234\0", 7),
        (b"raspberrypi,4\0", 1),
    ],
)
def test_the_header_has_its_bus_by_board(tmp_path: Path, compatible: bytes, bus_number: int) -> None:
    told = tmp_path / "compatible"
    told.write_bytes(compatible)
    assert header_bus(told) == bus_number
    assert header_bus(tmp_path / "none") == 1


def test_a_board_for_another_vehicle_is_an_impossible_mix() -> None:
    with pytest.raises(ConfigError, match=r"motors\.vehicle=ackermann"):
        make_board(MotorSettings(driver="jetracer"))


def test_an_unknown_board_names_the_nearest_one() -> None:
    with pytest.raises(ConfigError, match="did you mean 'motorhat'"):
        make_board(MotorSettings(driver="motorhats"))
    with pytest.raises(ConfigError, match="cannot be loaded"):
        make_board(MotorSettings(driver="no_such_package:board"))


def test_every_board_of_the_table_can_be_made() -> None:
    for name in BOARDS:
        vehicle = "ackermann" if name in ("jetracer", "waveshare-jetracer", "vesc") else "differential"
        board = make_board(MotorSettings.model_validate({"driver": name, "vehicle": vehicle}))
        assert board.name
        assert board.hint
