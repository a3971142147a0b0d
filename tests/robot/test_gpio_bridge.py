"""The H-bridge on the header's pins, through the real Jetson.GPIO over a model of the kernel's files."""

from __future__ import annotations

import errno
import fcntl
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from gpio_model import GpioModel, forget_the_library

from control.errors import ConfigError, MissingExtraError, MotorError
from control.messages import DifferentialCommand
from robot.motors.board import BoardMotors
from robot.motors.gpio_hbridge import BridgePins, GpioBridge, end_pulses

LEFT, RIGHT = BridgePins(in1=29, in2=31, enable=32), BridgePins(in1=35, in2=37, enable=33)
LEFT_DUTY, RIGHT_DUTY = 2, 1
"""The chips of pins 32 and 33."""
IN1_LEFT, IN2_LEFT, IN1_RIGHT, IN2_RIGHT = 105, 106, 53, 124
"""Lines of pins 29, 31, 35 and 37 on an Orin Nano."""


def place(model: GpioModel, monkeypatch: pytest.MonkeyPatch, board: str = "JETSON_ORIN_NANO") -> None:
    forget_the_library(lambda name: monkeypatch.delitem(sys.modules, name))
    monkeypatch.setenv("JETSON_MODEL_NAME", board)
    model.install(monkeypatch.setattr)


@pytest.fixture
def header(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[GpioModel]:
    model = GpioModel(tmp_path)
    place(model, monkeypatch)
    yield model
    forget_the_library(lambda name: sys.modules.pop(name))


def bridge(model: GpioModel, left: BridgePins = LEFT, right: BridgePins = RIGHT) -> GpioBridge:
    return GpioBridge(left, right, pwm_class=model.pwm_class)


def refusal(model: GpioModel, left: BridgePins = LEFT, right: BridgePins = RIGHT) -> str:
    with pytest.raises(MotorError) as caught, BoardMotors(bridge(model, left, right)):
        pytest.fail("opened")
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_the_library_alone_would_drive_a_new_output_high(header: GpioModel) -> None:
    from Jetson import GPIO

    GPIO.setwarnings(False)
    GPIO.setmode(GPIO.BOARD)
    GPIO.setup(29, GPIO.OUT)
    GPIO.cleanup()
    assert header.log == [(f"line {IN1_LEFT}", "1")]


def test_no_pin_is_ever_high_before_the_first_command(header: GpioModel) -> None:
    with BoardMotors(bridge(header)):
        levels = [value for what, value in header.log if what.startswith("line") or what.endswith("duty_cycle")]
        assert set(levels) == {"0"}
        lines = [IN1_LEFT, IN2_LEFT, IN1_RIGHT, IN2_RIGHT]
        assert [header.level(line) for line in lines] == [0, 0, 0, 0]
        assert header.duty(LEFT_DUTY) == header.duty(RIGHT_DUTY) == 0


def test_signs_are_levels_and_amounts_are_pulses(header: GpioModel) -> None:
    with BoardMotors(bridge(header)) as motors:
        motors.apply(DifferentialCommand(left=0.5, right=-0.25))
        assert (header.level(IN1_LEFT), header.level(IN2_LEFT)) == (1, 0)
        assert (header.level(IN1_RIGHT), header.level(IN2_RIGHT)) == (0, 1)
        assert header.duty(LEFT_DUTY) == pytest.approx(0.5)
        assert header.duty(RIGHT_DUTY) == pytest.approx(0.25)
        assert (f"pwmchip{LEFT_DUTY} period", "1000000") in header.log
        motors.stop()
        assert [header.level(line) for line in (IN1_LEFT, IN2_LEFT, IN1_RIGHT, IN2_RIGHT)] == [0, 0, 0, 0]
        assert header.duty(LEFT_DUTY) == header.duty(RIGHT_DUTY) == 0
        motors.apply(DifferentialCommand(left=1.0))
        assert header.duty(LEFT_DUTY) == 1
        motors.apply(DifferentialCommand())
        assert [header.level(line) for line in (IN1_LEFT, IN2_LEFT, IN1_RIGHT, IN2_RIGHT)] == [0, 0, 0, 0]


def test_leaving_ends_low_and_gives_the_pins_back(header: GpioModel) -> None:
    for _ in range(3):
        with BoardMotors(bridge(header)) as motors:
            motors.apply(DifferentialCommand(left=1.0, right=-1.0))
        assert [header.level(line) for line in (IN1_LEFT, IN2_LEFT, IN1_RIGHT, IN2_RIGHT)] == [0, 0, 0, 0]
        assert list(header.pwm_class.glob("pwmchip*/pwm*")) == []


def test_opening_and_closing_touches_no_file_of_others(header: GpioModel) -> None:
    mine = [os.open(os.devnull, os.O_RDONLY) for _ in range(4)]
    with BoardMotors(bridge(header)) as motors:
        motors.apply(DifferentialCommand(left=1.0, right=1.0))
        mine += [os.open(os.devnull, os.O_RDONLY) for _ in range(8)]
    for number in mine:
        os.close(number)


def test_two_inputs_drive_forward_only(header: GpioModel) -> None:
    left, right = BridgePins(in1=32, in2=31), BridgePins(in1=33, in2=37)
    with BoardMotors(bridge(header, left, right)) as motors:
        motors.apply(DifferentialCommand(left=0.5, right=-0.5))
        assert header.duty(LEFT_DUTY) == pytest.approx(0.5)
        assert header.duty(RIGHT_DUTY) == 0
        assert (header.level(IN2_LEFT), header.level(IN2_RIGHT)) == (0, 0)


def test_a_pin_without_pwm_names_those_that_have_it(header: GpioModel) -> None:
    told = refusal(header, BridgePins(in1=29, in2=31, enable=36))
    assert told == "GPIO: pin 36 has no PWM on JETSON_ORIN_NANO as it is set up; those that have: 15, 32, 33"
    assert header.log == []


def test_a_pin_that_is_no_gpio_is_refused(header: GpioModel) -> None:
    assert "pin 1 of the header is no GPIO" in refusal(header, BridgePins(in1=1, in2=31, enable=32))


def test_a_header_whose_pwm_is_not_enabled_names_jetson_io(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = GpioModel(tmp_path, pwm=())
    place(model, monkeypatch)
    assert "those that have: none; see that the header's PWM is enabled: sudo /opt/nvidia/jetson-io" in refusal(model)


@pytest.mark.parametrize(
    ("board", "label", "pins"),
    [
        ("JETSON_NANO", "tegra-gpio", "32, 33"),
        ("JETSON_NX", "tegra194-gpio", "15, 32, 33"),
        ("JETSON_XAVIER", "tegra194-gpio", "13, 15, 18"),
        ("JETSON_ORIN", "tegra234-gpio", "13, 15, 18"),
    ],
)
def test_each_jetson_has_its_own_pins_with_pwm(
    board: str, label: str, pins: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from Jetson.GPIO.gpio_pin_data import jetson_gpio_data

    chips = tuple(sorted({row[7] for row in jetson_gpio_data[board][0] if row[7]}))
    model = GpioModel(tmp_path, label=label, pwm=chips)
    place(model, monkeypatch, board)
    assert f"those that have: {pins}" in refusal(model, BridgePins(in1=29, in2=31, enable=40))


def test_a_chip_that_is_not_there_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = GpioModel(tmp_path, label="tegra194-gpio")
    place(model, monkeypatch)
    assert "tegra234-gpio: No such gpio device registered" in refusal(model)


def test_a_pin_that_another_program_holds_is_busy_and_the_pulses_end(header: GpioModel) -> None:
    from Jetson import GPIO as OTHER

    OTHER.setwarnings(False)
    OTHER.setmode(OTHER.BOARD)
    OTHER.setup(37, OTHER.OUT, initial=OTHER.LOW)
    forget_the_library(lambda name: sys.modules.pop(name))
    assert refusal(header).startswith("H-bridge on pins 32 and 33: [Errno 16]")
    assert list(header.pwm_class.glob("pwmchip*/pwm*")) == []
    OTHER.cleanup()


def test_a_header_that_one_may_not_use_names_the_group(header: GpioModel) -> None:
    header.forbidden.append(Path("/dev/gpiochip0"))
    assert "/dev/gpiochip0 is not there or cannot be written to; sudo usermod -aG gpio" in refusal(header)


def test_a_pwm_that_one_may_not_use_names_the_group_and_does_not_wait(header: GpioModel) -> None:
    header.forbidden.append(header.pwm_class / "pwmchip2" / "export")
    assert "pwmchip2/export cannot be written to; sudo usermod -aG gpio" in refusal(header)


def test_a_missing_library_names_its_extra(header: GpioModel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "Jetson", None)
    with pytest.raises(MissingExtraError, match=r"linepilot\[jetson\]"):
        bridge(header).open()


def test_a_machine_that_is_no_jetson_is_told_so(header: GpioModel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("JETSON_MODEL_NAME")
    assert "this is no Jetson" in refusal(header)
    monkeypatch.setenv("JETSON_MODEL_NAME", "TOASTER")
    assert "Could not determine Jetson model" in refusal(header)


def test_a_pin_used_twice_is_refused_at_once() -> None:
    with pytest.raises(ConfigError, match="used twice"):
        GpioBridge(LEFT, BridgePins(in1=29, in2=37, enable=33))


_KILLED = """
import os, pathlib, signal, sys
from gpio_model import GpioModel
from control.messages import DifferentialCommand
from robot.motors.gpio_hbridge import BridgePins, GpioBridge
model = GpioModel(pathlib.Path(sys.argv[1]))
model.install()
board = GpioBridge(
    BridgePins(in1=29, in2=31, enable=32), BridgePins(in1=35, in2=37, enable=33), pwm_class=model.pwm_class
)
board.open()
board.write(DifferentialCommand(left=0.5, right=0.5))
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture
def after_a_kill(header: GpioModel, tmp_path: Path) -> GpioModel:
    """What a driving process leaves behind."""
    paths = os.pathsep.join([str(Path(__file__).parent), str(Path(__file__).parents[2])])
    done = subprocess.run(
        [sys.executable, "-c", _KILLED, str(tmp_path)], env={**os.environ, "PYTHONPATH": paths}, check=False, timeout=30
    )
    assert done.returncode == -signal.SIGKILL
    assert header.duty(LEFT_DUTY) == pytest.approx(0.5)
    return header


def test_another_process_ends_the_pulses_of_a_killed_one(after_a_kill: GpioModel) -> None:
    bridge(after_a_kill).stop()
    assert after_a_kill.duty(LEFT_DUTY) == after_a_kill.duty(RIGHT_DUTY) == 0


def test_the_next_drive_begins_with_the_end_of_the_last_one(after_a_kill: GpioModel) -> None:
    with BoardMotors(bridge(after_a_kill)) as motors:
        assert after_a_kill.duty(LEFT_DUTY) == 0
        motors.apply(DifferentialCommand(left=0.3))
        assert after_a_kill.duty(LEFT_DUTY) == pytest.approx(0.3)
    assert after_a_kill.duty(LEFT_DUTY) == after_a_kill.duty(RIGHT_DUTY) == 0


def test_what_a_killed_process_left_ends_before_any_pin_is_touched(
    after_a_kill: GpioModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    duties: list[float] = []
    beneath = fcntl.ioctl

    def watched(*arguments: Any) -> Any:
        duties.append(after_a_kill.duty(LEFT_DUTY) + after_a_kill.duty(RIGHT_DUTY))
        return beneath(*arguments)

    monkeypatch.setattr(fcntl, "ioctl", watched)
    with BoardMotors(bridge(after_a_kill)):
        assert duties[0] == 0


def test_a_kernel_that_refuses_is_a_motor_error(header: GpioModel, monkeypatch: pytest.MonkeyPatch) -> None:
    motors = BoardMotors(bridge(header))
    with motors:

        def refuse(*_: object) -> int:
            raise OSError(errno.EIO, os.strerror(errno.EIO))

        with monkeypatch.context() as broken:
            broken.setattr("fcntl.ioctl", refuse)
            with pytest.raises(MotorError, match="Input/output error"):
                motors.apply(DifferentialCommand(left=0.5))
        assert header.duty(LEFT_DUTY) == 0


def test_no_pwm_at_all_is_nothing_to_stop(tmp_path: Path) -> None:
    end_pulses(tmp_path)
    assert list(tmp_path.iterdir()) == []
