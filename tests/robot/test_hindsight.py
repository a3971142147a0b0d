from __future__ import annotations

from dataclasses import replace
from math import cos, pi, sin
from types import SimpleNamespace

import numpy as np
import pytest

from calibration.profile import Calibration, Latency
from calibration.projection import GroundProjection
from control.errors import SessionError
from control.messages import DriveCommand
from robot.sessions.hindsight import Pose, aside_at, driven, image_points, path_ahead, true_line, true_poses
from robot.sessions.session_tick import RecordedTruth, SessionTick

FPS = 30
PROMPT = replace(Calibration(), latency=Latency(delay_s=0.04, camera_s=0.04, motor_lag_s=0.0))
PROJECTION = GroundProjection(PROMPT.camera, PROMPT.mount)


def tick(number: int, *, speed: float, curvature: float, truth: RecordedTruth | None = None) -> SessionTick:
    """Only what hindsight reads."""
    now_s = number / FPS
    return SimpleNamespace(  # type: ignore[return-value]
        now_s=now_s, exposed_s=now_s, frame_index=number, truth=truth,
        verdict=SimpleNamespace(command=DriveCommand(speed_mps=speed, curvature_1pm=curvature)),
    )  # fmt: skip


def drive(seconds: float, *, speed: float = 0.4, curvature: float = 0.0) -> list[SessionTick]:
    return [tick(i, speed=speed, curvature=curvature) for i in range(round(seconds * FPS))]


def test_the_path_is_the_circle_that_was_commanded() -> None:
    found = driven(drive(2.0, curvature=2.0), PROMPT)
    radius = 0.5
    for i in (10, 30, 50):
        pose = found.poses[i]
        assert pose.heading == pytest.approx(2.0 * 0.4 * pose.time_s, abs=0.02)
        assert (pose.x, pose.y) == pytest.approx(
            (radius * sin(pose.heading), radius * (1 - cos(pose.heading))), abs=0.003
        )


def test_commands_take_effect_after_the_delay_and_the_lag() -> None:
    late = replace(PROMPT, latency=Latency(delay_s=0.24, camera_s=0.04, motor_lag_s=0.1))
    prompt, slow = (driven(drive(2.0), calibration).poses[-1].x for calibration in (PROMPT, late))
    assert prompt - slow == pytest.approx(0.4 * (0.2 + 0.1), abs=0.01)


def test_a_straight_drive_labels_the_middle_column() -> None:
    found = driven(drive(3.0), PROMPT)
    points = image_points(path_ahead(found.poses, 0), PROJECTION)
    assert len(points) > 5
    assert [x for x, _ in points] == pytest.approx([0.0] * len(points), abs=0.01)
    assert [y for _, y in points] == sorted((y for _, y in points), reverse=True)


def test_a_left_bend_is_labelled_to_the_left_and_more_so_far_away() -> None:
    points = image_points(path_ahead(driven(drive(2.5, curvature=1.0), PROMPT).poses, 0), PROJECTION)
    assert points[-1][0] < points[0][0] < 0.01


def test_rows_beyond_the_end_of_the_path_stay_without_a_label() -> None:
    poses = driven(drive(3.0), PROMPT).poses
    whole, end = (image_points(path_ahead(poses, i), PROJECTION) for i in (0, len(poses) - 15))
    assert len(end) < len(whole)
    assert image_points(path_ahead(poses, len(poses) - 3), PROJECTION) == []


def test_what_comes_after_a_turn_or_a_pause_is_another_stretch() -> None:
    straight = [Pose(time_s=i / FPS, x=i * 0.02, y=0.0, heading=0.0) for i in range(20)]
    turned = [replace(pose, time_s=pose.time_s + 1, x=0.4, heading=pi / 2) for pose in straight]
    assert path_ahead([*straight, *turned], 0)[-1] == pytest.approx((0.38, 0.0), abs=0.01)
    late = [replace(pose, time_s=pose.time_s + 9, x=pose.x + 0.4) for pose in straight]
    assert path_ahead([*straight, *late], 0)[-1] == pytest.approx((0.38, 0.0), abs=0.01)


def test_standing_still_says_nothing() -> None:
    assert image_points(path_ahead(driven(drive(2.0, speed=0.0), PROMPT).poses, 0), PROJECTION) == []


def test_the_true_line_lies_beside_the_true_path() -> None:
    ticks = [
        tick(i, speed=0.4, curvature=0.0, truth=RecordedTruth(
            x=i * 0.01, y=0.03, heading_rad=0.0, speed_mps=0.4, lateral_error_m=0.03, heading_error_rad=0.0,
            along_m=0.0, distance_m=0.0, off_line=False,
        )) for i in range(60)
    ]  # fmt: skip
    numbers = range(60)
    poses = true_poses(ticks, numbers)
    assert poses is not None
    line = true_line(ticks, poses)
    assert max(abs(pose.y) for pose in line) < 1e-9
    beside = path_ahead([poses[0], *line[1:]], 0)[1:]
    assert aside_at(beside, 0.3) == pytest.approx(-0.03)
    assert aside_at(beside, 3.0) is None


def test_the_floor_s_word_replaces_that_of_wheels_that_slip() -> None:
    rng = np.random.default_rng(0)
    floor = rng.integers(0, 255, (400, 1200), dtype=np.uint8)
    floor = np.repeat(np.repeat(floor, 2, axis=0), 2, axis=1)
    axis = np.linspace(-1, 1, 224)
    points = np.stack(np.meshgrid(axis, axis), axis=-1).reshape(-1, 2)
    ground = PROJECTION.to_ground(points)

    def picture(x_m: float) -> np.ndarray:
        """The floor seen from ``x_m`` further on, 2 mm a pixel."""
        column = np.nan_to_num((ground[:, 0] + x_m) / 0.002, nan=0).astype(int) % floor.shape[1]
        row = np.nan_to_num(ground[:, 1] / 0.002 + 400, nan=0).astype(int) % floor.shape[0]
        return np.repeat(floor[row, column].reshape(224, 224, 1), 3, axis=2)

    really = 0.8 * 0.4 / FPS
    ticks = drive(0.5)
    found = driven(ticks, PROMPT, pictures=lambda i: picture(i * really))
    assert found.watched > 8
    moved = (found.poses[-1].x - found.poses[3].x) / (len(ticks) - 4)
    assert moved == pytest.approx(really, rel=0.06)


def test_a_session_without_pictures_is_refused() -> None:
    with pytest.raises(SessionError, match="two pictures"):
        driven([], PROMPT)
