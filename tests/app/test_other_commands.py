from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from app.cli.main import main

RECORD = {
    "track", "look", "direction", "completed", "lateral_error_rms_m", "lateral_error_p95_m", "lateral_error_max_m",
    "off_line_s", "mean_speed_m_s", "lap_time_s",
}  # fmt: skip


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_bench_writes_one_record_a_run_in_order(capsys: pytest.CaptureFixture[str]) -> None:
    np.save("short.npy", np.stack([np.linspace(0, 2, 40), np.zeros(40)], axis=1))
    assert main(["bench", "--tracks", "short.npy", "--looks", "2", "model=classical", "--json", "out.json"]) == 0
    records = json.loads(Path("out.json").read_text())
    runs = [(r["track"], r["look"], r["direction"]) for r in records]
    assert runs == [
        ("short", look, way) for look in ("white-tape", "yellow-dashes") for way in ("forward", "reverse")
    ]
    assert all(set(record) >= RECORD for record in records)
    assert all(record["completed"] and record["lateral_error_rms_m"] < 0.02 for record in records)
    assert "4 of 4 completed" in capsys.readouterr().out


def test_bench_gives_the_same_numbers_in_one_process_and_in_two() -> None:
    np.save("short.npy", np.stack([np.linspace(0, 1.5, 40), np.zeros(40)], axis=1))
    for workers in ("1", "2"):
        main(["bench", "--tracks", "short.npy", "--looks", "1", "--workers", workers, "model=classical",
              "--json", f"{workers}.json"])  # fmt: skip
    assert Path("1.json").read_text() == Path("2.json").read_text()


def test_tracks_lists_and_draws(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["tracks", "oval", "random:3", "--json", "out.json", "--picture", "t.png"]) == 0
    names = [track["name"] for track in json.loads(Path("out.json").read_text())]
    assert names == ["oval", "random:3"]
    assert "oval" in capsys.readouterr().out
    assert cv2.imread("t.png") is not None


def test_synth_writes_pictures_with_labels_that_a_seed_repeats() -> None:
    for folder in ("a", "b"):
        assert main(["synth", "--count", "3", "--size", "112", "--seed", "7", "--out", folder]) == 0
    pictures = sorted(Path("a/images").iterdir())
    assert len(pictures) == 3
    assert {np.asarray(cv2.imread(str(picture))).shape for picture in pictures} == {(112, 112, 3)}
    assert Path("a/points.csv").read_text() == Path("b/points.csv").read_text()


def write_photos(folder: str) -> None:
    """Yellow lines on grey, labelled where they are, in JetBot's way."""
    Path(folder).mkdir()
    for number in range(6):
        x = 60 + 20 * number
        image = np.full((224, 224, 3), 90, np.uint8)
        cv2.line(image, (x, 0), (x, 223), (40, 200, 235), 10)
        cv2.imwrite(f"{folder}/xy_{x:03d}_150_{number}.png", image)


def test_evaluate_scores_each_folder(capsys: pytest.CaptureFixture[str]) -> None:
    write_photos("first")
    write_photos("second")
    arguments = ["first", "second", "--target", "line", "--model", "classical", "--json", "out.json"]
    assert main(["evaluate", *arguments, "--sheet", "s.jpg"]) == 0
    records = json.loads(Path("out.json").read_text())
    assert [(r["name"], r["n"]) for r in records] == [("first", 6), ("second", 6)]
    assert records[0]["lateral_error_median_px"] < 3
    assert {"rmse_px", "constant_mean_px", "colour_mean_px", "heading_error_mean_deg"} <= set(records[0])
    assert "second" in capsys.readouterr().out
    assert cv2.imread("s-first.jpg") is not None
