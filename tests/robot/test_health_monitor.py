from __future__ import annotations

from math import inf

import numpy as np
import pytest

from robot.cameras.source import Frame, Image
from robot.drive.health import HealthMonitor, PictureCheck

RNG = np.random.default_rng(0)


def noisy(level: float) -> Image:
    return np.clip(RNG.normal(level, 2, (64, 64, 3)), 0, 255).astype(np.uint8)


def frame(index: int, stamp_s: float, image: Image | None = None) -> Frame:
    return Frame(image=noisy(120) if image is None else image, stamp_s=stamp_s, index=index)


def test_a_picture_that_changes_is_good() -> None:
    check = PictureCheck()
    assert all(check.is_good(noisy(120)) for _ in range(5))


def test_the_same_bytes_again_are_a_frozen_picture() -> None:
    check, image = PictureCheck(), noisy(120)
    assert check.is_good(image)
    assert not check.is_good(image.copy())
    assert check.is_good(noisy(120))


def test_one_other_pixel_anywhere_is_not_frozen() -> None:
    check, image = PictureCheck(), noisy(120)
    check.is_good(image)
    other = image.copy()
    other[33, 41, 1] ^= 1
    assert check.is_good(other)


def test_another_size_is_not_frozen() -> None:
    check = PictureCheck()
    check.is_good(np.full((64, 64, 3), 100, np.uint8))
    assert check.is_good(np.full((32, 64, 3), 100, np.uint8))


@pytest.mark.parametrize(("level", "good"), [(1, False), (30, True), (120, True), (240, True), (254, False)])
def test_black_and_over_exposed_pictures_are_bad(level: float, good: bool) -> None:
    assert PictureCheck().is_good(noisy(level)) is good


def test_age_counts_from_arrival_until_now() -> None:
    health = HealthMonitor(fps=30).read(frame(0, 10.0), confidence=0.7, now_s=10.03)
    assert health.frame_age_s == pytest.approx(0.03)
    assert health.line_confidence == 0.7
    assert health.picture_ok


def test_without_a_frame_the_last_one_ages() -> None:
    monitor = HealthMonitor(fps=30)
    assert monitor.without_frame(now_s=10.0).frame_age_s == inf
    monitor.read(frame(0, 10.0), confidence=1.0, now_s=10.0)
    assert monitor.without_frame(now_s=10.2).frame_age_s == pytest.approx(0.2)
    assert not monitor.without_frame(now_s=10.2, camera_ok=False).camera_ok


def dropped(indices: list[int], *, camera_fps: float, fps: float) -> float:
    monitor = HealthMonitor(fps=fps)
    return [
        monitor.read(frame(i, i / camera_fps), confidence=1.0, now_s=i / camera_fps).dropped_fraction for i in indices
    ][-1]


def test_gaps_in_the_numbers_are_dropped_frames() -> None:
    assert dropped(list(range(60)), camera_fps=30, fps=30) == 0
    assert dropped(list(range(0, 60, 2)), camera_fps=30, fps=30) == pytest.approx(0.5, abs=0.02)


def test_frames_that_were_not_wanted_are_not_dropped() -> None:
    assert dropped(list(range(0, 120, 2)), camera_fps=60, fps=30) == 0


def test_a_slow_camera_drops_nothing() -> None:
    assert dropped(list(range(30)), camera_fps=10, fps=30) == 0


def test_old_gaps_are_forgotten() -> None:
    gap_then_good = [0, 5, *range(6, 200)]
    assert dropped(gap_then_good[:10], camera_fps=30, fps=30) > 0.2
    assert dropped(gap_then_good, camera_fps=30, fps=30) == 0


@pytest.mark.parametrize(("level", "good"), [(5, False), (6, True), (249, True), (250, False)])
def test_black_and_white_have_their_limits(level: int, good: bool) -> None:
    assert PictureCheck().is_good(np.full((64, 64, 3), level, np.uint8)) is good


@pytest.mark.parametrize(("later_s", "counted"), [(2.9, True), (3.1, False)])
def test_a_dropped_frame_counts_for_three_seconds(later_s: float, counted: bool) -> None:
    monitor = HealthMonitor(fps=30.0)
    monitor.read(frame(1, 100.0), confidence=1.0, now_s=100.0)
    dropped_s = 100.0 + 2 / 30
    monitor.read(frame(3, dropped_s), confidence=1.0, now_s=dropped_s)
    health = monitor.read(frame(4, dropped_s + later_s), confidence=1.0, now_s=dropped_s + later_s)
    assert (health.dropped_fraction > 0) is counted


def test_without_a_frame_nothing_is_said_of_what_was_not_seen() -> None:
    health = HealthMonitor(fps=30.0).without_frame(now_s=5.0)
    assert health.frame_age_s == inf
    assert health.line_confidence == 1.0
    assert health.picture_ok
    assert health.camera_ok
    assert health.dropped_fraction == 0.0
    assert not health.emergency_stop


def test_a_frame_speaks_for_its_camera() -> None:
    assert HealthMonitor(fps=30.0).read(frame(1, 100.0), confidence=1.0, now_s=100.0).camera_ok
