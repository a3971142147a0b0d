from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from control.errors import DatasetError, InputError
from control.messages import NO_LINE, LineEstimate, LinePoint
from perception.dataset import PhotoSet, read_photos
from perception.engines import open_engine
from perception.training.evaluate import evaluate, save_sheet, x_at

Image = NDArray[np.uint8]
SAMPLE = Path(__file__).parents[2] / "benchmarks" / "sample"


class Told:
    """Answers what the red value of the first pixel makes of it."""

    def __init__(self, answer: Callable[[int], LineEstimate]) -> None:
        self._answer = answer

    def estimate(self, image: Image) -> LineEstimate:
        return self._answer(int(image[0, 0, 2]))

    def close(self) -> None: ...


def line(x: float, *, confidence: float = 1.0) -> LineEstimate:
    rows = (0.8, 0.0, -0.8)
    return LineEstimate(points=tuple(LinePoint(x=x, y=y, visible=1.0) for y in rows), confidence=confidence)


def photo_set(folder: Path, table: str, *, count: int) -> PhotoSet:
    """Pictures 0.png, 1.png, ... whose red value is their number."""
    for number in range(count):
        image = np.zeros((224, 224, 3), dtype=np.uint8)
        image[..., 2] = number
        cv2.imwrite(str(folder / f"{number}.png"), image)
    (folder / "labels.csv").write_text(table)
    return read_photos(folder)


def test_x_is_interpolated_between_rows_and_held_beyond_them() -> None:
    estimate = LineEstimate(
        points=(LinePoint(x=0.0, y=0.5, visible=1.0), LinePoint(x=0.4, y=-0.5, visible=1.0)), confidence=1.0
    )
    assert [x_at(estimate, y) for y in (0.9, 0.0, -0.9)] == pytest.approx([0.0, 0.2, 0.4])


def test_rows_that_are_not_seen_do_not_count_unless_there_are_no_others() -> None:
    seen, unseen = LinePoint(x=0.0, y=0.5, visible=0.9), LinePoint(x=0.8, y=-0.5, visible=0.1)
    assert x_at(LineEstimate(points=(seen, unseen), confidence=0.5), -0.5) == 0.0
    assert x_at(LineEstimate(points=(unseen,), confidence=0.0), 0.5) == 0.8
    assert x_at(NO_LINE, 0.5) is None


def test_the_numbers_are_those_worked_out_by_hand(tmp_path: Path) -> None:
    table = "file,x_px,y_px\n0.png,112,112\n1.png,122,112\n2.png,82,112\n"
    photos = photo_set(tmp_path, table, count=3)
    score = evaluate(Told(lambda _: line(0.0)), photos, target="line", colour=Told(lambda _: line(10 / 112)))
    record = score.record()
    assert record["n"] == 3
    assert record["lateral_error_median_px"] == pytest.approx(10)
    assert record["lateral_error_mean_px"] == pytest.approx(40 / 3)
    assert record["rmse_px"] == pytest.approx((1000 / 3) ** 0.5)
    assert record["constant_mean_px"] == pytest.approx(40 / 3)
    assert record["colour_mean_px"] == pytest.approx((10 + 0 + 40) / 3)
    angles = np.degrees([0.0, np.arctan2(10, 112), np.arctan2(30, 112)])
    assert record["heading_error_mean_deg"] == pytest.approx(angles.mean())
    assert record["visibility_auc"] is None
    assert record["missed"] == 0.0
    assert "frames" not in record


def test_an_engine_that_answers_nothing_is_scored_as_straight_on_and_as_missing(tmp_path: Path) -> None:
    photos = photo_set(tmp_path, "file,x_px,y_px\n0.png,152,112\n", count=1)
    score = evaluate(Told(lambda _: NO_LINE), photos, target="line")
    assert score.lateral_error_mean_px == pytest.approx(40)
    assert score.missed == 1.0


@pytest.mark.parametrize(
    ("confidences", "wanted"), [((0.9, 0.8, 0.1, 0.2), 1.0), ((0.1, 0.2, 0.9, 0.8), 0.0), ((0.5, 0.5, 0.5, 0.5), 0.5)]
)
def test_visibility_auc_ranks_frames_with_a_line_above_those_without(
    tmp_path: Path, confidences: tuple[float, ...], wanted: float
) -> None:
    photos = photo_set(tmp_path, "file,visible\n0.png,1\n1.png,1\n2.png,0\n3.png,0\n", count=4)
    engine = Told(lambda number: line(0.0, confidence=confidences[number]))
    score = evaluate(engine, photos, target="line")
    assert score.visibility_auc == wanted
    assert score.lateral_error_mean_px is None
    assert score.constant_mean_px is None


def test_an_empty_set_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DatasetError):
        evaluate(Told(lambda _: NO_LINE), PhotoSet(name="x", folder=tmp_path, photos=()), target="line")


def test_the_colour_engine_beats_the_constant_answer_on_yellow_tape() -> None:
    score = evaluate(open_engine("classical"), read_photos(SAMPLE / "automa_C"), target="line")
    assert score.lateral_error_median_px is not None
    assert score.lateral_error_median_px < 12
    assert score.lateral_error_mean_px is not None
    assert score.constant_mean_px is not None
    assert score.lateral_error_mean_px < score.constant_mean_px


def test_a_sheet_of_frames_is_written_and_is_the_same_for_the_same_seed(tmp_path: Path) -> None:
    photos = read_photos(SAMPLE / "automa_C")
    score = evaluate(open_engine("classical"), photos, target="line")
    for name in ("a.png", "b.png"):
        save_sheet(score, tmp_path / name, rng=np.random.default_rng(5), worst=3, others=4)
    sheet = cv2.imread(str(tmp_path / "a.png"))
    assert sheet is not None
    assert sheet.shape == (2 * 224, 6 * 224, 3)
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()
    with pytest.raises(InputError, match=r"\.jpg"):
        save_sheet(score, tmp_path / "a.txt", rng=np.random.default_rng(5))
