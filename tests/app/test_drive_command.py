"""Whole drives through the command, with the colour engine so that no model is needed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from app.cli.main import main
from control.errors import InputError

ROOT = Path(__file__).resolve().parents[2]
NUMBERS = {
    "track", "laps", "completed", "lap_time_s", "lateral_error_rms_m", "lateral_error_p95_m", "lateral_error_max_m",
    "off_line_s", "mean_speed_m_s", "camera_to_wheel_latency_ms", "loop_p50_ms", "loop_p99_ms", "overruns",
    "stopped_by",
}  # fmt: skip


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def report(name: str = "out.json") -> dict[str, Any]:
    read: dict[str, Any] = json.loads(Path(name).read_text())
    return read


def write_track(name: str = "mine.npy") -> str:
    """A straight, 2 m long."""
    np.save(name, np.stack([np.linspace(0, 2, 40), np.zeros(40)], axis=1))
    return name


def write_clip(count: int = 40) -> Path:
    folder = Path("clip")
    folder.mkdir()
    for number in range(count):
        image = np.full((120, 160, 3), 90, np.uint8)
        cv2.line(image, (80 + number % 7, 119), (80, 40), (40, 200, 235), 8)
        cv2.imwrite(str(folder / f"{number:03d}.png"), image)
    return folder


def test_a_track_from_a_file_is_driven_to_its_end(capsys: pytest.CaptureFixture[str]) -> None:
    code = main(["drive", "model=classical", "--track", write_track(), "--json", "out.json", "--picture", "p.png"])
    shown = capsys.readouterr().out
    assert code == 0
    numbers = report()
    assert set(numbers) >= NUMBERS
    assert numbers["completed"]
    assert numbers["laps"] == 1
    assert numbers["lateral_error_rms_m"] < 0.02
    assert numbers["camera_to_wheel_latency_ms"] == pytest.approx(120)
    assert "lateral error p95" in shown
    assert "p.png" in shown
    picture = cv2.imread("p.png")
    assert picture is not None
    assert picture.shape[1] > 800
    assert sorted(p.name for p in Path.cwd().iterdir()) == ["mine.npy", "out.json", "p.png"]


def test_settings_reach_the_drive() -> None:
    base = ["drive", "--track", write_track(), "model=classical", "--json", "out.json"]
    main(base)
    fast = report()["mean_speed_m_s"]
    main([*base, "follower.speed.max_speed_mps=0.3"])
    assert report()["mean_speed_m_s"] < 0.7 * fast


def test_the_same_seed_gives_the_same_drive_and_another_seed_another() -> None:
    def drive(seed: int) -> float:
        main(["drive", "--track", write_track(), "model=classical", "--json", "out.json", "--seed", str(seed)])
        return float(report()["lateral_error_rms_m"])

    assert drive(3) == drive(3) != drive(4)


def test_jetbots_law_drives_too() -> None:
    write_track()
    main(["drive", "--track", "mine.npy", "law=jetbot", "model=classical", "--json", "out.json"])
    assert report()["distance_m"] > 0.5


def test_a_file_that_crosses_itself_is_driven_when_told_so(capsys: pytest.CaptureFixture[str]) -> None:
    # Along, round to the left, and down over where it came from.
    angle = np.linspace(-np.pi / 2, np.pi, 60)
    loop = np.stack([0.7 + 0.7 * np.cos(angle), 0.7 + 0.7 * np.sin(angle)], axis=1)
    np.save("loop.npy", np.vstack([[[-0.8, 0.0]], loop, [[0.0, -1.0]]]))
    arguments = ["drive", "--track", "loop.npy", "model=classical", "--json", "out.json"]
    assert main(arguments) == 2
    assert "--crossing" in capsys.readouterr().err
    assert main([*arguments, "--crossing"]) == 0
    assert report()["completed"]
    assert report()["distance_m"] > 5.8


def test_a_lane_is_driven_as_a_lane_unless_said_otherwise() -> None:
    arguments = ["drive", "--track", write_track(), "--look", "edge-lines", "model=classical", "--json", "out.json"]
    assert main(arguments) == 0
    assert (report()["target"], report()["clutter"] > 0) == ("lane", True)
    main([*arguments, "target=line", "--clutter", "0"])
    assert (report()["target"], report()["clutter"]) == ("line", 0)
    # To one edge and along it: 18 cm from the middle.
    assert report()["lateral_error_rms_m"] > 0.05


def test_a_car_with_a_servo_drives_too() -> None:
    settings = ["motors.vehicle=ackermann", "model=classical", "follower.speed.max_speed_mps=0.5"]
    assert main(["drive", "--track", write_track(), *settings, "--json", "out.json"]) == 0


def test_a_robot_that_loses_the_line_ends_says_why_and_reports(capsys: pytest.CaptureFixture[str]) -> None:
    # It cannot steer, so it drives straight off the bend.
    numb = ["follower.steering.kp=0", "follower.steering.ki=0", "follower.steering.feed_forward=0"]
    assert main(["drive", "--track", "oval", "model=classical", *numb, "--json", "out.json"]) == 1
    assert not report()["completed"]
    assert report()["stopped_by"] == ["more than 0.5 m from the line"]
    assert "from the line" in capsys.readouterr().out


def test_a_robot_that_the_supervisor_stops_ends_says_why_and_reports(capsys: pytest.CaptureFixture[str]) -> None:
    # The camera looks at the ceiling.
    up = "calibration.mount.pitch_rad=-1.2"
    assert main(["drive", "--track", "oval", "model=classical", up, "--json", "out.json"]) == 1
    assert "line lost" in report()["stopped_by"]
    assert "line lost" in capsys.readouterr().out


def test_an_error_on_the_way_still_gets_its_report(capsys: pytest.CaptureFixture[str]) -> None:
    # So impatient that the first wait for a frame is a stall.
    hasty = ["supervisor.frame_age_soft_s=0.0001", "supervisor.frame_age_stop_s=0.0001"]
    assert main(["drive", "--track", "oval", "model=classical", *hasty, "--json", "out.json"]) == 1
    assert not report()["completed"]
    shown = capsys.readouterr()
    assert "no frame" in shown.err
    assert "mean speed" in shown.out
    assert Path("drive.png").exists()


def test_a_disk_that_fills_up_hides_neither_the_table_nor_why_the_drive_ended(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_path: Path, _data: object) -> None:
        raise InputError("out.json: cannot be written (No space left on device)")

    monkeypatch.setattr("app.cli.drive_simulated.write_json", full)
    hasty = ["supervisor.frame_age_soft_s=0.0001", "supervisor.frame_age_stop_s=0.0001"]
    assert main(["drive", "--track", "oval", "model=classical", *hasty, "--json", "out.json"]) == 1
    shown = capsys.readouterr()
    assert "mean speed" in shown.out
    assert "no frame" in shown.err
    assert "No space left" in shown.err
    assert len(shown.err.splitlines()) == 1


def test_a_recording_is_driven_with_motors_that_are_not_there(capsys: pytest.CaptureFixture[str]) -> None:
    clip = write_clip()
    code = main(["drive", "--camera", f"file:{clip}", "--motors", "dry-run", "model=classical", "--json", "out.json"])
    assert code == 0
    numbers = report()
    assert numbers["frames"] == 40
    assert numbers["line_seen"] == 1.0
    assert "line seen" in capsys.readouterr().out
    assert cv2.imread("drive.png") is not None


def test_a_recording_that_breaks_off_still_gets_its_report(capsys: pytest.CaptureFixture[str]) -> None:
    clip = write_clip()
    (clip / "030.png").write_bytes(b"cut")
    code = main(["drive", "--camera", f"file:{clip}", "--motors", "dry-run", "model=classical", "--json", "out.json"])
    assert code == 2
    assert report()["frames"] == 30
    assert "030.png" in capsys.readouterr().err


def test_a_drive_that_cannot_begin_says_why_and_nothing_else(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("JETSON_MODEL_NAME", raising=False)
    options = ["--motors", "dry-run", "model=classical", "emergency_stop.pin=22", "--json", "out.json"]
    assert main(["drive", "--camera", f"file:{write_clip()}", *options]) == 1
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.startswith("linepilot drive: emergency_stop.pin=22: this is no Jetson")
    assert not Path("out.json").exists()


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_a_signal_ends_the_drive_with_its_report(number: signal.Signals, code: int) -> None:
    driving = subprocess.Popen(
        [sys.executable, "-u", "-c", _SIGNALLING, "drive", "--track", "Monaco", "--laps", "9", "model=classical",
         "--json", "out.json"],
        env={**os.environ, "PYTHONPATH": str(ROOT)}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert driving.stdout is not None
    assert driving.stdout.readline() == "driving\n"
    driving.send_signal(number)
    shown, complaint = driving.communicate(timeout=60)
    assert driving.returncode == code, complaint
    assert complaint == ""
    assert report()["laps"] == 0
    assert report()["distance_m"] > 0.1
    assert Path("drive.png").exists()
    assert "mean speed" in shown


_SIGNALLING = """
import sys
from sim.benchmark import run
from app.cli.main import main

original = run.World.image

def image(world):
    if world.truth.distance_m > 0.2 and not getattr(world, "told", False):
        world.told = True
        print("driving")
    return original(world)

run.World.image = image
sys.exit(main(sys.argv[1:]))
"""
