"""Labelled frames side by side in one picture, each with the label, the answer and a line of text; imports no torch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from control.errors import InputError
from control.messages import LineEstimate
from perception.files import replace_file

Image = NDArray[np.uint8]
Frame = TypeVar("Frame")
SEEN = 0.5
"""Visibility from which a point counts as seen."""
_CELL = 224
_LINE = 17
_LABEL, _ANSWER, _UNSEEN = (40, 220, 40), (40, 40, 255), (150, 150, 150)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Cell:
    """One frame of the sheet."""

    picture: Image
    """(H, W, 3) BGR of any size."""
    labels: Sequence[tuple[float, float]]
    """Image points x, y in [-1, 1], drawn as green rings."""
    answer: LineEstimate
    """Drawn as dots: red where the line is seen, grey where not."""
    text: str
    """One line, or several."""


def worst_first(
    frames: Sequence[Frame], badness: Callable[[Frame], float], *, worst: int, others: int, rng: np.random.Generator
) -> list[Frame]:
    """The ``worst`` frames, then ``others`` of the rest at random, to compare with."""
    ordered = sorted(frames, key=badness, reverse=True)
    rest = ordered[worst:]
    return ordered[:worst] + [rest[i] for i in rng.permutation(len(rest))[:others]]


def save_contact_sheet(path: Path, cells: Sequence[Cell], *, columns: int = 6) -> None:
    """``path`` ends in .jpg or .png. Raises InputError when it does not or cannot be written."""
    suffix = path.suffix.lower()
    if suffix not in (".jpg", ".jpeg", ".png"):
        raise InputError(f"{path}: a picture sheet is a .jpg or a .png file")
    drawn = [_drawn(cell) for cell in cells]
    drawn += [np.zeros((_CELL, _CELL, 3), dtype=np.uint8)] * (-len(drawn) % columns)
    lines = [np.concatenate(drawn[i : i + columns], axis=1) for i in range(0, len(drawn), columns)]
    replace_file(path, cv2.imencode(suffix, np.concatenate(lines))[1].tobytes())


def _drawn(cell: Cell) -> Image:
    picture = np.array(cv2.resize(cell.picture, (_CELL, _CELL)), dtype=np.uint8)
    for point in cell.answer.points:
        cv2.circle(picture, _pixel(point.x, point.y), 3, _ANSWER if point.visible >= SEEN else _UNSEEN, -1, cv2.LINE_AA)
    for x, y in cell.labels:
        cv2.circle(picture, _pixel(x, y), 6, _LABEL, 2 if len(cell.labels) == 1 else 1, cv2.LINE_AA)
    # On a dark bar: OpenCV 5 draws bold letters wider, so that a bold text below is no outline of the thin one.
    texts = cell.text.splitlines()
    picture[: _LINE * len(texts) + 4] //= 3
    for number, text in enumerate(texts):
        place = (5, 15 + _LINE * number)
        cv2.putText(picture, text, place, cv2.FONT_HERSHEY_SIMPLEX, 0.45, (255, 255, 255), 1, cv2.LINE_AA)
    return picture


def _pixel(x: float, y: float) -> tuple[int, int]:
    return round((x + 1) * _CELL / 2 - 0.5), round((y + 1) * _CELL / 2 - 0.5)
