"""Writing a data set: images/, labels.csv and dataset.json, whole or not at all; pictures are copied byte for byte."""

from __future__ import annotations

import csv
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from io import StringIO
from pathlib import Path

from control.errors import DatasetError, InputError
from perception.dataset.card import CARD, DataSetCard
from perception.dataset.photos import LabelledPhoto, PhotoSet, read_picture
from perception.files import replace_file

COLUMNS = ("file", "w", "h", "session", "visible", "x_px", "y_px", "steering", "throttle")
_MANY = 10_000_000


@dataclass(slots=True, kw_only=True)
class Written:
    pictures: int = 0
    left_out: list[str] = field(default_factory=list)
    """A sentence for each picture that was not taken."""


def write_data_set(
    folder: Path,
    photos: Sequence[LabelledPhoto],
    *,
    card: DataSetCard,
    progress: Callable[[int], None] = lambda _: None,
) -> Written:
    """``folder`` must be new or empty. Pictures that cannot be read, or whose label lies far outside, are left out.

    Raises InputError when nothing is left or the disk refuses.
    """
    result = Written()
    with new_folder(folder) as unfinished:
        rows: list[tuple[str | int | float, ...]] = []
        names: set[str] = set()
        for number, photo in enumerate(photos):
            progress(number)
            try:
                picture, labels = photo.read_all()
            except DatasetError as error:
                result.left_out.append(str(error))
                continue
            name = free_name(photo.path.name, names)
            _copy(photo.path, unfinished / "images" / name)
            height, width = picture.shape[:2]
            points = [((p.x + 1) * width / 2, (p.y + 1) * height / 2) for p in labels]
            rows += table_rows(name, photo, points, width=width, height=height)
            result.pictures += 1
        if not result.pictures:
            first = f": {result.left_out[0]}" if result.left_out else ""
            raise DatasetError(f"{folder}: no picture can be taken{first}")
        replace_file(unfinished / "labels.csv", table_text(rows).encode())
        replace_file(unfinished / CARD, (card.model_dump_json(indent=2) + "\n").encode())
    return result


def table_rows(
    name: str, photo: LabelledPhoto, points: Sequence[tuple[float, float]], *, width: int, height: int
) -> list[tuple[str | int | float, ...]]:
    """The lines of labels.csv for one picture; ``points`` in its pixels."""
    seen = "" if photo.visible is None else int(photo.visible)
    ends = ("" if photo.steering is None else photo.steering, "" if photo.throttle is None else photo.throttle)
    places: Sequence[tuple[float | str, float | str]] = [(round(x, 2), round(y, 2)) for x, y in points] or [("", "")]
    return [(name, width, height, photo.session, seen, x, y, *ends) for x, y in places]


def table_text(rows: Sequence[Sequence[str | int | float]]) -> str:
    text = StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(COLUMNS)
    table.writerows(rows)
    return text.getvalue()


def write_labels(folder: Path, photos: Sequence[LabelledPhoto]) -> None:
    """Replace the labels.csv of a data set; its pictures stay. Raises DatasetError, InputError."""
    rows: list[tuple[str | int | float, ...]] = []
    for photo in photos:
        height, width = read_picture(photo.path).shape[:2]
        points = [((p.x + 1) * width / 2, (p.y + 1) * height / 2) for p in photo.labels(width=width, height=height)]
        rows += table_rows(photo.path.name, photo, points, width=width, height=height)
    replace_file(folder / "labels.csv", table_text(rows).encode())


def write_card(folder: Path, card: DataSetCard) -> None:
    replace_file(folder / CARD, (card.model_dump_json(indent=2) + "\n").encode())


def with_prefix(photos: PhotoSet, prefix: str) -> list[LabelledPhoto]:
    """Sessions named after where they came from, so that two data sets can be one."""
    return [replace(photo, session=f"{prefix}-{photo.session}") for photo in photos]


@contextmanager
def new_folder(folder: Path) -> Iterator[Path]:
    """A folder beside it to write to, which takes its name when all went well. Raises InputError."""
    if folder.exists() and not (folder.is_dir() and not any(folder.iterdir())):
        raise InputError(f"{folder}: exists already; give the name of a new folder")
    unfinished = folder.absolute().with_name(f".{folder.absolute().name}.{os.getpid()}.part")
    try:
        unfinished.mkdir(parents=True)
        yield unfinished
        if folder.exists():
            folder.rmdir()
        unfinished.replace(folder)
    except OSError as error:
        raise InputError(
            f"{folder}: cannot be written ({error.strerror}); make room, or choose another place"
        ) from error
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def free_name(name: str, taken: set[str]) -> str:
    """``name``, or with a number before its suffix when it is taken; it is taken from now on."""
    path = Path(name)
    found = next(n for i in range(1, _MANY) if (n := name if i == 1 else f"{path.stem}-{i}{path.suffix}") not in taken)
    taken.add(found)
    return found


def _copy(source: Path, place: Path) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, place)
