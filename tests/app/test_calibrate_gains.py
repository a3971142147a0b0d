"""``linepilot calibrate gains``: writes only what is better, between the comments, and takes it back."""

from __future__ import annotations

from pathlib import Path

import cv2
import pytest

import app.cli.calibrate_gains as command
from app.cli.gains_file import undo_gains, with_gains_text, write_gains
from app.cli.main import main
from robot.config import RobotConfig, load_config
from sim.tuning.gains import gains_of
from sim.tuning.search import Trial, Tuned
from tests.sim.test_tuning import KP, judged

OWN = """# my robot
target: line
follower:
  steering:
    kp: 2.0   # mine
motors: {driver: dry-run}
"""
LOOK = "follower.look_ahead_time_s"


def found(config: RobotConfig, *, error_m: float) -> Tuned:
    old = {**gains_of(config)}
    before, after = judged(error_m=0.002), judged(error_m=error_m)
    new = {**old, KP: 3.25, LOOK: 0.0}
    trials = (Trial(gains=old, cost_m=0.002, best_m=0.002), Trial(gains=new, cost_m=error_m, best_m=error_m))
    return Tuned(before=_with(before, old), after=_with(after, new), trials=trials)


def _with(one: object, gains: dict[str, float]) -> object:
    from dataclasses import replace

    return replace(one, gains=gains)  # type: ignore[type-var]


@pytest.fixture
def robot(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "robot.yaml"
    path.write_text(OWN)
    return path


def test_better_gains_are_written_and_taken_back(
    robot: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(command, "_tuned", lambda chosen, config: found(config, error_m=0.001))
    assert main(["calibrate", "gains", "robot.yaml"]) == 0
    told = capsys.readouterr().out
    assert "-50 %" in told
    config = load_config(robot)
    assert (config.follower.steering.kp, config.follower.look_ahead_time_s) == (3.25, 0.0)
    assert "kp: 3.25  # mine" in robot.read_text()
    assert cv2.imread("gains.png") is not None
    assert main(["calibrate", "gains", "robot.yaml", "--undo"]) == 0
    assert robot.read_text() == OWN
    assert sorted(p.name for p in robot.parent.iterdir()) == ["gains.png", "robot.yaml"]
    assert main(["calibrate", "gains", "robot.yaml", "--undo"]) == 2


def test_what_was_measured_goes_before_what_a_profile_guesses(
    robot: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    robot.write_text(OWN + "calibration: {drive: {top_speed_mps: 0.63}}\n")
    Path("calibration.yaml").write_text("drive: {top_speed_mps: 0.7}\nmeasured: {drive: {date: '2026-11-01'}}\n")
    searched: list[float] = []

    def tuned(chosen: object, config: RobotConfig) -> Tuned:
        searched.append(config.calibration.drive.top_speed_mps)
        return found(config, error_m=0.0021)

    monkeypatch.setattr(command, "_tuned", tuned)
    assert main(["calibrate", "gains", "robot.yaml"]) == 0
    assert searched == [0.7]
    assert "never measured" not in capsys.readouterr().out


def test_gains_that_are_not_better_change_nothing(
    robot: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(command, "_tuned", lambda chosen, config: found(config, error_m=0.0021))
    assert main(["calibrate", "gains", "robot.yaml"]) == 0
    assert "not changed" in capsys.readouterr().out
    assert robot.read_text() == OWN


def test_a_file_of_its_own_is_made_and_goes_again(tmp_path: Path) -> None:
    path = tmp_path / "new.yaml"
    write_gains(path, {KP: 3.0, LOOK: 0.01})
    assert load_config(path).follower.steering.kp == 3.0
    undo_gains(path)
    assert not any(tmp_path.iterdir())


def test_what_was_changed_since_stays(robot: Path) -> None:
    write_gains(robot, {KP: 3.0, LOOK: 0.01})
    robot.write_text(robot.read_text().replace("target: line", "target: lane"))
    undo_gains(robot)
    config = load_config(robot)
    assert (config.target, config.follower.steering.kp, config.follower.look_ahead_time_s) == ("lane", 2.0, 0.06)
    assert "look_ahead" not in robot.read_text()


def test_flow_sections_are_written_into() -> None:
    assert "kp: 3.0" in with_gains_text("follower: {steering: {kp: 1, ki: 2}}\n", {KP: 3.0})


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["law=jetbot"], "only law=linepilot"),
        (["profile:jetbot"], "config --profile"),
        (["--calibration", "none.yaml"], "no such file"),
        (["--undo"], "nothing to take back"),
        (["--trials", "0"], "no whole number from 1"),
        (["--picture", "x.txt"], "ends in .png"),
        (["none.yaml"], "cannot be read"),
    ],
)
def test_bad_input_is_one_line(
    arguments: list[str], told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["calibrate", "gains", *arguments]) == 2
    err = capsys.readouterr().err
    assert told in err
    assert err.count("\n") == 1
    assert not any(tmp_path.iterdir())
