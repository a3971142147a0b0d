"""``linepilot motors``: the list, and the test over the register model, guarded as in a drive."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
from itertools import groupby
from pathlib import Path

import pytest

from app.cli.main import main
from control.errors import MotorError
from control.messages import AckermannCommand, DifferentialCommand, WheelCommand
from robot.motors.boards import BOARDS, make_board
from robot.motors.catalogue import catalogue
from robot.motors.dry_run import DryRunMotors
from robot.motors.settings import MotorSettings
from robot.motors.wiggle import steps, wiggle

ROOT = Path(__file__).resolve().parents[2]
DRIVER = "motors.driver=tests.robot.i2c_model:motorhat"
STOP = "60 fd 10"


@pytest.fixture
def log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LINEPILOT_I2C_LOG", str(tmp_path / "bus"))
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    return tmp_path / "bus"


def written(log: Path) -> list[str]:
    return [line.split(" ", 2)[2] for line in log.read_text().splitlines()]


def drives(line: str) -> bool:
    return line.startswith("60 26 ") and line != "60 26 " + "00000010" * 6


def test_the_list_tells_of_every_board_what_it_is(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(["motors", "list", "--json", str(tmp_path / "list.json")]) == 0
    told = json.loads((tmp_path / "list.json").read_text())
    assert [entry["name"] for entry in told][: len(BOARDS)] == list(BOARDS)
    assert told[-1]["name"] == "dry-run"
    assert "motorhat" in capsys.readouterr().out


def test_the_list_says_before_it_prints_that_it_cannot_be_kept(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    assert main(["motors", "list", "--json", str(tmp_path / "file" / "list.json")]) == 2
    told = capsys.readouterr()
    assert not told.out
    assert "cannot be written to" in told.err


def test_the_list_and_the_boards_agree_on_the_vehicle() -> None:
    for entry in catalogue()[: len(BOARDS)]:
        assert make_board(MotorSettings.model_validate({"driver": entry.name, "vehicle": entry.vehicle})).name


def test_the_list_says_how_to_install_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("robot.motors.catalogue.find_spec", lambda _: None)
    missing = {entry.name: entry.missing for entry in catalogue()}
    assert missing["gpio"] == missing["motorhat"] == "pip install 'linepilot[jetson]'"
    assert missing["vesc"] == "pip install 'linepilot[serial]'"


def test_the_remedy_stands_whole_below_the_table(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("robot.motors.catalogue.find_spec", lambda _: None)
    monkeypatch.setenv("COLUMNS", "80")
    assert main(["motors", "list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "smbus2 is not installed: pip install 'linepilot[jetson]'" in lines
    assert "pyserial is not installed: pip install 'linepilot[serial]'" in lines
    assert not any("…" in line for line in lines)


def test_each_output_turns_and_the_last_word_is_stop(log: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["motors", "test", DRIVER, "--yes", "--seconds", "0.1"]) == 0
    out = capsys.readouterr().out
    assert [line for line in out.splitlines() if "wheel" in line][:2] == ["left wheel forward", "left wheel backward"]
    lines = written(log)
    assert lines[0] == lines[-1] == STOP
    # 0.2 of 4095 steps on one wheel or on both.
    assert {line for line in lines if drives(line) and "3303" in line} == {line for line in lines if drives(line)}
    assert len({line for line in lines if drives(line)}) == 5
    # Each step begins and ends at rest.
    turns = [drives(line) for line in lines if line.startswith("60 26 ")]
    assert "".join(str(int(turn)) for turn, _ in groupby(turns)) == "01" * 5 + "0"


@pytest.mark.parametrize("answer", ["wheels up\n", "'Wheels Up'\n"])
def test_it_begins_when_the_words_are_typed(answer: str, log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(answer))
    assert main(["motors", "test", DRIVER, "--seconds", "0.05"]) == 0
    assert any(drives(line) for line in written(log))


@pytest.mark.parametrize(("answer", "told"), [("yes\n", "nothing was moved"), ("", "give --yes")])
def test_nothing_is_written_without_the_words(
    answer: str, told: str, log: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(answer))
    assert main(["motors", "test", DRIVER]) == 2
    assert told in capsys.readouterr().err
    assert written(log) == []


def test_interrupting_it_stops_the_motors(log: Path) -> None:
    child = subprocess.Popen(
        [sys.executable, "-m", "app.cli.main", "motors", "test", DRIVER, "--yes", "--seconds", "5"],
        cwd=ROOT, stdout=subprocess.PIPE, text=True, env=dict(os.environ), start_new_session=True,
    )  # fmt: skip
    assert child.stdout is not None
    assert child.stdout.readline() == "left wheel forward\n"
    os.killpg(child.pid, signal.SIGINT)
    out, _ = child.communicate(timeout=30)
    assert child.returncode == 130
    assert out == "stopped\n"
    assert written(log)[-1] == STOP


def test_a_board_is_named_as_in_a_drive(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["motors", "test", "--motors", "dry-run", "--seconds", "0.05"]) == 0
    assert "nothing moved" in capsys.readouterr().out


def test_a_board_for_trying_moves_nothing_and_needs_no_words(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["motors", "test", "motors.driver=dry-run", "motors.vehicle=ackermann", "--seconds", "0.05"]) == 0
    out = capsys.readouterr().out
    assert "steering to the left" in out
    assert "nothing moved" in out


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["test"], "no board to test"),
        (["test", DRIVER, "--duty", "0.9"], "at most 0.5"),
        (["test", DRIVER, "--duty", "nan"], "above 0"),
        (["test", DRIVER, "--duty", "much"], "no number"),
        (["test", DRIVER, "--seconds", "0"], "above 0"),
        (["test", "motors.driver=motorhut"], "did you mean 'motorhat'"),
        (["look"], "choose from"),
    ],
)
def test_bad_input_is_one_line(arguments: list[str], told: str, log: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["motors", *arguments]) == 2
    err = capsys.readouterr().err
    assert told in err
    assert err.count("\n") == 1


class Failing(DryRunMotors):
    """Refuses its third command; keeps what was asked of it from then on."""

    def __init__(self, standing: WheelCommand) -> None:
        super().__init__(standing)
        self.asked: list[str] = []

    def apply(self, command: WheelCommand) -> None:
        super().apply(command)
        if self.applied == 3:
            self.asked.clear()
            raise MotorError("no answer")

    def stop(self) -> None:
        super().stop()
        self.asked.append("stop")

    def close(self) -> None:
        self.asked.append("close")
        super().close()


@pytest.mark.parametrize("takes", [DifferentialCommand, AckermannCommand])
def test_a_board_that_fails_in_the_middle_is_stopped(takes: type[WheelCommand]) -> None:
    motors = Failing(takes())
    with pytest.raises(MotorError, match="no answer"):
        wiggle(
            motors, steps(takes, duty=0.2), seconds=0.1,
            wait=lambda _: None, tell=lambda _: None, interrupted=lambda: False,
        )  # fmt: skip
    assert motors.asked[:2] == ["stop", "close"]
    assert motors.last == takes()
