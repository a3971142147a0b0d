"""The example of docs/examples/motor-board, installed as a user does and driven by the command."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tty
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from app.cli.main import main
from control.messages import DifferentialCommand
from robot.motors.board import BoardMotors
from robot.motors.boards import make_board, names
from robot.motors.settings import MotorSettings

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    source, target = tmp_path_factory.mktemp("source") / "motor-board", tmp_path_factory.mktemp("target")
    shutil.copytree(ROOT / "docs" / "examples" / "motor-board", source)
    pip = [sys.executable, "-m", "pip", "install", "-q", "--disable-pip-version-check", "--no-deps", "--no-index"]
    done = subprocess.run(
        [*pip, "--no-build-isolation", "--target", str(target), str(source)],
        check=False, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return target


@pytest.fixture
def package(installed: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.syspath_prepend(str(installed))
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(installed), str(ROOT)]))
    yield installed
    sys.modules.pop("two_numbers", None)


@pytest.fixture
def arduino() -> Iterator[tuple[int, str]]:
    master, slave = os.openpty()
    tty.setraw(slave)
    yield master, os.ttyname(slave)
    os.close(slave)
    os.close(master)


def heard(master: int) -> list[str]:
    os.set_blocking(master, False)
    got = b""
    with suppress(BlockingIOError):
        while True:
            got += os.read(master, 65536)
    return got.decode().splitlines()


def test_its_name_is_known_and_listed_with_its_package(
    package: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    assert "two-numbers" in names()
    assert main(["motors", "list"]) == 0
    assert "of the package linepilot-two-numbers 1.0" in capsys.readouterr().out


def test_it_is_driven_and_stopped_like_our_own(package: Path, arduino: tuple[int, str]) -> None:
    master, port = arduino
    board = make_board(MotorSettings.model_validate({"driver": "two-numbers", "serial": {"port": port}}))
    with BoardMotors(board) as motors:
        motors.apply(DifferentialCommand(left=0.5, right=-0.25))
    assert heard(master) == ["0 0", "50 -25", "0 0"]


def test_the_command_drives_it_guarded(package: Path, arduino: tuple[int, str]) -> None:
    master, port = arduino
    settings = ["motors.driver=two-numbers", f"motors.serial.port={port}"]
    assert main(["motors", "test", *settings, "--yes", "--seconds", "0.05"]) == 0
    lines = heard(master)
    assert lines[0] == lines[-1] == "0 0"
    assert {"20 0", "-20 0", "0 20", "0 -20", "20 20"} <= set(lines)


def test_a_board_for_the_other_vehicle_is_one_line(package: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["motors", "test", "motors.driver=two-numbers", "motors.vehicle=ackermann"]) == 2
    assert "set motors.vehicle=differential" in capsys.readouterr().err


def test_without_its_package_the_name_is_unknown(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["motors", "test", "motors.driver=two-numbers"]) == 2
    assert "unknown motors 'two-numbers'" in capsys.readouterr().err
