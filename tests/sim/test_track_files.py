from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from control.errors import TrackError
from sim.tracks.file import load_track
from sim.tracks.library import LAYOUTS, find_track, find_tracks, shipped_names, track_names

ANGLES = np.linspace(0, 2 * np.pi, 60)
CIRCLE = np.stack([np.cos(ANGLES), np.sin(ANGLES)], axis=1)


def saved(folder: Path, data: NDArray[np.generic], name: str = "mine.npy") -> Path:
    np.save(folder / name, data)
    return folder / name


def test_a_repeated_end_point_closes_the_track(tmp_path: Path) -> None:
    track = load_track(saved(tmp_path, CIRCLE))
    assert track.closed
    assert len(track.center) == len(CIRCLE) - 1
    assert track.name == "mine"


def test_ends_one_step_apart_close_the_track(tmp_path: Path) -> None:
    track = load_track(saved(tmp_path, CIRCLE[:-1]))
    assert track.closed
    assert track.length_m == pytest.approx(2 * np.pi, rel=0.01)


def test_ends_far_apart_leave_it_open(tmp_path: Path) -> None:
    assert not load_track(saved(tmp_path, CIRCLE[:40])).closed


def test_zero_length_segments_are_dropped(tmp_path: Path) -> None:
    track = load_track(saved(tmp_path, np.repeat(CIRCLE, 3, axis=0)))
    assert len(track.center) == len(CIRCLE) - 1


def test_six_columns_bring_borders_and_width(tmp_path: Path) -> None:
    track = load_track(saved(tmp_path, np.hstack([CIRCLE, CIRCLE * 0.8, CIRCLE * 1.2])))
    assert track.width_m == pytest.approx(0.4)
    assert track.inner is not None
    assert track.outer is not None


def test_integers_and_float32_are_read(tmp_path: Path) -> None:
    square = np.array([[0, 0], [3, 0], [3, 3], [0, 3], [0, 0]])
    assert load_track(saved(tmp_path, square)).length_m == pytest.approx(12)
    assert load_track(saved(tmp_path, CIRCLE.astype(np.float32))).closed


BAD = {
    "nan": (np.where(np.arange(120).reshape(60, 2) == 21, np.nan, CIRCLE), "row 10 "),
    "infinite": (np.where(np.arange(120).reshape(60, 2) == 20, np.inf, CIRCLE), "row 10 "),
    "three columns": (np.ones((10, 3)), "shape"),
    "flat": (np.ones(10), "shape"),
    "too few": (CIRCLE[:2], "2 points"),
    "no points": (np.empty((0, 2)), "0 points"),
    "all the same": (np.ones((10, 2)), "across"),
    "two places": (np.repeat([[0.0, 0.0], [1.0, 0.0]], 5, axis=0), "different points"),
    "kilometres": (CIRCLE * 1e6, "metres"),
    "text": (np.array([["a", "b"]] * 5), "numbers"),
    "complex": (CIRCLE + 1j, "numbers"),
    "truth values": (CIRCLE > 0, "numbers"),
    "longer than a float": (CIRCLE.astype(np.longdouble) * np.longdouble("1e4000"), "row 0 "),
}


@pytest.mark.parametrize("kind", BAD)
def test_a_malformed_file_is_refused_in_one_line(kind: str, tmp_path: Path) -> None:
    data, told = BAD[kind]
    with pytest.raises(TrackError, match=told) as caught:
        load_track(saved(tmp_path, data))
    assert "mine.npy" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_pickle_is_refused_and_not_run(tmp_path: Path) -> None:
    np.save(tmp_path / "mine.npy", np.array([{"run": "me"}], dtype=object), allow_pickle=True)
    with pytest.raises(TrackError, match=r"mine\.npy"):
        load_track(tmp_path / "mine.npy")


def test_a_file_of_something_else_is_refused_without_advice_to_run_it(tmp_path: Path) -> None:
    (tmp_path / "mine.npy").write_bytes(b"hello")
    with pytest.raises(TrackError, match="not a plain") as caught:
        load_track(tmp_path / "mine.npy")
    assert "pickle" not in str(caught.value)


@pytest.mark.parametrize("digits", [10, 30])
def test_a_file_that_claims_more_than_fits_into_memory_is_refused(digits: int, tmp_path: Path) -> None:
    path = saved(tmp_path, np.zeros((9, 2)))
    content = path.read_bytes()
    padding = b" " * (digits - 1)
    path.write_bytes(content.replace(b"(9, 2), }" + padding, b"(" + b"9" * digits + b", 2), }"))
    assert path.stat().st_size == len(content)
    with pytest.raises(TrackError, match=r"mine\.npy"):
        load_track(path)


def test_a_pipe_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "mine.npy")
    with pytest.raises(TrackError, match="is a pipe"):
        load_track(tmp_path / "mine.npy")


def test_an_open_line_too_short_to_be_driven_is_refused(tmp_path: Path) -> None:
    line = np.stack([np.linspace(0.0, 0.4, 9), np.zeros(9)], axis=1)
    with pytest.raises(TrackError, match=r"0\.40 m"):
        load_track(saved(tmp_path, line))
    assert not load_track(saved(tmp_path, line * 2)).closed


def test_many_arrays_in_one_file_are_refused(tmp_path: Path) -> None:
    with (tmp_path / "mine.npy").open("wb") as file:
        np.savez(file, a=CIRCLE)
    with pytest.raises(TrackError, match=r"mine\.npy"):
        load_track(tmp_path / "mine.npy")


@pytest.mark.parametrize("keep", [0, 5, 100, 900])
def test_a_truncated_file_is_refused(keep: int, tmp_path: Path) -> None:
    path = saved(tmp_path, CIRCLE)
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(TrackError, match=r"mine\.npy") as caught:
        load_track(path)
    assert "\n" not in str(caught.value)


def test_missing_files_and_folders_are_told(tmp_path: Path) -> None:
    with pytest.raises(TrackError, match="no such"):
        load_track(tmp_path / "nothing.npy")
    with pytest.raises(TrackError, match="cannot be read"):
        load_track(tmp_path)


EIGHT = np.stack([np.sin(ANGLES + 0.05), np.sin(2 * ANGLES + 0.1) / 2], axis=1)
OVERLAPS = {
    "crossing": EIGHT,
    "two laps": np.vstack([CIRCLE, CIRCLE[1:]]),
    "there and back": np.vstack([CIRCLE[:30], CIRCLE[28::-1] * 1.0]),
    "loop on an open track": np.vstack([[[-3.0, -1.0]], np.roll(CIRCLE[:-1], 15, axis=0), [[3.0, -1.05]]]),
}


@pytest.mark.parametrize("kind", OVERLAPS)
def test_a_line_over_itself_is_refused(kind: str, tmp_path: Path) -> None:
    with pytest.raises(TrackError, match="overlaps itself near"):
        load_track(saved(tmp_path, OVERLAPS[kind]))


def test_a_declared_crossing_is_taken(tmp_path: Path) -> None:
    assert load_track(saved(tmp_path, EIGHT), crossing=True).crossing


def test_all_sixteen_layouts_are_shipped_with_their_licence() -> None:
    assert len(shipped_names()) == 16
    assert any("Apache" in path.read_text() for path in LAYOUTS.glob("LICENSE*"))


def test_an_unknown_name_is_answered_with_the_nearest() -> None:
    with pytest.raises(TrackError, match="did you mean 'reInvent2019_track'"):
        find_track("reinvent2019_trak")
    with pytest.raises(TrackError, match="figure-eight"):
        find_track("figure_eight")
    with pytest.raises(TrackError, match="known are"):
        find_track("zzzzqqq")


@pytest.mark.parametrize("name", ["random:", "random:" + "9" * 5000, "random:x", "random:-1", "random:1.5", "random:²"])
def test_a_bad_seed_is_told(name: str) -> None:
    with pytest.raises(TrackError, match="whole number"):
        find_track(name)


def test_folders_lists_and_all_are_understood(tmp_path: Path) -> None:
    saved(tmp_path, CIRCLE, "b.npy")
    saved(tmp_path, CIRCLE, "a.npy")
    assert [track.name for track in find_tracks(tmp_path)] == ["a", "b"]
    assert [track.name for track in find_tracks("oval, random:3")] == ["oval", "random:3"]
    assert len(find_tracks("all")) == 16


def test_empty_folders_and_lists_are_told(tmp_path: Path) -> None:
    with pytest.raises(TrackError, match=r"no \.npy"):
        find_tracks(tmp_path)
    with pytest.raises(TrackError, match="no track given"):
        find_tracks(" , ")
    with pytest.raises(TrackError, match="is a folder"):
        find_track(tmp_path)


def test_scale_shrinks_to_a_table() -> None:
    assert find_track("Monaco", scale=0.1).length_m == pytest.approx(find_track("Monaco").length_m / 10)


def test_names_are_unique() -> None:
    assert len(set(track_names())) == len(track_names())
