"""Scoring an Estimator on labelled photographs, beside the constant answer and the colour engine; imports no torch.

Errors are in pixels of a 224 px wide picture, at the label's own row. The answer's x there is interpolated over the
points that are seen (over all points when none is seen: a silent model is scored, not excused) and held constant
beyond them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import atan2, degrees
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from control.errors import DatasetError
from control.messages import LineEstimate, LinePoint, Target
from perception.dataset import LabelledPhoto, PhotoLabel, PhotoSet
from perception.estimator import Estimator
from perception.training.contact_sheet import SEEN, Cell, save_contact_sheet, worst_first

Array = NDArray[np.float64]
Progress = Callable[[int, int], None]
_SIDE = 224.0


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameScore:
    """One labelled point of a photograph and what was answered; a photograph without points has one, too."""

    photo: LabelledPhoto
    label: PhotoLabel | None
    estimate: LineEstimate
    x: float | None
    """Answer at the label's row, image units; None without a label or an answer."""
    colour_x: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SetScore:
    """One data set; numbers that its labels do not allow are None."""

    name: str
    target: Target
    n: int
    lateral_error_median_px: float | None
    lateral_error_mean_px: float | None
    rmse_px: float | None
    constant_mean_px: float | None
    colour_mean_px: float | None
    heading_error_mean_deg: float | None
    visibility_auc: float | None
    missed: float | None
    """Share of the frames with a line at which the confidence was below one half."""
    frames: tuple[FrameScore, ...]

    def record(self) -> dict[str, str | int | float | None]:
        """For --json: everything but the frames."""
        fields = [name for name in self.__slots__ if name != "frames"]
        return {name: getattr(self, name) for name in fields}


def x_at(estimate: LineEstimate, y: float) -> float | None:
    """The answer's x at image row ``y``; None when it has no points at all."""
    ordered = read_at(estimate)
    return float(np.interp(y, [p.y for p in ordered], [p.x for p in ordered])) if ordered else None


def read_at(estimate: LineEstimate) -> list[LinePoint]:
    """The points that an answer is interpolated over, from far to near: those that are seen, or else all."""
    points = [p for p in estimate.points if p.visible >= SEEN] or list(estimate.points)
    return sorted(points, key=lambda p: p.y)


def evaluate(
    estimator: Estimator,
    photos: PhotoSet,
    *,
    target: Target,
    colour: Estimator | None = None,
    progress: Progress | None = None,
) -> SetScore:
    """Raises DatasetError on an unreadable picture or an empty set."""
    if not len(photos):
        raise DatasetError(f"{photos.folder}: holds no labelled pictures")
    frames: list[FrameScore] = []
    for number, photo in enumerate(photos, start=1):
        picture, labels = photo.read_all()
        estimate = estimator.estimate(picture)
        coloured = None if colour is None or not labels else colour.estimate(picture)
        for label in labels or (None,):
            colour_x = None if label is None or coloured is None else x_at(coloured, label.y)
            x = None if label is None else x_at(estimate, label.y)
            frames.append(FrameScore(photo=photo, label=label, estimate=estimate, x=x, colour_x=colour_x))
        if progress:
            progress(number, len(photos))
    return _score(photos.name, target=target, frames=frames)


def _score(name: str, *, target: Target, frames: list[FrameScore]) -> SetScore:
    labels = np.array([(f.label.x, f.label.y) for f in frames if f.label], dtype=np.float64).reshape(-1, 2)
    answers = np.array([_or_centre(f.x) for f in frames if f.label], dtype=np.float64)
    colours = [_or_centre(f.colour_x) for f in frames if f.label] if any(f.colour_x is not None for f in frames) else []
    error = np.abs(answers - labels[:, 0]) * _SIDE / 2
    constant = np.abs(np.median(labels[:, 0]) - labels[:, 0]) * _SIDE / 2 if len(labels) else error
    colour_error = np.abs(np.array(colours) - labels[:, 0]) * _SIDE / 2 if colours else np.array([])
    lined = [f.estimate.confidence for f in frames if f.label or f.photo.visible]
    return SetScore(
        name=name,
        target=target,
        n=len({frame.photo.path for frame in frames}),
        lateral_error_median_px=float(np.median(error)) if len(error) else None,
        lateral_error_mean_px=_mean(error),
        rmse_px=float(np.sqrt(np.mean(error**2))) if len(error) else None,
        constant_mean_px=_mean(constant),
        colour_mean_px=_mean(colour_error),
        heading_error_mean_deg=_mean(np.abs(_headings(answers, labels[:, 1]) - _headings(labels[:, 0], labels[:, 1]))),
        visibility_auc=_auc(frames),
        missed=_mean(np.array(lined, dtype=np.float64) < SEEN),
        frames=tuple(frames),
    )


def by_session(score: SetScore) -> list[SetScore]:
    """The same frames, each recording for itself, by name; its constant answer is that recording's own."""
    names = sorted({frame.photo.session for frame in score.frames})
    return [
        _score(name, target=score.target, frames=[f for f in score.frames if f.photo.session == name])
        for name in names
    ]  # fmt: skip


def _or_centre(x: float | None) -> float:
    """An engine without any answer is scored as if it drove straight on."""
    return 0.0 if x is None else x


def _mean(values: NDArray[np.generic]) -> float | None:
    return float(values.mean()) if len(values) else None


def _headings(x: Array, y: Array) -> Array:
    """Degrees from straight ahead, seen from the middle of the bottom edge of a 224 px picture."""
    across, ahead = x * _SIDE / 2, _SIDE / 2 * (1.0 - y)
    return np.array([degrees(atan2(a, b)) for a, b in zip(across, ahead, strict=True)])


def _auc(frames: list[FrameScore]) -> float | None:
    """Chance that a frame with a line has more confidence than one without (Mann-Whitney, ties count half)."""
    with_line = np.array([f.estimate.confidence for f in frames if f.photo.visible is True])
    without = np.array([f.estimate.confidence for f in frames if f.photo.visible is False])
    if not len(with_line) or not len(without):
        return None
    more = (with_line[:, None] > without[None, :]).mean()
    equal = (with_line[:, None] == without[None, :]).mean()
    return float(more + 0.5 * equal)


def save_sheet(score: SetScore, path: Path, *, rng: np.random.Generator, worst: int = 12, others: int = 12) -> None:
    """A picture of the worst and of some random frames; see ``save_contact_sheet``. Raises InputError."""
    chosen = worst_first(score.frames, _badness, worst=worst, others=others, rng=rng)
    save_contact_sheet(path, [_cell(frame) for frame in chosen])


def _badness(frame: FrameScore) -> float:
    if frame.label is not None:
        return abs(_or_centre(frame.x) - frame.label.x)
    return abs(float(bool(frame.photo.visible)) - frame.estimate.confidence)


def _cell(frame: FrameScore) -> Cell:
    picture, label = frame.photo.read()[0], frame.label
    off = "" if label is None else f"{abs(_or_centre(frame.x) - label.x) * _SIDE / 2:.0f} px  "
    return Cell(
        picture=picture,
        labels=() if label is None else ((label.x, label.y),),
        answer=frame.estimate,
        text=f"{off}conf {frame.estimate.confidence:.2f}",
    )
