"""``linepilot calibrate``: from a board on paper to a calibration that can be driven with."""

from __future__ import annotations

import io
import json
import os
import re
import signal
import subprocess
import sys
from dataclasses import asdict, replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import yaml

from app.cli.main import main
from calibration.ground import board_to_camera
from calibration.profile import CameraMount
from robot.config import load_config
from sim.board_camera import BoardCamera, BoardPose
from tests.calibration.views import BOARD, LARGE_FISHEYE, PINHOLE

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """As a camera with the pinhole lens of the other tests takes them."""
    folder = tmp_path_factory.mktemp("pictures")
    camera = BoardCamera(PINHOLE, BOARD, rng=np.random.default_rng(5))
    for number, pose in enumerate(camera.views(18)):
        cv2.imwrite(str(folder / f"{number:02}.png"), camera.look(pose))
    (folder / "cut.jpg").write_bytes(b"not a picture")
    return folder


@pytest.mark.parametrize("arguments", [["calibrate", "--help"], ["calibrate"]])
def test_help_names_the_actions(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 0
    out = capsys.readouterr().out
    assert "usage: linepilot calibrate" in out
    assert re.search(r"^  camera ", out, re.M)


def test_the_board_is_a_page_of_pdf(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["calibrate", "board", "--paper", "Letter", "--out", str(tmp_path / "b.pdf")]) == 0
    assert (tmp_path / "b.pdf").read_bytes().startswith(b"%PDF")
    assert "at 100 %" in capsys.readouterr().out


def test_a_folder_of_pictures_becomes_a_lens(
    pictures: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "calibration.yaml"
    out.write_text("mount: {height_m: 0.25}\n")
    arguments = ["--out", str(out), "--camera-info", str(tmp_path / "ros.yaml"), "--map", str(tmp_path / "map.png")]
    assert main(["calibrate", "camera", str(pictures), *arguments]) == 0
    told = capsys.readouterr().out
    assert "cut.jpg: not a readable picture" in told
    calibration = load_config(None, [f"calibration={out}"]).calibration
    assert calibration.camera.model == "pinhole"
    assert calibration.camera.fx == pytest.approx(PINHOLE.fx, rel=0.01)
    assert calibration.mount.height_m == 0.25
    assert 0 < calibration.measured.camera.held_out_px < 0.4
    assert calibration.measured.camera.views > 8
    assert yaml.safe_load((tmp_path / "ros.yaml").read_text())["distortion_model"] == "plumb_bob"
    assert cv2.imread(str(tmp_path / "map.png")) is not None


def test_a_recording_is_watched_as_a_live_camera(
    pictures: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    recording = tmp_path / "recording"
    recording.mkdir()
    for path in pictures.glob("*.png"):
        (recording / path.name).write_bytes(path.read_bytes())
    arguments = ["--camera", f"file:{recording}", "--save", str(tmp_path / "kept"), "--out", str(tmp_path / "c.yaml")]
    assert main(["calibrate", "camera", *arguments]) == 0
    assert "views; hold the board to:" in capsys.readouterr().out
    assert len(list((tmp_path / "kept").iterdir())) > 8


def test_a_lens_of_ros_is_taken_over(tmp_path: Path) -> None:
    lens = tmp_path / "ost.yaml"
    lens.write_text(
        "{image_width: 640, image_height: 480, camera_matrix: {data: [500, 0, 320, 0, 500, 240, 0, 0, 1]},"
        " distortion_model: equidistant, distortion_coefficients: {data: [0.1, 0, 0, 0]}}"
    )
    assert main(["calibrate", "camera", str(lens), "--out", str(tmp_path / "c.yaml")]) == 0
    camera = load_config(None, [f"calibration={tmp_path / 'c.yaml'}"]).calibration.camera
    assert (camera.model, camera.fx, camera.distortion[0]) == ("fisheye", 500.0, 0.1)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["lens"], "unknown action 'lens'"),
        (["camra"], "did you mean 'camera'"),
        (["board", "--square", "60"], "does not fit on A4"),
        (["board", "--squares", "5"], "write it as 5x7"),
        (["board", "--square", "-3"], "no length in millimetres"),
        (["camera"], "give one of"),
        (["camera", "--sim", "--camera", "usb:0"], "give one of"),
        (["camera", "nowhere"], "no such folder"),
        (["camera", "."], "no pictures"),
        (["camera", ".", "--bar", "50"], "measure it again"),
        (["camera", "none.yaml"], "cannot be read"),
        (["camera", "--camera", "usb"], "says not which one"),
    ],
)
def test_bad_input_is_one_line(
    arguments: list[str], told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["calibrate", *arguments]) == 2
    err = capsys.readouterr().err
    assert told in err
    assert err.count("\n") == 1
    assert not any(tmp_path.iterdir())


def test_a_broken_calibration_is_not_written_over(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "c.yaml"
    out.write_text("mount: {hight_m: 1}\n")
    assert main(["calibrate", "camera", "--sim", "--out", str(out)]) == 2
    assert "did you mean 'calibration.mount.height_m'" in capsys.readouterr().err
    assert out.read_text() == "mount: {hight_m: 1}\n"


@pytest.mark.parametrize(("version", "told"), [(0, "measure again"), (2, "update linepilot")])
def test_a_file_of_another_version_is_told_and_kept(
    version: int, told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "c.yaml"
    out.write_text(f"version: {version}\n")
    assert main(["calibrate", "camera", "--sim", "--out", str(out)]) == 2
    err = capsys.readouterr().err
    assert told in err
    assert err.count("\n") == 1
    assert out.read_text() == f"version: {version}\n"


@pytest.mark.parametrize("line", [[], ["--line", "25"]], ids=["board", "line"])
def test_a_made_up_floor_becomes_a_mount(line: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out, grid = tmp_path / "c.yaml", tmp_path / "grid.png"
    out.write_text("camera: {width: 816, height: 616, fx: 296, fy: 292, cx: 412, cy: 300, distortion: [0, 0, 0, 0]}\n")
    assert main(["calibrate", "ground", "--sim", *line, "--out", str(out), "--grid", str(grid)]) == 0
    told = capsys.readouterr().out
    height, truth = re.search(r"height\W+([\d.]+) \(truth ([\d.]+)\) cm", told).groups()  # type: ignore[union-attr]
    assert float(height) == pytest.approx(float(truth), rel=0.03)
    calibration = load_config(None, [f"calibration={out}"]).calibration
    assert calibration.mount.height_m * 100 == pytest.approx(float(height), abs=0.01)
    assert 0 < calibration.measured.mount.error_at_half_m < calibration.measured.mount.error_at_1_m
    assert calibration.camera.fx == 296
    assert cv2.imread(str(grid)).shape == (616, 816, 3)


def test_a_made_up_floor_before_the_lens_names_the_step_that_is_missing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    where = ["--out", str(tmp_path / "c.yaml"), "--grid", str(tmp_path / "grid.png")]
    assert main(["calibrate", "ground", "--sim", *where]) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.endswith("first: linepilot calibrate camera --sim\n")
    assert not any(tmp_path.iterdir())


def test_a_straight_board_tells_where_the_camera_is_on_the_robot(tmp_path: Path) -> None:
    mount = CameraMount(height_m=0.13, pitch_rad=0.45, yaw_rad=0.05)
    c, s = np.cos(-mount.yaw_rad), np.sin(-mount.yaw_rad)
    board = BoardCamera(LARGE_FISHEYE, BOARD, rng=np.random.default_rng(0))
    corner = (0.42, 0.09)
    # Straight ahead of the robot is to the right of a camera that looks to the left.
    place = (c * corner[0] - s * corner[1], s * corner[0] + c * corner[1], -mount.yaw_rad)
    rotation, position = board_to_camera(replace(mount, yaw_rad=0.0), place)
    cv2.imwrite(str(tmp_path / "floor.png"), board.look(BoardPose(rotation=rotation, position=position)))
    out = tmp_path / "c.yaml"
    out.write_text(yaml.safe_dump({"camera": {**asdict(LARGE_FISHEYE), "distortion": list(LARGE_FISHEYE.distortion)}}))
    ahead_mm = str(round((corner[0] - 0.245 + 0.08) * 1000))
    arguments = ["--straight", "--ahead", ahead_mm, "--out", str(out), "--grid", str(tmp_path / "g.png")]
    assert main(["calibrate", "ground", str(tmp_path / "floor.png"), *arguments]) == 0
    found = load_config(None, [f"calibration={out}"]).calibration.mount
    assert found.yaw_rad == pytest.approx(mount.yaw_rad, abs=0.01)
    assert found.forward_m == pytest.approx(0.08, abs=0.005)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ([], "give one of"),
        (["none.png"], "no such picture"),
        (["--sim", "--ahead", "200"], "--straight"),
        (["--sim", "--line", "wide"], "no length in millimetres"),
        (["--camera", "usb"], "says not which one"),
        (["--sim", "--grid", "grid.txt"], "ends in .png"),
    ],
)
def test_bad_input_to_ground_is_one_line(
    arguments: list[str], told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["calibrate", "ground", *arguments]) == 2
    err = capsys.readouterr().err
    assert told in err
    assert err.count("\n") == 1
    assert not (tmp_path / "calibration.yaml").exists()


def test_a_made_up_robot_is_measured_and_then_driven(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "c.yaml"
    assert main(["calibrate", "motors", "fps=15", "--seed", "1", "--out", str(out)]) == 0
    told = capsys.readouterr().out
    for name, most in (("left to right wheel", 0.02), ("dead zone", 0.01), ("motor lag", 15.0), ("exposure to", 10.0)):
        measured, truth = re.search(rf"{name}\D+([\d.]+) \(truth ([\d.]+)\)", told).groups()  # type: ignore[union-attr]
        assert float(measured) == pytest.approx(float(truth), abs=most)
    calibration = load_config(None, [f"calibration={out}"]).calibration
    assert calibration.measured.drive.how == "simulated"
    assert 0 < calibration.measured.drive.delay_s < 0.01
    arguments = ["--track", "straight", "--picture", str(tmp_path / "d.png"), "--json", str(tmp_path / "d.json")]
    assert main(["drive", f"calibration={out}", *arguments]) == 0
    simulated_ms = json.loads((tmp_path / "d.json").read_text())["camera_to_wheel_latency_ms"]
    assert simulated_ms == pytest.approx(calibration.latency.delay_s * 1000, abs=2.0)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["motors.vehicle=ackermann"], "steers by a servo"),
        (["camera.source=usb:0", "motors.driver=dry-run", "--yes"], "with a live camera and a motor board"),
        (["camera.source=file:x", "motors.driver=motorhat", "--yes"], "with a live camera and a motor board"),
        (["--look", "moon"], "unknown look"),
        (["calibration.mount.pitch_rad=-1.4"], "too little of the floor"),
    ],
)
def test_bad_input_to_motors_is_one_line(
    arguments: list[str], told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["calibrate", "motors", *arguments]) == 2
    err = capsys.readouterr().err
    assert told in err
    assert err.count("\n") == 1
    assert not any(tmp_path.iterdir())


@pytest.mark.parametrize(("answer", "told"), [("yes\n", "nothing was moved"), ("", "give --yes")])
def test_no_real_robot_moves_without_the_words(
    answer: str, told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "stdin", io.StringIO(answer))
    assert main(["calibrate", "motors", "camera.source=usb:0", "motors.driver=motorhat"]) == 2
    assert told in capsys.readouterr().err


def test_interrupting_the_motors_writes_nothing(tmp_path: Path) -> None:
    child = subprocess.Popen(
        [sys.executable, "-m", "app.cli.main", "calibrate", "motors", "--out", str(tmp_path / "c.yaml")],
        cwd=ROOT, stdout=subprocess.PIPE, text=True, env=dict(os.environ), start_new_session=True,
    )  # fmt: skip
    assert child.stdout is not None
    assert child.stdout.readline() == "standing still\n"
    os.killpg(child.pid, signal.SIGINT)
    out, _ = child.communicate(timeout=30)
    assert child.returncode == 130
    assert out.splitlines()[-1] == "linepilot calibrate: stopped by ^C; nothing was measured"
    assert not any(tmp_path.iterdir())
