"""Donkeycar's tub, version 2: manifest.json, catalogs of records, and pictures in images/."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from control.errors import DatasetError
from perception.dataset.photos import LabelledPhoto, PhotoSet
from perception.dataset.store import new_folder

_INPUTS = ("cam/image_array", "user/angle", "user/throttle", "user/mode")
_TYPES = ("image_array", "float", "float", "str")


def is_tub(folder: Path) -> bool:
    return bool(_catalogs_there(folder)) or (folder / "manifest.json").is_file()


def read_tub(folder: Path) -> PhotoSet:
    """Deleted records are left out. A torn manifest costs the list of those, not the tub. Raises DatasetError."""
    state = _state(folder)
    catalogs, deleted = _catalogs_there(folder), set()
    notes = ["a tub keeps steering, not points: label the pictures before training on them"]
    if state is None:
        notes.append("its manifest.json is torn: deleted records are not known and come back")
    else:
        deleted = set(state.get("deleted_indexes", ()))
        named = [folder / str(name) for name in state.get("paths", ())]
        missing = [path.name for path in named if not path.is_file()]
        notes += [f"{', '.join(missing)} is missing"] if missing else []
        catalogs = [path for path in named if path.is_file()]
    photos, torn = [], 0
    for record in (record for path in catalogs for record in _records(path)):
        if record is None or not isinstance(record.get("cam/image_array"), str):
            torn += 1
        elif record.get("_index") not in deleted:
            photos.append(_photo(folder, record))
    notes += [f"{torn} torn records left out"] if torn else []
    if not photos:
        raise DatasetError(f"{folder}: a tub without records; give the folder that holds manifest.json and images/")
    return PhotoSet(name=folder.resolve().name, folder=folder, photos=tuple(photos), note="; ".join(notes))


def _state(folder: Path) -> dict[str, Any] | None:
    """The manifest's last line; None when it is torn."""
    path = folder / "manifest.json"
    try:
        lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    except (OSError, ValueError):
        return None
    last = lines[-1] if lines else None
    return last if isinstance(last, dict) and "paths" in last else None


def _catalogs_there(folder: Path) -> list[Path]:
    """By number: a tub may begin at any, and 10 comes after 9."""
    found = [(int(m[1]), path) for path in folder.glob("catalog_*.catalog") if (m := re.search(r"_(\d+)$", path.stem))]
    return [path for _, path in sorted(found)]


def _records(path: Path) -> Iterator[dict[str, Any] | None]:
    for line in path.read_bytes().split(b"\n"):
        if line.strip(b" \r\0"):
            try:
                record = json.loads(line)
            except ValueError:
                record = None
            yield record if isinstance(record, dict) else None


def _photo(folder: Path, record: dict[str, Any]) -> LabelledPhoto:
    return LabelledPhoto(
        path=folder / "images" / Path(record["cam/image_array"]).name, raws=(),
        steering=_number(record.get("user/angle")), throttle=_number(record.get("user/throttle")),
        session=str(record.get("_session_id", "0")),
    )  # fmt: skip


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) else None


def write_tub(folder: Path, photos: Sequence[LabelledPhoto]) -> int:
    """Pictures without recorded steering get the label's x as angle and no throttle."""
    records: list[str] = []
    with new_folder(folder) as unfinished:
        (unfinished / "images").mkdir()
        for photo in photos:
            label = photo.read()[1]
            steering = photo.steering if photo.steering is not None else label.x if label else None
            if steering is None:
                continue
            index = len(records)
            name = f"{index}_cam_image_array_{photo.path.suffix}"
            shutil.copyfile(photo.path, unfinished / "images" / name)
            values = (name, max(-1.0, min(1.0, steering)), photo.throttle or 0.0, "user")
            head = {"_index": index, "_session_id": photo.session, "_timestamp_ms": 50 * index}
            records.append(json.dumps({**head, **dict(zip(_INPUTS, values, strict=True))}))
        text = "\n".join(records) + "\n"
        (unfinished / "catalog_0.catalog").write_text(text, encoding="utf-8")
        lengths = [len(record) + 1 for record in records]
        about = {"created_at": 0.0, "line_lengths": lengths, "path": "catalog_0.catalog_manifest", "start_index": 0}
        (unfinished / "catalog_0.catalog_manifest").write_text(json.dumps(about), encoding="utf-8")
        state = {"paths": ["catalog_0.catalog"], "current_index": len(records), "max_len": 1000, "deleted_indexes": []}
        lines: tuple[object, ...] = (list(_INPUTS), list(_TYPES), {}, {"created_at": 0.0}, state)
        (unfinished / "manifest.json").write_text("".join(json.dumps(x) + "\n" for x in lines), encoding="utf-8")
    return len(records)
