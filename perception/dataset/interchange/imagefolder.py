"""Hugging Face's imagefolder: pictures with a metadata.jsonl beside them, in one folder for each part."""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from control.errors import DatasetError
from perception.dataset.photos import LabelledPhoto, PhotoSet
from perception.dataset.store import free_name, new_folder

_NAMES = ("metadata.jsonl", "metadata.csv")


def is_imagefolder(folder: Path) -> bool:
    return bool(_tables(folder))


def _tables(folder: Path) -> list[Path]:
    places = (folder, *sorted(p for p in folder.iterdir() if p.is_dir()), *sorted(folder.glob("data/*/")))
    return [place / name for place in places for name in _NAMES if (place / name).is_file()]


def read_imagefolder(folder: Path) -> PhotoSet:
    """``file_name`` and ``points`` [[x, y], ...] or ``x``, ``y``, in pixels; also visible, session. DatasetError."""
    tables = _tables(folder)
    if not tables:
        raise DatasetError(
            f"{folder}: no metadata.jsonl nor metadata.csv; give the folder that holds it, or its parent"
        )
    photos = []
    for table in tables:
        part = "" if table.parent == folder else f"{table.parent.name}-"
        for number, row in _rows(table):
            try:
                photos.append(_photo(table, row, prefix=part))
            except (KeyError, ValueError, TypeError) as error:
                raise DatasetError(
                    f"{table}:{number}: needs file_name, and points or x and y in pixels; got {sorted(row)} ({error})"
                ) from error
    return PhotoSet(name=folder.resolve().name, folder=folder, photos=tuple(photos))


def _rows(table: Path) -> list[tuple[int, dict[str, Any]]]:
    try:
        text = table.read_text(encoding="utf-8-sig")
        if table.suffix == ".csv":
            return list(enumerate(csv.DictReader(text.splitlines()), start=2))
        rows = [(n, json.loads(line)) for n, line in enumerate(text.splitlines(), start=1) if line.strip()]
    except (ValueError, csv.Error) as error:
        raise DatasetError(f"{table}: cannot be read ({error}); export it again") from error
    return [(number, row if isinstance(row, dict) else {}) for number, row in rows]


def _photo(table: Path, row: dict[str, Any], *, prefix: str) -> LabelledPhoto:
    if isinstance(row.get("points"), list):
        raws = tuple((float(x), float(y)) for x, y in row["points"])
    else:
        raws = ((float(row["x"]), float(row["y"])),) if row.get("x") not in (None, "") else ()
    seen = row.get("visible")
    return LabelledPhoto(
        path=table.parent / str(row["file_name"]), raws=raws, session=f"{prefix}{row.get('session') or '0'}",
        visible=None if seen in (None, "") else str(seen).lower() in ("1", "true"),
        steering=_number(row.get("steering")), throttle=_number(row.get("throttle")),
    )  # fmt: skip


def _number(value: object) -> float | None:
    return None if value in (None, "") else float(str(value))


def write_imagefolder(folder: Path, photos: Sequence[LabelledPhoto]) -> int:
    """One folder ``train``; sessions are a column, so that splits stay by session."""
    taken: set[str] = set()
    lines = []
    with new_folder(folder) as unfinished:
        place = unfinished / "train"
        place.mkdir()
        for photo in photos:
            picture, labels = photo.read_all()
            height, width = picture.shape[:2]
            name = free_name(photo.path.name, taken)
            shutil.copyfile(photo.path, place / name)
            points = [[round((p.x + 1) * width / 2, 2), round((p.y + 1) * height / 2, 2)] for p in labels]
            row = {"file_name": name, "points": points, "visible": photo.visible, "session": photo.session,
                   "steering": photo.steering, "throttle": photo.throttle}  # fmt: skip
            lines.append(json.dumps(row))
        (place / "metadata.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return len(lines)
