from __future__ import annotations

import os
import struct
import time
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest

from control.errors import CameraError, InputError
from robot.cameras.file import FileCamera


def write_pictures(folder: Path, count: int) -> Path:
    folder.mkdir(exist_ok=True)
    for number in range(count):
        cv2.imwrite(str(folder / f"{number:03d}.png"), np.full((8, 10, 3), 10 * number, np.uint8))
    return folder


def write_video(path: Path, *, count: int, fps: float) -> Path:
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), fps, (64, 48))
    for number in range(count):
        writer.write(np.full((48, 64, 3), 10 * number, np.uint8))
    writer.release()
    return path


def levels(camera: FileCamera) -> list[int]:
    return [round(float(frame.image.mean())) for frame in camera.frames(timeout_s=1)]


def test_a_folder_is_played_in_the_order_of_its_names(tmp_path: Path) -> None:
    with FileCamera(write_pictures(tmp_path / "f", 5)) as camera:
        assert levels(camera) == [0, 10, 20, 30, 40]


def test_other_files_in_the_folder_are_passed_over(tmp_path: Path) -> None:
    folder = write_pictures(tmp_path / "f", 2)
    (folder / "labels.csv").write_text("x")
    (folder / "._000.png").write_text("what some computers leave behind")
    with FileCamera(folder) as camera:
        assert levels(camera) == [0, 10]


def test_a_video_is_played_whole_at_its_own_rate(tmp_path: Path) -> None:
    with FileCamera(write_video(tmp_path / "v.avi", count=6, fps=20), fps=30) as camera:
        frames = list(camera.frames(timeout_s=1))
    assert [f.index for f in frames] == list(range(6))
    assert [f.stamp_s for f in frames] == pytest.approx([i / 20 for i in range(6)])
    assert frames[5].image.mean() == pytest.approx(50, abs=3)


def test_the_recording_is_its_own_clock(tmp_path: Path) -> None:
    with FileCamera(write_pictures(tmp_path / "f", 4), fps=10) as camera:
        ages = [camera.now_s() - frame.stamp_s for frame in camera.frames(timeout_s=1)]
        assert camera.now_s() == pytest.approx(0.3)
    assert ages == [0, 0, 0, 0]


def test_in_real_time_a_slow_loop_misses_frames_as_with_a_live_camera(tmp_path: Path) -> None:
    time_s = [50.0]
    path = write_video(tmp_path / "v.avi", count=12, fps=10)
    seen: list[tuple[int, int]] = []
    with FileCamera(path, realtime=True, monotonic=lambda: time_s[0]) as camera:
        for frame in camera.frames(timeout_s=1):
            seen.append((frame.index, round(float(frame.image.mean()))))
            assert frame.stamp_s == time_s[0]
            time_s[0] += 0.36
    assert [index for index, _ in seen] == [0, 3, 7, 10]
    assert all(abs(level - 10 * index) <= 3 for index, level in seen)


def test_in_real_time_the_rate_is_kept(tmp_path: Path) -> None:
    with FileCamera(write_pictures(tmp_path / "f", 8), fps=200, realtime=True) as camera:
        began_s = time.monotonic()
        seen = [(frame.index, frame.stamp_s) for frame in camera.frames(timeout_s=1)]
    # Frames may come late on a busy machine, or be passed over, but never before they are due.
    assert all(stamp_s - began_s >= index / 200 - 1e-3 for index, stamp_s in seen)


@pytest.mark.parametrize("name", ["nothing.mp4", "text.mp4", "cut.avi", "empty", "pipe.mp4"])
def test_what_cannot_be_read_is_refused_in_one_line_that_names_it(tmp_path: Path, name: str) -> None:
    (tmp_path / "text.mp4").write_text("this is no video")
    (tmp_path / "cut.avi").write_bytes(write_video(tmp_path / "v.avi", count=5, fps=10).read_bytes()[:200])
    (tmp_path / "empty").mkdir()
    os.mkfifo(tmp_path / "pipe.mp4")
    with pytest.raises(InputError, match=name) as caught:
        FileCamera(tmp_path / name)
    assert "\n" not in str(caught.value)


def test_a_broken_picture_names_itself(tmp_path: Path) -> None:
    folder = write_pictures(tmp_path / "f", 3)
    (folder / "001.png").write_bytes((folder / "001.png").read_bytes()[:20])
    with FileCamera(folder) as camera, pytest.raises(InputError, match=r"001\.png"):
        list(camera.frames(timeout_s=1))


def test_a_picture_that_claims_more_pixels_than_can_be_read_names_itself(tmp_path: Path) -> None:
    folder = write_pictures(tmp_path / "f", 3)
    content = bytearray((folder / "001.png").read_bytes())
    content[16:24] = struct.pack(">II", 60_000, 60_000)
    content[29:33] = struct.pack(">I", zlib.crc32(content[12:29]))
    (folder / "001.png").write_bytes(content)
    with FileCamera(folder) as camera, pytest.raises(InputError, match=r"001\.png"):
        list(camera.frames(timeout_s=1))


def test_a_closed_recording_says_so(tmp_path: Path) -> None:
    camera = FileCamera(write_pictures(tmp_path / "f", 3))
    camera.close()
    camera.close()
    with pytest.raises(CameraError, match="closed"):
        next(camera.frames(timeout_s=1))


def test_it_says_how_many_pictures_there_are(tmp_path: Path) -> None:
    with FileCamera(write_pictures(tmp_path / "f", 5)) as camera:
        assert camera.length == 5
    with FileCamera(write_video(tmp_path / "clip.avi", count=7, fps=30)) as camera:
        assert camera.length == 7
