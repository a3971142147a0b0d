"""STOP from outside, on the real smbus2 over a register model."""

from __future__ import annotations

import errno
import subprocess
import sys
from pathlib import Path

import pytest

from app.cli.main import main
from control.errors import MotorError
from robot.drive.last_stop import stop_board
from robot.motors.i2c import I2cDevice
from robot.motors.pca9685 import MotorHat
from tests.robot.i2c_model import I2cModel, install

STOP = (0x60, 0xFD, b"\x10")


@pytest.fixture
def bus(monkeypatch: pytest.MonkeyPatch) -> I2cModel:
    model = I2cModel(0x60)
    install(model, monkeypatch.setattr)
    return model


def test_it_writes_stop_and_nothing_else(bus: I2cModel, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["stop", "motors.driver=motorhat", "motors.i2c.bus=7"]) == 0
    assert bus.written == [STOP]
    assert capsys.readouterr().out == "stopped: MotorHAT at 0x60 on I2C bus 7\n"


def test_it_tries_again_when_the_bus_refuses(bus: I2cModel) -> None:
    answers = [errno.EREMOTEIO, errno.ETIMEDOUT]
    bus.fail = lambda: answers.pop(0) if answers else None
    waited: list[float] = []
    stop_board(MotorHat(I2cDevice(0x60, bus=7)), wait=waited.append)
    assert bus.written == [STOP]
    assert len(waited) == 2


def test_it_says_so_when_stop_never_gets_through(bus: I2cModel, capsys: pytest.CaptureFixture[str]) -> None:
    bus.fail = lambda: errno.EREMOTEIO
    with pytest.raises(MotorError, match="did not get through"):
        stop_board(MotorHat(I2cDevice(0x60, bus=7)), wait=lambda _: None)
    assert main(["stop", "motors.driver=motorhat"]) == 1
    assert "cut the motors' power" in capsys.readouterr().err


@pytest.mark.parametrize("driver", ["sim", "dry-run"])
def test_motors_that_are_not_there_need_no_stop(driver: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["stop", f"motors.driver={driver}"]) == 0
    assert "nothing to stop" in capsys.readouterr().out


def test_an_unplugged_serial_board_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    port = tmp_path / "none"
    assert main(["stop", "motors.driver=esp32-json", f"motors.serial.port={port}"]) == 1
    complaint = capsys.readouterr().err
    assert str(port) in complaint
    assert len(complaint.splitlines()) == 1


def test_it_imports_no_network_and_no_camera(bus: I2cModel) -> None:
    code = "import sys, app.cli.stop; print(*{name.partition('.')[0] for name in sys.modules})"
    root = Path(__file__).resolve().parents[2]
    loaded = subprocess.run([sys.executable, "-c", code], cwd=root, check=True, capture_output=True, text=True).stdout
    assert not set(loaded.split()) & {"numpy", "cv2", "onnxruntime", "rich"}
