"""The colour engine, an honest baseline: what stands out from the floor, joined up from near to far.

Contrast is the distance in CIE Lab from a wide median of the picture itself, which follows vignette, cast and
shadows; the path through the rows is the best one by dynamic programming (Viterbi), so that a gap is bridged.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from control.messages import LineEstimate, LinePoint
from perception.preprocess import squash

Image = NDArray[np.uint8]
Array = NDArray[np.float32]
_SIDE = 112
_BAND = 4
"""Pixel rows that vote together."""
_BANDS = 18
"""From the bottom edge up to y = -0.29: above it is mostly furniture."""
_FLOOR_WINDOW = 45
_NOISE = 8.0
"""Lab units; what a plain floor shows by itself."""
_JUMP = 10
"""Columns that the line may move from one band to the next."""
_JUMP_COST = 0.02
_HALF_LINE = 9
_SEEN = 14.0
"""Mean contrast on the path, in Lab units, at which a row is as likely line as floor."""


class ColourEstimator:
    """Follows the Estimator protocol. ``lane``: the middle between the two best paths."""

    runs_on = f"OpenCV {cv2.__version__} on the CPU, by colour"

    def __init__(self, *, target: str = "line") -> None:
        self._lane = target == "lane"
        self._rows = tuple(float(1.0 - (2 * band + 1) * _BAND / _SIDE) for band in range(_BANDS))

    def estimate(self, image: Image) -> LineEstimate:
        evidence = _evidence(squash(image, size=_SIDE, resize="area"))
        path = _best_path(evidence)
        strength = evidence[np.arange(_BANDS), path]
        columns = _centred(evidence, path)
        if self._lane:
            other = _best_path(_without(evidence, path))
            strength = np.minimum(strength, evidence[np.arange(_BANDS), other])
            columns = np.asarray((columns + _centred(evidence, other)) / 2, dtype=np.float32)
        seen = 1.0 / (1.0 + np.exp(-np.clip((strength - _SEEN) / 3.0, -30, 30)))
        x = (columns + 0.5) / _SIDE * 2.0 - 1.0
        points = tuple(
            LinePoint(x=float(a), y=y, visible=float(b)) for a, y, b in zip(x, self._rows, seen, strict=True)
        )
        return LineEstimate(points=points, confidence=float(np.sort(seen)[-_BANDS // 3 :].mean()))

    def close(self) -> None:
        """Nothing is held open."""


def _evidence(frame: Image) -> Array:
    """(bands, columns), near first: contrast against the floor, smoothed to the width of a line."""
    lab = cv2.cvtColor(cv2.GaussianBlur(frame, (3, 3), 0), cv2.COLOR_BGR2LAB)
    floor = cv2.medianBlur(lab, _FLOOR_WINDOW)
    away = lab.astype(np.float32) - floor.astype(np.float32)
    # Lightness alone is as often a shadow or a glare as a line.
    contrast = np.sqrt(0.35 * away[..., 0] ** 2 + 2.0 * (away[..., 1] ** 2 + away[..., 2] ** 2))
    contrast = cv2.blur(np.maximum(contrast - _NOISE, 0.0), (7, 1))
    used = contrast[_SIDE - _BANDS * _BAND :]
    bands: Array = used.reshape(_BANDS, _BAND, _SIDE).mean(axis=1)[::-1].astype(np.float32)
    return bands


def _best_path(evidence: Array) -> NDArray[np.intp]:
    """(bands,) column of the path with the most evidence; steep moves cost."""
    moves = np.arange(-_JUMP, _JUMP + 1)
    cost = (_JUMP_COST * moves.astype(np.float32) ** 2)[:, None]
    columns = np.arange(_SIDE)
    source = columns[None, :] + moves[:, None]
    outside = (source < 0) | (source >= _SIDE)
    source = np.clip(source, 0, _SIDE - 1)
    total = np.minimum(evidence, 40.0)
    back = np.zeros(evidence.shape, dtype=np.intp)
    score = total[0].copy()
    for band in range(1, _BANDS):
        options = np.where(outside, -np.inf, score[source] - cost)
        choice = options.argmax(axis=0)
        back[band] = source[choice, columns]
        score = options[choice, columns] + total[band]
    path = np.zeros(_BANDS, dtype=np.intp)
    path[-1] = int(score.argmax())
    for band in range(_BANDS - 1, 0, -1):
        path[band - 1] = back[band, path[band]]
    return path


def _centred(evidence: Array, path: NDArray[np.intp]) -> Array:
    """(bands,) columns: the middle of what stands out around the path, which else cuts corners inside a wide line."""
    columns = np.arange(_SIDE, dtype=np.float32)
    near = np.abs(columns[None, :] - path[:, None]) <= _HALF_LINE
    weight = np.where(near, evidence, 0.0) + np.where(near, 1e-3, 0.0)
    return np.asarray((weight @ columns) / weight.sum(axis=1), dtype=np.float32)


def _without(evidence: Array, path: NDArray[np.intp]) -> Array:
    """The evidence with the surroundings of a path wiped out."""
    distance = np.abs(np.arange(_SIDE)[None, :] - path[:, None])
    return np.where(distance < _SIDE // 6, 0.0, evidence).astype(np.float32)
