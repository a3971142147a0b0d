from __future__ import annotations

import json
from pathlib import Path

import pytest

from app.cli.main import main

PARTS = {"board", "system", "Python", "temperature", "disk", "clock", "camera", "I2C", "serial", "GPIO", "motors",
         "OpenCV", "model", "engine"}  # fmt: skip


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_a_machine_that_can_simulate_passes(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", "--json", "out.json"]) == 0
    told = json.loads(Path("out.json").read_text())
    assert told["drives"]
    assert {finding["part"] for finding in told["findings"]} >= PARTS
    assert all(finding["fix"] == "" for finding in told["findings"] if finding["level"] == "ok")
    shown = capsys.readouterr()
    assert "nothing stands in the way of a drive" in shown.out
    # One screen.
    assert len(shown.out.splitlines()) < 40
    assert "ONNX Runtime" in shown.out


def test_a_problem_is_exit_code_1_and_comes_with_its_remedy(capsys: pytest.CaptureFixture[str]) -> None:
    code = main(["doctor", "camera.source=usb:99", "motors.driver=dry-run", "model=classical", "--json", "out.json"])
    assert code == 1
    told = json.loads(Path("out.json").read_text())
    assert not told["drives"]
    (camera,) = [finding for finding in told["findings"] if finding["level"] == "problem"]
    assert camera["part"] == "camera"
    assert camera["fix"]
    shown = capsys.readouterr().out
    assert f"1 of {len(told['findings'])} stand in the way" in shown
    assert "->" in shown


def test_bad_settings_are_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", "camra.source=usb:0"]) == 2
    assert "did you mean 'camera'?" in capsys.readouterr().err
