"""Labelled photographs: the records, and folders in JetBot's and JetRacer's file names or with a labels.csv."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from control.errors import DatasetError
from control.messages import Target
from perception.dataset.card import read_card
from perception.dataset.sessions import recording_sessions
from perception.picture_file import read_whole

Image = NDArray[np.uint8]
_FARTHEST = 1.5
"""Image units. A label may lie a little outside the picture; further out is a mistake."""
Unit = Literal["pixel", "percent"]
_SUFFIXES = (".jpg", ".jpeg", ".png")
_JETBOT = re.compile(r"xy_(-?\d+)_(-?\d+)_[^/]+$")
_JETRACER = re.compile(r"(-?\d+)_(-?\d+)_[^/]+$")
_WIDE_PICTURE = 200
"""Pixels: a set of wider pictures whose labels all stay below 100 was most likely labelled in percent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PhotoLabel:
    """A person's answer, as an image point in [-1, 1]."""

    x: float
    y: float


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelledPhoto:
    """One file; points as the source wrote them, none where it only says whether there is a line, or how to steer."""

    path: Path
    raws: tuple[tuple[float, float], ...]
    unit: Unit = "pixel"
    visible: bool | None = None
    session: str = "0"
    steering: float | None = None
    """What a person steered, in [-1, 1], positive to the right as Donkeycar and JetRacer count it."""
    throttle: float | None = None

    @property
    def raw(self) -> tuple[float, float] | None:
        """The first point."""
        return self.raws[0] if self.raws else None

    @property
    def is_labelled(self) -> bool:
        """Whether it says where the line is, or that there is none."""
        return bool(self.raws) or self.visible is False

    def read(self) -> tuple[Image, PhotoLabel | None]:
        """The picture, (H, W, 3) BGR, and its first point. Raises DatasetError naming the file."""
        picture, labels = self.read_all()
        return picture, labels[0] if labels else None

    def read_all(self) -> tuple[Image, tuple[PhotoLabel, ...]]:
        """The picture, (H, W, 3) BGR, and all its points. Raises DatasetError naming the file."""
        picture = read_picture(self.path)
        return picture, self.labels(width=picture.shape[1], height=picture.shape[0])

    def labels(self, *, width: int, height: int) -> tuple[PhotoLabel, ...]:
        """All its points on a picture of that many pixels. Raises DatasetError."""
        half = (50.0, 50.0) if self.unit == "percent" else (width / 2.0, height / 2.0)
        points = tuple(PhotoLabel(x=x / half[0] - 1.0, y=y / half[1] - 1.0) for x, y in self.raws)
        for raw, point in zip(self.raws, points, strict=True):
            if max(abs(point.x), abs(point.y)) > _FARTHEST:
                size = "percent" if self.unit == "percent" else f"{width}x{height} pixels"
                raise DatasetError(
                    f"{self.path}: its label ({raw[0]:g}, {raw[1]:g}) lies far outside the picture ({size}); "
                    f"correct or delete it"
                )
        return points


@dataclass(frozen=True, slots=True, kw_only=True)
class PhotoSet:
    """One folder, sorted by file name."""

    name: str
    folder: Path
    photos: tuple[LabelledPhoto, ...]
    note: str = ""
    """What the reader had to guess, for the user."""
    target: Target | None = None
    """What the labels mark, where the folder says it."""

    def __len__(self) -> int:
        return len(self.photos)

    def __iter__(self) -> Iterator[LabelledPhoto]:
        return iter(self.photos)


def read_picture(path: Path) -> Image:
    """(H, W, 3) BGR. Raises DatasetError when it is missing or damaged."""
    try:
        picture = read_whole(path)
    except cv2.error:
        raise DatasetError(f"{path}: a picture of more pixels than can be read; make it smaller") from None
    if picture is None:
        raise DatasetError(f"{path}: missing, cut off or not a picture; copy it again or remove it and its label")
    return picture


def read_photos(folder: Path, *, unit: Unit | None = None) -> PhotoSet:
    """``unit`` overrides the guess whether JetBot's labels are pixels or percent. Raises DatasetError."""
    if not folder.is_dir():
        raise DatasetError(f"{folder}: no such folder; give a folder of labelled photographs")
    table = folder / "labels.csv"
    if table.is_file():
        photos = _from_table(table)
        note = ""
    else:
        photos, note = _from_names(folder, unit=unit)
    card = read_card(folder)
    target = card.target if card else None
    return PhotoSet(name=folder.resolve().name, folder=folder, photos=tuple(photos), note=note, target=target)


def _pictures(folder: Path) -> list[Path]:
    return sorted(p for p in folder.iterdir() if p.suffix.lower() in _SUFFIXES and not p.name.startswith("."))


def _from_names(folder: Path, *, unit: Unit | None) -> tuple[list[LabelledPhoto], str]:
    paths = _pictures(folder) or (_pictures(folder / "images") if (folder / "images").is_dir() else [])
    if not paths:
        raise DatasetError(f"{folder}: holds no pictures and no labels.csv; give the folder of the .jpg files")
    jetbot = [_JETBOT.match(path.stem) for path in paths]
    jetracer = [_JETRACER.match(path.stem) for path in paths]
    for path, one, other in zip(paths, jetbot, jetracer, strict=True):
        if not one and not other:
            raise DatasetError(f"{path}: its name is no label; expected xy_X_Y_ID.jpg, X_Y_ID.jpg or a labels.csv")
    if any(jetbot) and any(jetracer):
        raise DatasetError(f"{folder}: mixes JetBot's xy_X_Y_ID and JetRacer's X_Y_ID names; use two folders")
    raws = [(float(m[1]), float(m[2])) for m in (jetbot if any(jetbot) else jetracer) if m]
    decided, note = (unit, "") if unit or any(jetracer) else _guess_unit(raws, first=paths[0])
    sessions = recording_sessions([path.stem for path in paths])
    found = zip(paths, raws, sessions, strict=True)
    return [LabelledPhoto(path=p, raws=(raw,), unit=decided or "pixel", session=s) for p, raw, s in found], note


def _guess_unit(raws: list[tuple[float, float]], *, first: Path) -> tuple[Unit, str]:
    """JetBot's gamepad notebook wrote percent under the same names for a while."""
    if max(max(raw) for raw in raws) > 100 or min(min(raw) for raw in raws) < 0:
        return "pixel", ""
    if read_picture(first).shape[1] < _WIDE_PICTURE:
        return "pixel", ""
    return "percent", "no label exceeds 100 on wide pictures: read as percent; if they are pixels, set the unit"


def _from_table(table: Path) -> list[LabelledPhoto]:
    """Columns ``file`` and either ``x_px, y_px`` (with ``w, h, session`` if known) or ``visible``, or both.

    Several lines may name one picture: each is a point of its line.
    """
    with table.open(newline="", encoding="utf-8-sig") as stream:
        reader = csv.DictReader(stream, skipinitialspace=True)
        try:
            columns, rows = set(reader.fieldnames or ()), list(reader)
        except (csv.Error, UnicodeDecodeError) as error:
            raise DatasetError(f"{table}: not a readable CSV file in UTF-8: {error}") from error
        if "file" not in columns or not ({"x_px", "y_px"} <= columns or "visible" in columns):
            found = ",".join(sorted(columns))
            raise DatasetError(f"{table}: needs the columns file,x_px,y_px or file,visible; found {found}")
    if not rows:
        raise DatasetError(f"{table}: holds no labels; add a line for each picture")
    photos: dict[Path, LabelledPhoto] = {}
    for number, row in enumerate(rows, start=2):
        if None in row or None in row.values():
            raise DatasetError(f"{table}:{number}: holds more or fewer values than the first line names; correct it")
        photo = _row(table, number, row)
        before = photos.get(photo.path)
        photos[photo.path] = photo if before is None else replace(photo, raws=before.raws + photo.raws)
    return list(photos.values())


def _row(table: Path, number: int, row: dict[str, str | None]) -> LabelledPhoto:
    name = row["file"] or ""
    below = table.parent / "images" / name
    path = below if below.is_file() else table.parent / name
    if not name or not path.is_file():
        raise DatasetError(f"{table}:{number}: no picture '{name}' beside it or in images/; copy it or remove the line")
    raws: tuple[tuple[float, float], ...] = ()
    if row.get("x_px") or row.get("y_px"):
        raws = ((_number(table, number, row, "x_px"), _number(table, number, row, "y_px")),)
    seen = row.get("visible")
    if seen not in (None, "", "0", "1"):
        raise DatasetError(f"{table}:{number}: visible is '{seen}', expected 1 (a line) or 0 (none)")
    visible = None if not seen else seen == "1"
    steering, throttle = (
        _number(table, number, row, key) if row.get(key) else None for key in ("steering", "throttle")
    )
    return LabelledPhoto(
        path=path, raws=raws, visible=visible, session=row.get("session") or "0", steering=steering, throttle=throttle
    )


def _number(table: Path, number: int, row: dict[str, str | None], column: str) -> float:
    try:
        value = float(row.get(column) or "")
    except ValueError as error:
        raise DatasetError(f"{table}:{number}: {column} is '{row.get(column)}', expected a number") from error
    if not np.isfinite(value):
        raise DatasetError(f"{table}:{number}: {column} is not finite; correct the label")
    return value
