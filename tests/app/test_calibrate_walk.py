"""The walk through all steps of a calibration: order, skipping, trying again, ending."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.cli.calibrate_walk import steps_for, walk
from control.errors import CalibrationError
from robot.config import load_config


def answers(*given: str):
    left = list(given)

    def ask(_: str) -> str:
        if not left:
            raise EOFError
        return left.pop(0)

    return ask


def test_all_steps_come_in_their_order() -> None:
    called: list[str] = []
    assert walk(lambda a: called.append(a[0]) or 0, None, ask=answers(*[""] * 6)) == 0  # type: ignore[func-returns-value]
    assert called == ["board", "camera", "flat-field", "ground", "motors", "gains"]


def test_steps_are_skipped_and_the_walk_ends_when_asked() -> None:
    called: list[str] = []
    assert walk(lambda a: called.append(a[0]) or 0, None, ask=answers("s", "what?", "", "q")) == 0  # type: ignore[func-returns-value]
    assert called == ["camera"]


def test_a_step_that_failed_is_told_and_tried_again(capsys: pytest.CaptureFixture[str]) -> None:
    tries: list[str] = []

    def call(arguments: list[str]) -> int:
        tries.append(arguments[0])
        if len(tries) == 1:
            raise CalibrationError("too few views")
        return 0

    assert walk(call, None, ask=answers("", "", "q")) == 0
    assert tries == ["board", "board"]
    assert "too few views" in capsys.readouterr().out


def test_interrupting_a_step_ends_the_walk() -> None:
    assert walk(lambda _: 130, None, ask=answers("", "")) == 130


def test_nobody_at_the_terminal_ends_it() -> None:
    assert walk(lambda _: 0, None, ask=answers()) == 0


def test_the_camera_of_the_settings_is_used() -> None:
    config = load_config(None, ["camera.source=csi:0"])
    camera = steps_for(config, Path("robot.yaml"))[1].arguments
    assert camera[:5] == ["camera", "--camera", "csi:0", "--robot", "robot.yaml"]
    assert "--sim" in steps_for(load_config(None), None)[1].arguments


def test_a_car_measures_its_steering_instead_of_two_motors() -> None:
    config = load_config(None, ["motors.vehicle=ackermann"])
    assert [step.arguments[0] for step in steps_for(config, None)][-2:] == ["steering", "gains"]
