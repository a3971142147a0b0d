"""Recorded drives run again, as a person would at the command line."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app.cli.main import main

GOLDEN = Path(__file__).parents[1] / "golden"
SMALL = ["model=classical", "calibration.camera={width: 112, height: 112, fx: 40.5, fy: 53.5, cx: 55.5, cy: 55.5}"]


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A drive along a short bend."""
    folder = tmp_path_factory.mktemp("recorded")
    x = np.linspace(0, 1.1, 40)
    np.save(folder / "bend.npy", np.stack([x, 0.25 * x**2], axis=1))
    drive = ["drive", "--track", str(folder / "bend.npy"), "--seed", "3", "--picture", str(folder / "drive.png")]
    assert main([*drive, "--record", str(folder / "drive.mcap"), *SMALL]) == 0
    # Nothing but the session is needed.
    (folder / "bend.npy").unlink()
    return folder / "drive.mcap"


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def replayed(*arguments: str | Path, expect: int) -> dict[str, Any]:
    assert main(["replay", *map(str, arguments), "--json", "out.json"]) == expect
    found: dict[str, Any] = json.loads(Path("out.json").read_text())
    return found


@pytest.mark.parametrize("name", ["simulated", "footage"])
def test_golden_sessions_are_answered_as_they_were(name: str) -> None:
    # Another processor may round otherwise; the same one must not.
    found = replayed(GOLDEN / f"{name}.mcap", expect=0)
    assert found["looked"] == found["ticks"] >= 50
    assert Path("replay.png").stat().st_size > 5_000


def test_a_simulated_drive_is_replayed_to_the_bit(recorded: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = replayed(recorded, expect=0)
    assert found["pictures"] == "painted"
    assert found["identical"] == found["same_commands"] == found["ticks"] > 40
    assert "within the tolerances" in capsys.readouterr().out


def test_the_shipped_model_answers_to_the_bit(tmp_path: Path) -> None:
    np.save("bend.npy", np.stack([np.linspace(0, 0.8, 30), np.zeros(30)], axis=1))
    main(["drive", "--track", "bend.npy", "--record", "drive.mcap"])
    found = replayed("drive.mcap", expect=0)
    assert found["identical"] == found["ticks"] > 20


def test_closed_loop_a_simulated_drive_is_driven_again_to_the_bit(
    recorded: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = replayed(recorded, "--closed-loop", expect=0)
    assert found["identical"]
    assert found["replayed"] == found["recorded"]
    assert found["apart_max_m"] == 0
    assert "the same to the bit" in capsys.readouterr().out


def test_closed_loop_another_controller_steers(recorded: Path) -> None:
    found = replayed(recorded, "--closed-loop", "follower.speed.max_speed_mps=0.3", expect=1)
    assert found["replayed"]["completed"]
    assert found["replayed"]["mean_speed_m_s"] < found["recorded"]["mean_speed_m_s"] - 0.05
    slower = ("--tolerance", "pace=0.5", "--tolerance", "lateral=0.1", "--offset", "0.03")
    moved = replayed(recorded, "--closed-loop", "follower.speed.max_speed_mps=0.3", *slower, expect=0)
    assert moved["replayed"]["lateral_error_max_m"] == pytest.approx(0.03, abs=0.005)


def test_closed_loop_a_drive_is_driven_beside_in_pictures_made_from_its_own(
    recorded: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = [recorded, "--closed-loop", "--pictures", "stored", "--offset", "0.04"]
    found = replayed(*words, expect=0)
    assert found["pictures"] == "synthesised"
    assert found["aside_max_m"] == pytest.approx(0.04, abs=0.002)
    assert abs(found["aside_at_end_m"]) < 0.015
    assert found["valid_share"] > 0.8
    assert "came to its end" in capsys.readouterr().out
    # As in the world itself.
    true = replayed(recorded, "--closed-loop", "--offset", "0.04", "--tolerance", "lateral=0.1", expect=0)
    assert found["lateral_error_rms_m"] == pytest.approx(true["replayed"]["lateral_error_rms_m"], abs=0.002)


def test_closed_loop_a_real_drive_needs_a_calibration(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["replay", str(GOLDEN / "footage.mcap"), "--closed-loop"]) == 2
    assert "never measured" in capsys.readouterr().err
    measured = ["calibration.measured.mount.date='2026-01-01'", "calibration.measured.drive.date='2026-01-01'"]
    assert main(["replay", str(GOLDEN / "footage.mcap"), "--closed-loop", *measured]) == 2
    assert "pictures are 160x120, but the lens was measured at 224x224" in capsys.readouterr().err


def test_its_stored_pictures_are_nearly_those_it_saw(recorded: Path) -> None:
    found = replayed(recorded, "--pictures", "stored", expect=0)
    assert found["identical"] < found["ticks"]
    assert 0 < found["fields"]["points"]["max"] < 3


def test_other_gains_are_told_and_fail(recorded: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = replayed(recorded, "follower.speed.max_speed_mps=0.3", expect=1)
    assert found["fields"]["speed"]["beyond"] > 10
    assert found["fields"]["points"]["beyond"] == 0
    assert "changed" in capsys.readouterr().out


def test_a_tolerance_can_be_wider(recorded: Path) -> None:
    tolerances = [word for field in ("speed", "throttle") for word in ("--tolerance", f"{field}=1")]
    found = replayed(recorded, "follower.speed.max_speed_mps=0.3", *tolerances, expect=0)
    assert not found["fields"]["speed"]["beyond"]


def test_a_stride_looks_at_fewer_pictures(recorded: Path) -> None:
    found = replayed(recorded, "--stride", "4", expect=0)
    assert found["looked"] == -(-found["ticks"] // 4)
    assert found["same_commands"] == found["ticks"]


def test_a_video_shows_both(recorded: Path) -> None:
    replayed(recorded, "--stride", "8", "--video", "both.mp4", expect=0)
    assert Path("both.mp4").stat().st_size > 10_000


def test_a_reference_changes_only_when_told_to(recorded: Path) -> None:
    shutil.copy(recorded, "mine.mcap")
    before = Path("mine.mcap").read_bytes()
    slower = "follower.speed.max_speed_mps=0.3"
    replayed("mine.mcap", slower, expect=1)
    assert Path("mine.mcap").read_bytes() == before
    main(["replay", "mine.mcap", slower, "--update"])
    assert Path("mine.mcap").read_bytes() != before
    found = replayed("mine.mcap", expect=0)
    assert found["identical"] == found["ticks"]
    assert [path.name for path in Path().glob("*.mcap")] == ["mine.mcap"]


def test_a_piece_of_a_drive_is_replayed_on_its_stored_pictures(recorded: Path) -> None:
    main(["sessions", "trim", str(recorded), "--from", "0.7", "--out", "piece.mcap"])
    found = replayed("piece.mcap", "--pictures", "auto", expect=0)
    assert found["pictures"] == "stored"


def test_a_session_that_was_cut_off_is_replayed_as_far_as_it_goes(recorded: Path) -> None:
    whole = recorded.read_bytes()
    Path("cut.mcap").write_bytes(whole[: len(whole) * 2 // 3])
    found = replayed("cut.mcap", expect=0)
    assert 0 < found["ticks"] < 40
    assert "was cut off" in found["damage"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["none.mcap"], "cannot be read"),
        (["junk.mcap"], "is no MCAP file"),
        (["a.mcap", "model=none.onnx"], "none.onnx"),
        (["a.mcap", "follower.speed.max_sped_mps=1"], "did you mean"),
        (["a.mcap", "--tolerance", "speed"], "FIELD=NUMBER"),
        (["a.mcap", "--tolerance", "smell=1"], "of the fields"),
        (["a.mcap", "--allow", "2"], "not between 0 and 1"),
        (["a.mcap", "--stride", "0"], "from 1 up"),
        (["a.mcap", "--update", "--stride", "2"], "leave --stride away"),
        (["a.mcap", "--video", "a.avi"], ".mp4"),
        (["a.mcap", "--offset", "0.1"], "is for --closed-loop"),
        (["a.mcap", "--closed-loop", "--video", "a.mp4"], "goes without"),
        (["a.mcap", "--closed-loop", "--tolerance", "speed=1"], "lateral=METRES"),
        (["a.mcap", "--json", "a.mcap"], "is read, too"),
        (["/dev/zero"], "is empty"),
        (["piece.mcap", "--pictures", "painted"], "holds no simulated world"),
        ([], "required"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(
    arguments: list[str], said: str, recorded: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("junk.mcap").write_bytes(b"no session")
    shutil.copy(recorded, "a.mcap")
    shutil.copy(GOLDEN / "footage.mcap", "piece.mcap")
    assert main(["replay", *arguments]) == 2
    told = capsys.readouterr().err
    assert said in told
    assert len(told.splitlines()) == 1
    assert told.startswith("linepilot replay: ")
    assert sorted(path.name for path in Path().iterdir()) == ["a.mcap", "junk.mcap", "piece.mcap"]
