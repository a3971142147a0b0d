"""Which frames prove that an engine works: those on which the exact network sees most of a line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from perception.estimator import Estimator
from perception.manifest import ONE_PLACE, VISIBLE_TOLERANCE, GoldenPoint, difference, golden_points

Image = NDArray[np.uint8]
_WIDTH, _HEIGHT = 160, 120
"""Not square and not the network's size, so that the squashing is checked too."""
_TRIED = 64
_SEEN = 0.5
_MARGIN = 0.5
"""Of what a file may differ: another processor rounds in another way."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """A file that was just written, and how far it may lie from the exact network, in pixels of a 224 px picture."""

    estimators: Mapping[str, Estimator]
    tolerance_px: float


def small(picture: Image) -> Image:
    """As golden frames are kept."""
    return np.asarray(cv2.resize(picture, (_WIDTH, _HEIGHT), interpolation=cv2.INTER_AREA), dtype=np.uint8)


def telling_rows(points: Sequence[GoldenPoint]) -> int:
    """Rows whose x an engine has to meet. A frame without any is passed by an engine that sees nothing."""
    return sum(p.visible >= _SEEN and p.spread <= ONE_PLACE for p in points)


def choose_golden(
    pictures: Sequence[Image], *, exact: Mapping[str, Estimator], files: Sequence[Tried], frames: int
) -> list[Image]:
    """For each target in turn the picture with most telling rows on which no file is near its limit.

    Where all are near it, as of an unfinished model, any with telling rows.
    """
    candidates = [small(picture) for picture in pictures[:_TRIED]]
    answers = [{t: golden_points(e.estimate(frame)) for t, e in exact.items()} for frame in candidates]
    clear = [_agreed(frame, answer, files) for frame, answer in zip(candidates, answers, strict=True)]
    left, chosen = list(range(len(candidates))), list[Image]()
    targets = list(exact)
    for number in range(min(frames, len(candidates))):
        target = targets[number % len(targets)]
        best = max(left, key=lambda k: (clear[k], telling_rows(answers[k][target]), -k))
        left.remove(best)
        chosen.append(candidates[best])
    return chosen


def _agreed(frame: Image, answer: Mapping[str, tuple[GoldenPoint, ...]], files: Sequence[Tried]) -> bool:
    for tried in files:
        for target, points in answer.items():
            sideways, seen = difference(tried.estimators[target].estimate(frame), points)
            if sideways > tried.tolerance_px * _MARGIN or seen > VISIBLE_TOLERANCE * _MARGIN:
                return False
    return True
