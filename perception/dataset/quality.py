"""What is wrong with a data set: copies, blur, darkness, labels at odd places, labels that the rest contradicts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from control.errors import DatasetError
from perception.dataset.photos import Image, LabelledPhoto
from perception.estimator import Estimator

Array = NDArray[np.float64]
_SIDE = 224
_PX = _SIDE / 2
_BLURRED = 15.0
"""Variance of the Laplacian of a 224 px picture; real cameras' pictures lie between 27 and 1176."""
_DARK, _BRIGHT = 12.0, 243.0
_SAME_BITS = 2
"""Bits of 256 by which two pictures' gradient hashes may differ and still be one picture."""
_FOLDS = 5
_SUSPECT_PX = 25.0
_SUSPECT_SPREADS = 4.0
_RIDGE = 3.0
BINS = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One picture and what is odd about it."""

    photo: LabelledPhoto
    kind: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Quality:
    pictures: int
    labelled: int
    no_line: int
    sessions: dict[str, int]
    columns: tuple[int, ...]
    """Histogram of the labels' x from left to right."""
    findings: tuple[Finding, ...]

    def count(self, kind: str) -> int:
        return sum(finding.kind == kind for finding in self.findings)


@dataclass(slots=True, kw_only=True)
class _Seen:
    photo: LabelledPhoto
    hash: NDArray[np.bool_]
    label: tuple[float, float] | None
    features: Array


def inspect(
    photos: Sequence[LabelledPhoto], *, estimator: Estimator | None, progress: Callable[[int], None] = lambda _: None
) -> Quality:
    """``estimator`` helps to find wrong labels; without one they are not looked for."""
    seen: list[_Seen] = []
    findings: list[Finding] = []
    for number, photo in enumerate(photos):
        progress(number)
        try:
            picture, labels = photo.read_all()
        except DatasetError as error:
            findings.append(Finding(photo=photo, kind="unreadable", text=str(error)))
            continue
        findings += _looks(photo, picture)
        label = (labels[0].x, labels[0].y) if labels else None
        if label and max(abs(label[0]), abs(label[1])) > 1:
            findings.append(Finding(photo=photo, kind="outside", text="its label lies beyond the picture's edge"))
        seen.append(_Seen(photo=photo, hash=_hash(picture), label=label, features=_features(picture, estimator)))
    findings += _copies(seen)
    labelled = [s for s in seen if s.label is not None]
    if estimator is not None:
        findings += _contradicted(labelled)
    sessions: dict[str, int] = {}
    for photo in photos:
        sessions[photo.session] = sessions.get(photo.session, 0) + 1
    places = np.clip([s.label[0] for s in labelled if s.label], -1, 1)
    return Quality(
        pictures=len(photos), labelled=len(labelled), no_line=sum(p.visible is False for p in photos),
        sessions=sessions, columns=tuple(int(n) for n in np.histogram(places, bins=BINS, range=(-1, 1))[0]),
        findings=tuple(findings),
    )  # fmt: skip


def _small_grey(picture: Image, side: int) -> NDArray[np.uint8]:
    grey = cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY)
    return np.asarray(cv2.resize(grey, (side, side), interpolation=cv2.INTER_AREA), np.uint8)


def _looks(photo: LabelledPhoto, picture: Image) -> list[Finding]:
    grey = _small_grey(picture, _SIDE)
    sharp, light = float(cv2.Laplacian(grey, cv2.CV_64F).var()), float(grey.mean())
    found = []
    if light < _DARK or light > _BRIGHT:
        found.append(Finding(photo=photo, kind="exposure", text=f"mean brightness {light:.0f} of 255"))
    elif sharp < _BLURRED:
        found.append(Finding(photo=photo, kind="blur", text=f"sharpness {sharp:.0f}, usual is 27 and more"))
    return found


def _hash(picture: Image) -> NDArray[np.bool_]:
    """Which of two neighbours is brighter, 16 x 16: a re-encoded copy keeps it."""
    grey = np.asarray(cv2.resize(_small_grey(picture, 64), (17, 16), interpolation=cv2.INTER_AREA), np.int16)
    return np.asarray((grey[:, 1:] > grey[:, :-1]).ravel(), np.bool_)


def _copies(seen: Sequence[_Seen]) -> list[Finding]:
    """A copy in another session is worse: it may be in two parts of a split."""
    found: list[Finding] = []
    hashes = np.stack([s.hash for s in seen]) if seen else np.zeros((0, 256), np.bool_)
    for number in range(1, len(seen)):
        same = np.flatnonzero((hashes[:number] ^ hashes[number]).sum(axis=1) <= _SAME_BITS)
        if len(same):
            first, mine = seen[int(same[0])].photo, seen[number].photo
            where = "" if first.session == mine.session else f" of session {first.session}"
            found.append(Finding(photo=mine, kind="copy", text=f"looks the same as {first.path.name}{where}"))
    return found


def _features(picture: Image, estimator: Estimator | None) -> Array:
    """The model's answer as numbers of fixed size, and a thumbnail."""
    if estimator is None:
        return np.zeros(0)
    answer = estimator.estimate(picture)
    seen = [(p.x * p.visible, p.visible) for p in answer.points]
    thumbnail = _small_grey(picture, 6).astype(np.float64).ravel() / 255
    return np.concatenate([np.asarray(seen, np.float64).ravel(), thumbnail])


def _contradicted(seen: Sequence[_Seen]) -> list[Finding]:
    """Ridge regression from model's answer and the label's row to its x, learnt on the other four fifths."""
    if len(seen) < 4 * _FOLDS or len({len(s.features) for s in seen}) > 1:
        return []
    labels = np.array([s.label for s in seen], np.float64)
    features = np.stack([s.features for s in seen])
    # The row changes what the answer means, so it multiplies the rest.
    rows = labels[:, 1:]
    table = np.concatenate([features, features * rows, rows, np.ones_like(rows)], axis=1)
    guess = np.zeros(len(seen))
    # Neighbours in time are alike: a fold is a run of them.
    for fold in np.array_split(np.arange(len(seen)), _FOLDS):
        rest = np.setdiff1d(np.arange(len(seen)), fold)
        square = table[rest].T @ table[rest] + _RIDGE * np.eye(table.shape[1])
        guess[fold] = table[fold] @ np.linalg.solve(square, table[rest].T @ labels[rest, 0])
    off = (labels[:, 0] - guess) * _PX
    spread = 1.4826 * float(np.median(np.abs(off - np.median(off))))
    wrong = np.abs(off) > max(_SUSPECT_PX, _SUSPECT_SPREADS * spread)
    order = sorted(np.flatnonzero(wrong), key=lambda i: -abs(off[i]))
    return [
        Finding(photo=seen[i].photo, kind="label", text=f"the others say {abs(off[i]):.0f} px of 224 further "
                f"{'left' if off[i] > 0 else 'right'}") for i in (int(n) for n in order)
    ]  # fmt: skip
