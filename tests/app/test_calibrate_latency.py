"""``linepilot calibrate latency``: from a session into the file that driving reads, and bad input in one line."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.cli.calibration_file import with_measured, write_calibration
from app.cli.main import main
from calibration.profile import Calibration, Latency
from calibration.quality import LatencyQuality, Quality
from robot.config import load_config
from robot.drive.pilots import open_estimator
from robot.drive.recorder import SessionRecorder
from sim.benchmark.run import make_world, simulate
from sim.scene import Scene
from sim.tracks.library import find_track


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def recorded(path: Path, *, ticks: int) -> None:
    """The robot of the simulator is 120 ms behind; its settings say 80."""
    config = load_config(None, ["model=classical", "calibration.latency.delay_s=0.08"])
    world = make_world(find_track("corners"), look="white-tape", config=config, seed=0)
    scene = Scene.of(world, look="white-tape", seed=0, laps=1).to_json()
    recorder = SessionRecorder(path, config=config, facts={}, lossless=True, scene_json=scene)
    try:
        simulate(
            world, estimator=open_estimator(config), config=config, watch=lambda drive: len(drive.ticks) < ticks,
            keep=lambda tick, sections_s, truth: recorder(tick, sections_s=sections_s, truth=truth),
        )  # fmt: skip
    finally:
        recorder.close()


def test_a_recorded_drive_tells_the_delay_that_nobody_knew(capsys: pytest.CaptureFixture[str]) -> None:
    recorded(Path("a.mcap"), ticks=400)
    assert main(["calibrate", "latency", "a.mcap"]) == 0
    assert "truth 120.0" in capsys.readouterr().out
    calibration = load_config(None, ["calibration=calibration.yaml"]).calibration
    assert calibration.latency.delay_s == pytest.approx(0.12, abs=0.01)
    assert calibration.latency.motor_lag_s == pytest.approx(0.06, abs=0.015)
    assert calibration.measured.latency.how == "1 recorded drive"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ([], "required"),
        (["none.mcap"], "none.mcap"),
        (["text.mcap"], "text.mcap"),
        (["none.mcap", "--most", "0"], "from 1 up"),
    ],
)
def test_bad_input_is_one_line(arguments: list[str], told: str, capsys: pytest.CaptureFixture[str]) -> None:
    Path("text.mcap").write_text("no session")
    assert main(["calibrate", "latency", *arguments]) == 2
    err = capsys.readouterr().err
    assert told in err
    assert err.count("\n") == 1
    assert not Path("calibration.yaml").exists()


def test_what_drives_told_goes_before_what_a_profile_guesses() -> None:
    latency = Latency(delay_s=0.2, camera_s=0.05, motor_lag_s=0.03)
    told = Calibration(latency=latency, measured=Quality(latency=LatencyQuality(date="2026-01-31")))
    write_calibration(Path("calibration.yaml"), told)
    guess = load_config(None, ["calibration.latency.delay_s=0.1", "calibration.drive.top_speed_mps=0.5"])
    config = with_measured(guess, Path("calibration.yaml"))
    assert config.calibration.latency == latency
    assert config.calibration.drive.top_speed_mps == 0.5
