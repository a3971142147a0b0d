"""``linepilot calibrate relay``: tells what it found, and bad input in one line."""

from __future__ import annotations

from pathlib import Path

import pytest

import app.cli.calibrate_relay as command
from app.cli.main import main
from tests.app.test_calibrate_gains import found


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_a_made_up_robot_swings_and_what_is_better_is_written(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(command, "compared", lambda config, gains, **_: found(config, error_m=0.001))
    assert main(["calibrate", "relay", "--seed", "3", "--workers", "1"]) == 0
    out = capsys.readouterr().out
    assert "(truth 174)" in out
    assert "new gains" in out
    assert Path("robot.yaml").exists()


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["law=jetbot"], "only law=linepilot"),
        (["--speed", "0"], "no number above 0"),
        (["--amplitude", "nan"], "no number above 0"),
        (["camera.source=file:x", "motors.driver=motorhat"], "live camera and a motor board"),
        (["camera.source=usb:0", "motors.driver=dry-run"], "live camera and a motor board"),
        (["none.yaml"], "cannot be read"),
        (["profile:jetbot"], "config --profile"),
    ],
)
def test_bad_input_is_one_line_and_nothing_is_written(
    arguments: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["calibrate", "relay", *arguments]) == 2
    err = capsys.readouterr().err
    assert told in err
    assert err.count("\n") == 1
    assert not list(Path().iterdir())


def test_nobody_there_moves_nothing(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("builtins.input", lambda _: "no")
    monkeypatch.setattr("app.cli.calibrate_relay_hardware.swing_hardware", lambda *_, **__: pytest.fail("it moved"))
    assert main(["calibrate", "relay", "camera.source=usb:0", "motors.driver=motorhat"]) == 2
    assert "nothing was moved" in capsys.readouterr().err
