"""What a photograph's few labelled points say of every look-ahead row.

A person clicks one point; the network answers for twelve rows. The start model's own answer gives the line its shape:
it is moved so that it runs through the point, by less the further a row is from it. Where the model was far off, its
shape is worth nothing and the rows beside the point are all that is learnt.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from control.errors import DatasetError
from control.messages import LineEstimate
from perception.dataset import LabelledPhoto, PhotoLabel
from perception.look_ahead import GRID, ROWS
from perception.preprocess import squash

Array = NDArray[np.float32]
_SMALL = 160
"""Pictures smaller than this are kept twice as large as the network's, so that turning them costs no sharpness."""
_ROW = 2.0 / GRID
"""From one look-ahead row to the next, image units."""
_TRUSTED = 0.25
"""Image units by which the start model may miss the point and still have the line's shape right."""
_CARRIES = 0.5
"""Distance in y over which the move to the point fades."""
_FADES, _FLOOR = 0.3, 0.15
"""How the weight of a row falls with its distance from the point, and to what."""
_BESIDE = 1.2
"""Rows to each side of a lonely point that it speaks for."""
_EDGE = 0.999


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RowLabels:
    """One target of one picture, along its line from near to far, M places; no places and ``weight`` None: no line."""

    x: Array
    y: Array
    weight: Array
    seen: Array
    """0 or 1; where the line ends or is hidden it is not seen, though its place is known."""
    point: PhotoLabel | None
    """What a person said, for the score."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PreparedPhoto:
    image: NDArray[np.uint8]
    """BGR, square, once or twice the network's size."""
    labels: RowLabels


def prepare(
    photos: Sequence[LabelledPhoto], *, size: int, guess: Callable[[NDArray[np.uint8]], LineEstimate] | None
) -> list[PreparedPhoto]:
    """``guess`` is the start model's answer; None when it knows nothing yet. Raises DatasetError naming a file."""
    prepared = []
    for photo in photos:
        if not photo.is_labelled:
            continue
        picture, points = photo.read_all()
        labels = _no_line() if not points else _one(points[0], guess(picture) if guess else None)
        if len(points) > 1:
            labels = _several(points)
        # Interpolation where area averaging would enlarge.
        image = squash(np.asarray(picture, np.uint8), size=size * (2 if size < _SMALL else 1), resize="area")
        prepared.append(PreparedPhoto(image=image, labels=labels))
    if not prepared:
        raise DatasetError("no photograph is labelled; label some first, or draw the driven path by hindsight")
    return prepared


def _no_line() -> RowLabels:
    y = np.array(ROWS, np.float32)
    return RowLabels(x=np.zeros_like(y), y=y, weight=np.ones_like(y), seen=np.zeros_like(y), point=None)


def _one(point: PhotoLabel, guess: LineEstimate | None) -> RowLabels:
    y = np.array(ROWS, np.float32)
    far = np.abs(y - point.y)
    shape = None if guess is None else _x_of(guess, y)
    off = np.inf if guess is None or shape is None else point.x - float(np.interp(-point.y, -y, shape))
    if shape is not None and guess is not None and abs(off) < _TRUSTED:
        x = shape + off * np.exp(-far / _CARRIES)
        weight = np.maximum(np.exp(-far / _FADES), _FLOOR)
        seen = np.array([p.visible >= 0.5 for p in guess.points], np.float32)
    else:
        x, weight, seen = np.full_like(y, point.x), np.zeros_like(y), np.ones_like(y)
    beside = far < _BESIDE * _ROW
    weight = np.where(beside, 1.0 if abs(off) < _TRUSTED else 0.5, weight)
    seen = np.where(beside, 1.0, seen)
    # The point itself is a place of the line, so that turning the picture moves the very point.
    at = int(np.searchsorted(-y, -point.y))
    values = (x, y, weight, seen)
    x, y, weight, seen = (
        np.insert(v, at, n).astype(np.float32) for v, n in zip(values, (point.x, point.y, 1, 1), strict=True)
    )
    return RowLabels(x=x, y=y, weight=weight, seen=seen, point=point)


def _x_of(guess: LineEstimate, y: Array) -> Array | None:
    """The seen points' x; beyond them the last one's, which is what the score assumes, too."""
    seen = [p for p in guess.points if p.visible >= 0.5]
    if not seen:
        return None
    return np.interp(-y, [-p.y for p in seen], [p.x for p in seen]).astype(np.float32)


def _several(points: Sequence[PhotoLabel]) -> RowLabels:
    """A drawn line: known between its ends, not seen more than a row beyond them."""
    ordered = sorted(points, key=lambda p: -p.y)
    x, y = (np.array(v, np.float32) for v in zip(*((p.x, p.y) for p in ordered), strict=True))
    ends = ((ordered[0].y + 1.01 * _ROW, ordered[0]), (ordered[-1].y - 1.01 * _ROW, ordered[-1]))
    x, y = np.concatenate([[ends[0][1].x], x, [ends[1][1].x]]), np.concatenate([[ends[0][0]], y, [ends[1][0]]])
    inner = np.concatenate([[0.0], np.ones(len(ordered)), [0.0]])
    middle = ordered[len(ordered) // 2]
    return RowLabels(
        x=x.astype(np.float32), y=y.astype(np.float32), weight=inner.astype(np.float32),
        seen=np.ones(len(y), np.float32), point=middle,
    )  # fmt: skip


def at_rows(labels: RowLabels, *, x: Array, y: Array) -> tuple[Array, Array, Array]:
    """x, seen and weight, each (K,), of places that were moved to ``x``, ``y``. Beyond the line nothing is said."""
    order = np.argsort(y)
    rows = np.array(ROWS, np.float32)
    found, weight, seen = (
        np.interp(rows, y[order], values[order]).astype(np.float32) for values in (x, labels.weight, labels.seen)
    )
    inside = (rows >= y[order[0]] - 1e-3) & (rows <= y[order[-1]] + 1e-3)
    off_picture = np.abs(found) > _EDGE
    visible = ((seen > 0.5) & ~off_picture).astype(np.float32)
    return np.clip(found, -1, 1), visible, weight * inside


def moved(image: NDArray[np.uint8], matrix: NDArray[np.float64], *, size: int) -> NDArray[np.uint8]:
    """``matrix`` (2, 3) in image units moves picture and places alike; the result is (size, size, 3)."""
    side = image.shape[0]
    half = side / 2.0
    # Image units to pixel indices of the large picture: i = (u + 1) * half - 0.5.
    to_pixels = np.array([[half, 0, half - 0.5], [0, half, half - 0.5], [0, 0, 1]])
    whole = to_pixels @ np.vstack([matrix, [0, 0, 1]]) @ np.linalg.inv(to_pixels)
    turned = cv2.warpAffine(image, whole[:2], (side, side), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    if side == size:
        return np.asarray(turned, np.uint8)
    return np.asarray(cv2.resize(turned, (size, size), interpolation=cv2.INTER_AREA), np.uint8)
