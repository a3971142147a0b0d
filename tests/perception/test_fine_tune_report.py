from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from control.messages import LineEstimate, LinePoint
from perception.dataset import LabelledPhoto, PhotoSet
from perception.dataset.card import DataSetCard, Source
from perception.look_ahead import ROWS
from perception.metadata import xy_metadata
from perception.training.evaluate import SetScore, by_session, evaluate
from perception.training.fine_tune_report import Comparison, reliability_text, session_rows
from perception.training.model_card import LearntFrom, Origin, write_model_card
from perception.training.reliability import reliability


class Sayer:
    """Answers in turn with these x, told with this spread, in image units."""

    def __init__(self, xs: list[float], *, spread: list[float] | float, visible: float = 1.0) -> None:
        self._xs, self._visible = iter(xs), visible
        self._spreads = iter([spread] * len(xs) if isinstance(spread, float) else spread)

    def estimate(self, image: object) -> LineEstimate:
        x, spread = next(self._xs), next(self._spreads)
        points = tuple(LinePoint(x=x, y=y, visible=self._visible, spread=spread) for y in ROWS)
        return LineEstimate(points=points, confidence=self._visible)

    def close(self) -> None: ...


def middles(folder: Path, count: int, *, session: str = "0") -> list[LabelledPhoto]:
    """Pictures that are labelled at x = 0."""
    path = folder / f"{session}.png"
    cv2.imwrite(str(path), np.zeros((32, 32, 3), np.uint8))
    return [LabelledPhoto(path=path, raws=((16.0, 16.0),), session=session) for _ in range(count)]


def scored(photos: list[LabelledPhoto], sayer: Sayer) -> SetScore:
    return evaluate(sayer, PhotoSet(name="s", folder=Path(), photos=tuple(photos)), target="line")


def off_by(spread: float, count: int, *, seed: int = 0) -> list[float]:
    return np.random.default_rng(seed).normal(0, spread, count).tolist()


def test_a_spread_that_is_the_error_has_the_factor_one(tmp_path: Path) -> None:
    spreads = [0.02] * 200 + [0.1] * 200
    xs = off_by(0.02, 200) + off_by(0.1, 200)
    found = reliability(scored(middles(tmp_path, 400), Sayer(xs, spread=spreads)))
    assert found is not None
    assert found.factor == pytest.approx(1.0, abs=0.1)
    assert [group.count for group in found.groups] == [80] * 5
    for group in found.groups:
        assert group.within_one == pytest.approx(0.68, abs=0.12)
    assert found.groups[0].real_px == pytest.approx(0.02 * 112, rel=0.3)
    assert found.groups[-1].real_px == pytest.approx(0.1 * 112, rel=0.3)


def test_a_model_that_is_too_sure_of_itself_has_a_factor_above_one(tmp_path: Path) -> None:
    found = reliability(scored(middles(tmp_path, 300), Sayer(off_by(0.15, 300), spread=0.05)))
    assert found is not None
    assert found.factor == pytest.approx(3.0, rel=0.15)
    assert found.groups[0].within_two < 0.7


def test_rows_that_are_said_not_to_show_the_line_are_told_apart(tmp_path: Path) -> None:
    found = reliability(scored(middles(tmp_path, 6), Sayer([0.5] * 6, spread=0.1, visible=0.1)))
    assert found is not None
    assert found.seen is None
    assert found.unseen is not None
    assert found.unseen.real_px == pytest.approx(56.0)


@pytest.mark.parametrize(("count", "spread"), [(3, 0.1), (30, 0.0)])
def test_too_few_points_or_no_spread_is_said_and_not_guessed(count: int, spread: float, tmp_path: Path) -> None:
    score = scored(middles(tmp_path, count), Sayer([0.1] * count, spread=spread))
    assert reliability(score) is None
    assert "not measured" in reliability_text(score)


def two_drives(folder: Path) -> Comparison:
    photos = [*middles(folder, 2, session="a|1"), *middles(folder, 2, session="b")]
    before = scored(photos, Sayer([0.5] * 4, spread=0.1))
    return Comparison(
        on="on validation sessions", before=before, after=scored(photos, Sayer([0, 0, 0.25, 0.25], spread=0.1))
    )


def test_each_session_is_scored_for_itself(tmp_path: Path) -> None:
    comparison = two_drives(tmp_path)
    assert session_rows(comparison) == [
        ("a|1", "1", "56.0", "0.0", "56.0", "0.0"), ("b", "1", "56.0", "28.0", "56.0", "28.0"),
    ]  # fmt: skip
    assert [len(s.frames) for s in by_session(comparison.after)] == [2, 2]


def test_one_session_needs_no_table_of_sessions(tmp_path: Path) -> None:
    score = scored(middles(tmp_path, 2), Sayer([0.1] * 2, spread=0.1))
    assert session_rows(Comparison(on="", before=score, after=score)) == []


def card(folder: Path, *, held: list[LabelledPhoto], best: int = 3) -> str:
    model = folder / "model.safetensors"
    model.write_bytes(b"weights")
    source = Source(format="jetbot", place="/home/somebody/dataset_xy", pictures=7, license="CC BY 4.0")
    origin = Origin(folder=folder / "track", card=DataSetCard(sources=(source,)))
    path = write_model_card(
        model, metadata=xy_metadata(categories=1, channel_order="bgr"), start="line.safetensors", target="line",
        recipe={"seed": 11, "best at step": best}, comparison=two_drives(folder),
        learnt=LearntFrom(train=middles(folder, 3), validation=held, origins=[origin]),
    )  # fmt: skip
    return path.read_text()


def test_the_card_tells_data_recipe_seed_and_results(tmp_path: Path) -> None:
    text = card(tmp_path, held=middles(tmp_path, 2, session="b"))
    for said in (
        "| seed | 11 |",
        "7 pictures as jetbot (CC BY 4.0)",
        "| 0 | 3 | 0 |",
        "| b | 0 | 2 |",
        "a\\|1",
        "sha256",
    ):
        assert said in text
    assert "/home/somebody" not in text


def test_the_card_s_limits_follow_from_the_data(tmp_path: Path) -> None:
    assert "No picture was kept for validation" in card(tmp_path, held=[])
    same = card(tmp_path, held=middles(tmp_path, 2))
    assert "of a drive it learnt from" in same
    assert "without a line" in same
    other = card(tmp_path, held=middles(tmp_path, 2, session="b"))
    assert "of a drive it learnt from" not in other
    assert "of one drive" in other
    assert "these are its weights" not in other
    assert "these are its weights" in card(tmp_path, held=[], best=0)
