"""FaBo's JetRacer folders: steering in the names of xy/, speed in those of speed/."""

from __future__ import annotations

import re
import shutil
from collections.abc import Sequence
from pathlib import Path

from control.errors import DatasetError
from perception.dataset.photos import LabelledPhoto, PhotoSet
from perception.dataset.store import new_folder

_XY = re.compile(r"(-?\d+)_112_(\d+)$")
"""X is steering 0..224, Y a dummy."""
_SPEED = re.compile(r"0_(-?\d+)_(\d+)$")
_HALF = 112.0


def is_fabo(folder: Path) -> bool:
    names = [path.stem for path in _pictures(folder / "xy")]
    return bool(names) and all(_XY.match(name) for name in names)


def read_fabo(folder: Path) -> PhotoSet:
    """Raises DatasetError."""
    speeds = {m[2]: float(m[1]) for p in _pictures(folder / "speed") if (m := _SPEED.match(p.stem))}
    photos = []
    for path in _pictures(folder / "xy"):
        found = _XY.match(path.stem)
        if not found:
            raise DatasetError(f"{path}: its name is none of FaBo's, STEERING_112_NUMBER.jpg; remove it")
        throttle = speeds[found[2]] / _HALF - 1 if found[2] in speeds else None
        photos.append(LabelledPhoto(path=path, raws=(), steering=float(found[1]) / _HALF - 1, throttle=throttle))
    if not photos:
        raise DatasetError(f"{folder}: no pictures in its xy/; give the folder above xy/ and speed/")
    note = "FaBo keeps steering, not points: label the pictures before training on them"
    return PhotoSet(name=folder.resolve().name, folder=folder, photos=tuple(photos), note=note)


def write_fabo(folder: Path, photos: Sequence[LabelledPhoto]) -> int:
    """Pictures without recorded steering get the label's x, which is what JetRacer steers by."""
    count = 0
    with new_folder(folder) as unfinished:
        for name in ("xy", "speed"):
            (unfinished / name).mkdir()
        for photo in photos:
            label = photo.read()[1]
            steering = photo.steering if photo.steering is not None else label.x if label else None
            if steering is None:
                continue
            number = f"{count:05d}{photo.path.suffix}"
            shutil.copyfile(photo.path, unfinished / "xy" / f"{round((steering + 1) * _HALF)}_112_{number}")
            if photo.throttle is not None:
                speed = f"0_{round((photo.throttle + 1) * _HALF)}_{number}"
                shutil.copyfile(photo.path, unfinished / "speed" / speed)
            count += 1
    return count


def _pictures(folder: Path) -> list[Path]:
    if not folder.is_dir():
        return []
    found = (p for p in folder.iterdir() if p.suffix.lower() in (".jpg", ".jpeg", ".png"))
    return sorted(found, key=lambda path: (path.stem.rsplit("_", 1)[-1], path.name))
