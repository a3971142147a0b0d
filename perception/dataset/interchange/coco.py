"""COCO keypoints: one JSON file of images and annotations, whose keypoints are the points of the line."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from control.errors import DatasetError
from perception.dataset.photos import LabelledPhoto, PhotoSet
from perception.dataset.store import free_name, new_folder

_FILE = "annotations.json"


def is_coco(folder: Path) -> bool:
    return _table(folder) is not None


def _table(folder: Path) -> Path | None:
    places = [*sorted(folder.glob("*.json")), *sorted((folder / "annotations").glob("*.json"))]
    return next((path for path in places if _is_table(path)), None)


def _is_table(path: Path) -> bool:
    with path.open("rb") as stream:
        text = stream.read(2_000_000)
    return b'"annotations"' in text and b'"images"' in text


def read_coco(folder: Path) -> PhotoSet:
    """Keypoints with v > 0; an image without annotations says nothing, one with none visible says "no line"."""
    path = _table(folder)
    if path is None:
        raise DatasetError(f"{folder}: no JSON file with COCO's images and annotations; give the folder that holds it")
    try:
        content = json.loads(path.read_bytes())
        images = {entry["id"]: entry for entry in content["images"]}
        points: dict[Any, list[tuple[float, float]]] = {}
        for annotation in content["annotations"]:
            flat = annotation.get("keypoints", [])
            seen = [(float(x), float(y)) for x, y, v in zip(flat[::3], flat[1::3], flat[2::3], strict=True) if v > 0]
            points.setdefault(annotation["image_id"], []).extend(seen)
        photos = [_photo(folder, entry, points.get(key)) for key, entry in images.items()]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise DatasetError(f"{path}: not COCO's format ({type(error).__name__}: {error}); export it again") from error
    if not photos:
        raise DatasetError(f"{path}: names no images; export it again")
    return PhotoSet(name=folder.resolve().name, folder=folder, photos=tuple(photos))


def _photo(folder: Path, entry: dict[str, Any], points: list[tuple[float, float]] | None) -> LabelledPhoto:
    name = str(entry["file_name"])
    places = (folder / name, folder / "images" / name, folder / "images" / Path(name).name)
    path = next((place for place in places if place.is_file()), places[0])
    visible = None if points is None else bool(points)
    return LabelledPhoto(path=path, raws=tuple(points or ()), visible=visible, session=str(entry.get("session", "0")))


def write_coco(folder: Path, photos: Sequence[LabelledPhoto]) -> int:
    """One category ``line`` with as many keypoints as the longest line has."""
    images: list[dict[str, Any]] = []
    lines: list[list[float]] = []
    taken: set[str] = set()
    with new_folder(folder) as unfinished:
        (unfinished / "images").mkdir()
        for photo in photos:
            picture, labels = photo.read_all()
            height, width = picture.shape[:2]
            name = free_name(photo.path.name, taken)
            shutil.copyfile(photo.path, unfinished / "images" / name)
            number = len(images) + 1
            images.append({"id": number, "file_name": name, "width": width, "height": height, "session": photo.session})
            lines.append([v for p in labels for v in ((p.x + 1) * width / 2, (p.y + 1) * height / 2, 2)])
        longest = max((len(line) // 3 for line in lines), default=0)
        annotations = [
            _annotation(image, line, longest=longest)
            for image, line, photo in zip(images, lines, photos, strict=True)
            if photo.is_labelled
        ]
        names = [f"p{i}" for i in range(longest)]
        category = {"id": 1, "name": "line", "keypoints": names, "skeleton": [[i, i + 1] for i in range(1, longest)]}
        content = {"images": images, "annotations": annotations, "categories": [category]}
        (unfinished / _FILE).write_text(json.dumps(content), encoding="utf-8")
    return len(images)


def _annotation(image: dict[str, Any], line: list[float], *, longest: int) -> dict[str, Any]:
    xs, ys = line[::3] or [0.0], line[1::3] or [0.0]
    box = [min(xs), min(ys), max(xs) - min(xs), max(ys) - min(ys)]
    return {
        "id": image["id"], "image_id": image["id"], "category_id": 1, "iscrowd": 0, "area": box[2] * box[3],
        "bbox": box, "num_keypoints": len(line) // 3, "keypoints": line + [0] * (3 * longest - len(line)),
    }  # fmt: skip
