"""The labels of a data set while people change them: every change is on disk before it is answered."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from math import isfinite
from pathlib import Path

from control.errors import DatasetError, InputError
from perception.dataset import LabelledPhoto, read_photos
from perception.dataset.photos import read_picture
from perception.dataset.store import write_labels

JOURNAL = "labels.journal"
_MOST_POINTS = 64
Point = tuple[float, float]


class LabelBook:
    """``change`` appends to a journal, ``save`` puts all of it into labels.csv; a crash in between loses nothing."""

    def __init__(self, folder: Path) -> None:
        """Raises DatasetError when ``folder`` is no data set of labels.csv and images/."""
        if not (folder / "labels.csv").is_file():
            raise DatasetError(f"{folder}: no labels.csv; bring it in with linepilot data import {folder} --out NEW")
        self._folder = folder
        self.photos: list[LabelledPhoto] = list(read_photos(folder))
        self._index = {photo.path.name: i for i, photo in enumerate(self.photos)}
        self._replay()

    @property
    def done(self) -> int:
        return sum(photo.is_labelled for photo in self.photos)

    def points(self, index: int) -> list[Point]:
        """In image units."""
        picture = read_picture(self.photos[index].path)
        labels = self.photos[index].labels(width=picture.shape[1], height=picture.shape[0])
        return [(label.x, label.y) for label in labels]

    def change(self, index: int, points: Sequence[Point], *, no_line: bool) -> None:
        """Points in image units; none and not ``no_line`` takes the label away. Raises InputError."""
        numbers = [value for point in points for value in point]
        if len(points) > _MOST_POINTS or any(not isfinite(v) or abs(v) > 1.5 for v in numbers):
            raise InputError("a label is at most 64 points inside the picture")
        name = self.photos[index].path.name
        line = json.dumps({"file": name, "points": [list(p) for p in points], "no_line": no_line}) + "\n"
        try:
            with (self._folder / JOURNAL).open("a", encoding="utf-8") as stream:
                stream.write(line)
                stream.flush()
                os.fsync(stream.fileno())
        except OSError as error:
            raise InputError(f"{self._folder / JOURNAL}: cannot be written ({error.strerror}); make room") from error
        self._apply(index, points, no_line=no_line)

    def save(self) -> None:
        """Raises InputError."""
        if (self._folder / JOURNAL).exists():
            write_labels(self._folder, self.photos)
            with suppress(FileNotFoundError):
                (self._folder / JOURNAL).unlink()

    def _replay(self) -> None:
        """A last line that was cut off was never answered, so nobody counts on it."""
        path = self._folder / JOURNAL
        for line in path.read_text(encoding="utf-8").splitlines() if path.is_file() else []:
            try:
                entry = json.loads(line)
                index = self._index[entry["file"]]
                points = [(float(x), float(y)) for x, y in entry["points"]]
                no_line = bool(entry["no_line"])
            except (ValueError, KeyError, TypeError):
                continue
            self._apply(index, points, no_line=no_line)

    def _apply(self, index: int, points: Sequence[Point], *, no_line: bool) -> None:
        photo = self.photos[index]
        height, width = read_picture(photo.path).shape[:2]
        raws = tuple(((x + 1) * width / 2, (y + 1) * height / 2) for x, y in points)
        visible = True if raws else False if no_line else None
        self.photos[index] = replace(photo, raws=raws, unit="pixel", visible=visible)
