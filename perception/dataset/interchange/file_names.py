"""Labels in file names: JetBot (pixels or percent) and JetRacer with its folders of categories."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

from control.errors import DatasetError
from perception.dataset.photos import LabelledPhoto, PhotoLabel, PhotoSet, Unit, read_photos
from perception.dataset.store import free_name, new_folder

_SUFFIXES = (".jpg", ".jpeg", ".png")


def read_named(folder: Path, *, unit: Unit | None, category: str | None) -> PhotoSet:
    """A flat folder, or a task of JetRacer's with a folder for each category. Raises DatasetError."""
    categories = sorted(p.name for p in folder.iterdir() if p.is_dir() and p.name != "images" and _has_pictures(p))
    if not categories or _has_pictures(folder):
        if category is not None:
            raise DatasetError(f"{folder}: has no categories; leave --category out")
        return read_photos(folder, unit=unit)
    if category is None and len(categories) > 1:
        raise DatasetError(f"{folder}: has the categories {', '.join(categories)}; choose one with --category")
    name = category or categories[0]
    if name not in categories:
        raise DatasetError(f"{folder}: no category '{name}'; there are {', '.join(categories)}")
    return read_photos(folder / name, unit=unit)


def write_jetbot(folder: Path, photos: Sequence[LabelledPhoto]) -> int:
    """``xy_XXX_YYY_ID``, pixels."""
    return _write(folder, photos, lambda p, w, h: f"xy_{_places(p, w, h, 3)}")


def write_jetbot_percent(folder: Path, photos: Sequence[LabelledPhoto]) -> int:
    """The same names with percent of the picture's sides."""
    return _write(folder, photos, lambda p, _w, _h: f"xy_{_places(p, 100, 100, 3)}")


def write_jetracer(folder: Path, photos: Sequence[LabelledPhoto]) -> int:
    """``X_Y_ID`` in a category ``line``."""
    return _write(folder, photos, lambda p, w, h: _places(p, w, h, 1), below="line")


def _write(
    folder: Path, photos: Sequence[LabelledPhoto], name: Callable[[PhotoLabel, int, int], str], *, below: str = ""
) -> int:
    """One point a picture is all that such a name can hold: the first."""
    taken: set[str] = set()
    with new_folder(folder) as unfinished:
        (unfinished / below).mkdir(exist_ok=True)
        for photo in photos:
            picture, label = photo.read()
            if label is not None:
                ending = photo.path.stem.rsplit("_", 1)[-1]
                file = f"{name(label, picture.shape[1], picture.shape[0])}_{ending}{photo.path.suffix}"
                shutil.copyfile(photo.path, unfinished / below / free_name(file, taken))
    return len(taken)


def _places(label: PhotoLabel, width: int, height: int, digits: int) -> str:
    x, y = round((label.x + 1) * width / 2), round((label.y + 1) * height / 2)
    return f"{x:0{digits}d}_{y:0{digits}d}"


def _has_pictures(folder: Path) -> bool:
    return any(path.suffix.lower() in _SUFFIXES for path in folder.iterdir())
