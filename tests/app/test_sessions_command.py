"""Drives through the command, recorded, and what the command makes of the files."""

from __future__ import annotations

import json
import os
from pathlib import Path

import cv2
import numpy as np
import pytest
import yaml

from app.cli.main import main
from perception.dataset import read_photos
from robot.config import load_config
from robot.sessions.reader import SessionReader
from sim.benchmark.run import aimed

DRIVE = ["drive", "--track", "mine.npy", "model=classical", "--json", "out.json"]


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    np.save("mine.npy", np.stack([np.linspace(0, 2, 40), np.zeros(40)], axis=1))


def test_a_simulated_drive_is_recorded_whole_with_truth_and_settings(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*DRIVE, "--record", "a.mcap", "--seed", "3", "fps=20"]) == 0
    assert "recorded: a.mcap" in capsys.readouterr().out
    reader = SessionReader(Path("a.mcap"))
    ticks = [frame.tick() for frame in reader.frames()]
    assert len(ticks) == json.loads(Path("out.json").read_text())["passes"]
    assert all(tick.picture is not None and tick.truth is not None for tick in ticks)
    assert reader.end["dropped"] == "0"
    assert (reader.facts["track"], reader.facts["seed"]) == ("mine", "3")
    assert {"see", "decide", "check", "write"} <= set(ticks[5].sections_s)
    first, last = ticks[0].truth, ticks[-1].truth
    assert first is not None
    assert last is not None
    assert last.distance_m > 1.5 > first.distance_m
    # Each tick has its own picture.
    assert len({frame.jpeg for frame in reader.frames()}) > 0.9 * len(ticks)
    # What is attached can be driven with again.
    Path("robot.yaml").write_bytes(reader.attachments["robot.yaml"])
    driven = aimed(load_config(None, ["model=classical", "fps=20"]), look="white-tape")
    assert load_config(Path("robot.yaml")) == driven
    assert yaml.safe_load(reader.attachments["calibration.yaml"])["version"] == 1


def test_recording_changes_nothing_of_a_simulated_drive() -> None:
    def error() -> float:
        return float(json.loads(Path("out.json").read_text())["lateral_error_rms_m"])

    main(DRIVE)
    bare = error()
    main([*DRIVE, "--record", "rec"])
    assert error() == bare


def test_a_drive_on_pictures_is_recorded(capsys: pytest.CaptureFixture[str]) -> None:
    Path("clip").mkdir()
    for number in range(30):
        image = np.full((120, 160, 3), 90, np.uint8)
        cv2.line(image, (80 + number % 7, 119), (80, 40), (40, 200, 235), 8)
        cv2.imwrite(f"clip/{number:03d}.png", image)
    main(["drive", "--camera", "file:clip", "--motors", "dry-run", "model=classical", "--record", "rec"])
    (path,) = Path("rec").iterdir()
    reader = SessionReader(path)
    ticks = [frame.tick() for frame in reader.frames()]
    assert len(ticks) == 30
    assert ticks[0].truth is None
    assert reader.facts["motors"] == "dry-run"
    assert "30 ticks" in capsys.readouterr().out


def test_a_place_that_cannot_be_written_is_refused_before_the_drive(capsys: pytest.CaptureFixture[str]) -> None:
    Path("a.mcap").write_bytes(b"precious")
    assert main([*DRIVE, "--record", "a.mcap"]) == 2
    assert "is there already" in capsys.readouterr().err
    assert not Path("out.json").exists()


def test_sessions_are_listed_described_trimmed_and_exported(capsys: pytest.CaptureFixture[str]) -> None:
    main([*DRIVE, "--record", "a.mcap"])
    whole = Path("a.mcap").read_bytes()
    Path("b.mcap").write_bytes(whole[: len(whole) // 2])
    Path("c.mcap").write_bytes(b"no session")
    capsys.readouterr()
    assert main(["sessions", "list"]) == 0
    shown = capsys.readouterr().out
    assert all(text in shown for text in ("a.mcap", "whole", "b.mcap", "cut off", "c.mcap", "no MCAP file"))
    assert main(["sessions", "info", "a.mcap", "--json", "info.json"]) == 0
    info = json.loads(Path("info.json").read_text())
    assert info["ticks"] == info["pictures"] > 50
    assert info["closed"]
    assert info["lateral_error_rms_m"] < 0.02
    assert main(["sessions", "repair", "a.mcap"]) == 0
    assert "nothing to repair" in capsys.readouterr().out
    assert main(["sessions", "repair", "b.mcap"]) == 0
    assert "not readable" in capsys.readouterr().out
    assert SessionReader(Path("b-repaired.mcap")).path.exists()
    assert main(["sessions", "trim", "a.mcap", "--from", "0.5", "--to", "1"]) == 0
    assert len(list(SessionReader(Path("a-trimmed.mcap")).frames())) == pytest.approx(15, abs=1)
    assert main(["sessions", "export", "a.mcap", "--photos", "xy", "--every", "10", "--video", "v.mp4"]) == 0
    assert len(read_photos(Path("xy"))) >= 5
    assert Path("v.mp4").stat().st_size > 10_000


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["info", "c.mcap"], "is no MCAP file"),
        (["info", "none.mcap"], "cannot be read"),
        (["info", "pipe.mcap"], "is a pipe"),
        (["list", "pipe.mcap"], "is a pipe"),
        (["list", "c.mcap"], "is no MCAP file"),
        (["list"], "record one with"),
        (["repair", "c.mcap"], "is no MCAP file"),
        (["trim", "c.mcap", "--from", "3", "--to", "2"], "is not after"),
        (["trim", "c.mcap", "--from", "nan"], "no number of seconds"),
        (["info", "c.mcap", "--json", "c.mcap"], "is read, too"),
        (["export", "c.mcap"], "say what to export"),
        (["export", "c.mcap", "--photos", "xy"], "is no MCAP file"),
        (["export", "c.mcap", "--video", "a.avi"], ".mp4"),
        (["inspect", "c.mcap"], "invalid choice"),
        ([], "required"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("c.mcap" if arguments != ["list"] else "c.txt").write_bytes(b"no session")
    if "pipe.mcap" in arguments:
        os.mkfifo("pipe.mcap")
    assert main(["sessions", *arguments]) == 2
    told = capsys.readouterr().err
    assert said in told
    assert len(told.splitlines()) == 1
    assert told.startswith("linepilot sessions: ")
    assert not Path("xy").exists() or not list(Path("xy").iterdir())
