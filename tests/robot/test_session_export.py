from __future__ import annotations

import resource
from pathlib import Path

import cv2
import pytest
import session_ticks as made

from control.errors import InputError
from control.messages import LineEstimate, LinePoint
from perception.dataset import read_photos
from robot.sessions.photos import export_photos
from robot.sessions.reader import SessionReader
from robot.sessions.video import export_video
from robot.sessions.writer import SessionWriter


def test_photographs_are_read_back_with_the_point_that_was_followed(tmp_path: Path) -> None:
    path = made.write_session(tmp_path / "my_drive.mcap", 20)
    done = export_photos(SessionReader(path), tmp_path / "photos", every=5)
    assert (done.written, done.unsure) == (4, 0)
    photos = read_photos(tmp_path / "photos")
    assert photos.photos[0].path.name == "xy_040_036_my-drive-000000.jpg"
    picture, label = photos.photos[0].read()
    assert picture.shape == (48, 64, 3)
    assert label is not None
    assert (label.x, label.y) == (0.25, 0.5)
    # The very bytes that were recorded.
    assert photos.photos[0].path.read_bytes() == next(made.frames(path)).jpeg


def test_pictures_without_a_sure_line_or_with_it_outside_are_left_out(tmp_path: Path) -> None:
    writer = SessionWriter(tmp_path / "a.mcap", header=made.HEADER)
    outside = LinePoint(x=1.4, y=0.5, visible=1.0)
    sure, unsure = made.session_tick(0, image=made.picture(0)), made.session_tick(1, image=made.picture(1))
    object.__setattr__(unsure, "estimate", LineEstimate(points=(), confidence=0.2))
    for tick in (sure, unsure, made.session_tick(2, image=made.picture(2), target=outside), made.session_tick(3)):
        writer.write(tick)
    writer.close()
    done = export_photos(SessionReader(tmp_path / "a.mcap"), tmp_path / "photos")
    assert (done.written, done.unsure) == (1, 2)


def test_a_video_lasts_as_long_as_the_drive_and_shows_the_line(tmp_path: Path) -> None:
    path = made.write_session(tmp_path / "a.mcap", 31)
    assert export_video(SessionReader(path), tmp_path / "a.mp4", fps=60) == 31
    video = cv2.VideoCapture(str(tmp_path / "a.mp4"))
    assert video.get(cv2.CAP_PROP_FPS) == 60
    # A second at twice the rate of the pictures, and the last one.
    assert video.get(cv2.CAP_PROP_FRAME_COUNT) == pytest.approx(61, abs=1)
    there, image = video.read()
    assert there
    assert image.shape == (480, 640, 3)
    # The followed point in red at three quarters, half way down the lower half.
    ring = image[340:380, 380:420].astype(int)
    assert (ring[..., 2] - ring[..., 1]).max() > 80
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.mcap", "a.mp4"]


def test_a_video_that_the_disk_did_not_take_whole_is_refused_and_removed(tmp_path: Path) -> None:
    path = made.write_session(tmp_path / "drive.mcap", 31)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    # As a full disk: a write beyond it fails.
    resource.setrlimit(resource.RLIMIT_FSIZE, (2000, before[1]))
    try:
        with pytest.raises(InputError, match="cut short"):
            export_video(SessionReader(path), tmp_path / "a.mp4")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert [p.name for p in tmp_path.iterdir()] == ["drive.mcap"]


def test_what_cannot_be_made_a_video_of_is_told(tmp_path: Path) -> None:
    writer = SessionWriter(tmp_path / "blind.mcap", header=made.HEADER)
    writer.write(made.session_tick(0))
    writer.close()
    with pytest.raises(InputError, match="no picture"):
        export_video(SessionReader(tmp_path / "blind.mcap"), tmp_path / "a.mp4")
    with pytest.raises(InputError, match=r"an \.mp4 file"):
        export_video(SessionReader(tmp_path / "blind.mcap"), tmp_path / "a.avi")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["blind.mcap"]
