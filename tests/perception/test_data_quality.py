from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from control.errors import DatasetError
from control.messages import LineEstimate, LinePoint
from perception.dataset import LabelledPhoto
from perception.dataset.card import DataSetCard
from perception.dataset.quality import inspect
from perception.dataset.sessions import recording_sessions
from perception.dataset.split import card_with_splits, held_out_sessions, parts


class FindsBar:
    """Answers where the brightest column is."""

    runs_on = "test"

    def estimate(self, image: np.ndarray) -> LineEstimate:
        x = float(image[:, :, 1].sum(axis=0).argmax()) * 2 / image.shape[1] - 1
        return LineEstimate(points=(LinePoint(x=x, y=0.0, visible=1.0),), confidence=1.0)

    def close(self) -> None: ...


def photo(folder: Path, number: int, *, label: float | None = None, session: str = "0") -> LabelledPhoto:
    rng = np.random.default_rng(number)
    rough = rng.integers(40, 200, (5, 5, 3)).astype(np.uint8)
    picture = np.asarray(cv2.resize(rough, (64, 64), interpolation=cv2.INTER_CUBIC)) // 2
    column = 4 + (number * 17) % 56
    picture[:, column - 1 : column + 2] = 250
    path = folder / f"{number}.png"
    cv2.imwrite(str(path), picture)
    return LabelledPhoto(path=path, raws=((column if label is None else label, 32.0),), session=session)


def test_a_label_that_the_others_contradict_is_found(tmp_path: Path) -> None:
    photos = [photo(tmp_path, i) for i in range(40)]
    photos[7] = photo(tmp_path, 7, label=(4 + (7 * 17) % 56 + 30) % 64)
    wrong = [f for f in inspect(photos, estimator=FindsBar()).findings if f.kind == "label"]
    assert [f.photo.path.name for f in wrong] == ["7.png"]


def test_a_copy_in_another_session_is_found_and_its_session_said(tmp_path: Path) -> None:
    photos = [photo(tmp_path, i, session=str(i // 3)) for i in range(6)]
    copy = tmp_path / "copy.jpg"
    cv2.imwrite(str(copy), cv2.imread(str(photos[0].path)), [cv2.IMWRITE_JPEG_QUALITY, 95])
    photos.append(LabelledPhoto(path=copy, raws=photos[0].raws, session="1"))
    (found,) = [f for f in inspect(photos, estimator=None).findings if f.kind == "copy"]
    assert found.photo.path == copy
    assert "0.png of session 0" in found.text


@pytest.mark.parametrize(("kind", "value"), [("exposure", 2), ("exposure", 254), ("blur", 120)])
def test_flat_pictures_are_found(kind: str, value: int, tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "a.png"), np.full((64, 64, 3), value, np.uint8))
    quality = inspect([LabelledPhoto(path=tmp_path / "a.png", raws=())], estimator=None)
    assert [f.kind for f in quality.findings] == [kind]


def test_what_cannot_be_read_is_a_finding_not_an_end(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(b"no picture")
    quality = inspect([LabelledPhoto(path=tmp_path / "a.jpg", raws=())], estimator=None)
    assert quality.count("unreadable") == 1


def test_the_histogram_counts_labels_from_left_to_right(tmp_path: Path) -> None:
    quality = inspect([photo(tmp_path, 1, label=1), photo(tmp_path, 2, label=63)], estimator=None)
    assert quality.columns == (1, 0, 0, 0, 0, 0, 0, 1)


def stamped(seconds: float, number: int) -> str:
    time = 0x1EF000000000000 + int(seconds * 1e7)
    low, mid, high = time & 0xFFFFFFFF, time >> 32 & 0xFFFF, time >> 48 | 0x1000
    return f"xy_100_100_{low:08x}-{mid:04x}-{high:04x}-8000-{number:012x}"


def test_a_long_pause_between_pictures_begins_a_session() -> None:
    names = [stamped(1000, 1), stamped(0, 2), stamped(10, 3), stamped(1005, 4)]
    assert recording_sessions(names) == ["1", "0", "0", "1"]


def test_names_without_a_time_are_one_session() -> None:
    assert recording_sessions([stamped(0, 1), "xy_1_2_abc", stamped(9999, 2)]) == ["0", "0", "0"]


def some(**counts: int) -> list[LabelledPhoto]:
    return [LabelledPhoto(path=Path("x"), raws=(), session=s) for s, n in counts.items() for _ in range(n)]


def test_about_a_fifth_is_held_out_by_whole_sessions() -> None:
    assert held_out_sessions(some(a=50, b=30, c=20)) == ("c",)
    assert held_out_sessions(some(a=60, b=50)) == ("b",)
    assert held_out_sessions(some(a=60)) == ()


def test_a_split_keeps_sessions_whole() -> None:
    photos = some(a=3, b=2, c=1)
    card = card_with_splits(DataSetCard(), photos, validation=["b"], test=["c"])
    assert {part: len(found) for part, found in parts(photos, card).items()} == {"train": 3, "validation": 2, "test": 1}


@pytest.mark.parametrize(
    ("validation", "test", "said"),
    [(["z"], [], "no session 'z'"), (["a"], ["a"], "twice"), (["a", "b"], [], "left to train on")],
)
def test_an_impossible_split_is_refused(validation: list[str], test: list[str], said: str) -> None:
    with pytest.raises(DatasetError, match=said):
        card_with_splits(DataSetCard(), some(a=2, b=2), validation=validation, test=test)
