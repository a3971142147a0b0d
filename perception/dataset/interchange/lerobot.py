"""LeRobotDataset v3: Parquet tables (extra ``parquet``) with pictures inside or in MP4 files; steering as action."""

from __future__ import annotations

import atexit
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import cv2

from control.errors import DatasetError, MissingExtraError
from perception.dataset.photos import LabelledPhoto, PhotoSet
from perception.dataset.store import new_folder
from perception.files import replace_file

_FPS = 20
_PNG = b"\x89PNG"
_CAMERA = "observation.images.front"
_DATA, _VIDEO = "data/chunk-000/file-000.parquet", "videos/{key}/chunk-{chunk:03d}/file-{file:03d}.mp4"
_EPISODES = "meta/episodes/chunk-000/file-000.parquet"


def is_lerobot(folder: Path) -> bool:
    return (folder / "meta" / "info.json").is_file()


def _pyarrow() -> tuple[Any, Any]:
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError as error:
        raise MissingExtraError("pyarrow", extra="parquet", purpose="LeRobot's format") from error
    return pyarrow, parquet


def read_lerobot(folder: Path) -> PhotoSet:
    """Pictures are unpacked to a temporary folder; an episode is a session. Raises DatasetError, MissingExtraError."""
    arrow, parquet = _pyarrow()
    try:
        info = json.loads((folder / "meta" / "info.json").read_bytes())
        features = dict(info["features"])
        version = str(info["codebase_version"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DatasetError(
            f"{folder}/meta/info.json: not LeRobot's ({type(error).__name__}); export it again"
        ) from error
    if not version.startswith("v3"):
        raise DatasetError(
            f"{folder}: is LeRobot's format {version}; convert it to v3.0 with LeRobot's own script first"
        )
    camera = next((key for key, value in features.items() if value.get("dtype") in ("image", "video")), None)
    if camera is None:
        raise DatasetError(f"{folder}: has no camera among its features ({', '.join(features)})")
    scratch = TemporaryDirectory(prefix="linepilot-lerobot-")
    atexit.register(scratch.cleanup)
    try:
        tables = [parquet.read_table(path) for path in sorted(folder.glob("data/*/*.parquet"))]
        rows = [row for table in tables for row in table.to_pylist()]
        if features[camera]["dtype"] == "video":
            episodes = [
                e for p in sorted(folder.glob("meta/episodes/*/*.parquet")) for e in parquet.read_table(p).to_pylist()
            ]
            pictures = _film(
                folder, rows, {e["episode_index"]: e for e in episodes}, key=camera, place=Path(scratch.name)
            )
        else:
            pictures = _stills(rows, key=camera, place=Path(scratch.name))
        photos = [_photo(path, row) for path, row in zip(pictures, rows, strict=False)]
    except (arrow.ArrowException, OSError, KeyError, TypeError, ValueError) as error:
        raise DatasetError(f"{folder}: cannot be read ({type(error).__name__}: {error}); copy it again") from error
    if not photos:
        raise DatasetError(f"{folder}: holds no frames; copy it again")
    note = "LeRobot keeps actions, not points: label the pictures before training on them"
    return PhotoSet(
        name=folder.resolve().name, folder=folder, photos=tuple(photos), note="" if photos[0].raws else note
    )  # fmt: skip


def _photo(path: Path, row: dict[str, Any]) -> LabelledPhoto:
    action = list(row.get("action") or ())
    steering, throttle = (float(action[0]), float(action[1])) if len(action) == 2 else (None, None)
    flat = list(row.get("observation.line") or ())
    raws = tuple((float(x), float(y)) for x, y in zip(flat[::2], flat[1::2], strict=True) if x == x)
    return LabelledPhoto(
        path=path, raws=raws, session=str(row.get("episode_index", 0)), steering=steering, throttle=throttle
    )


def _stills(rows: list[dict[str, Any]], *, key: str, place: Path) -> Iterator[Path]:
    for number, row in enumerate(rows):
        content = bytes(row[key]["bytes"])
        suffix = ".png" if content.startswith(_PNG) else ".jpg"
        path = place / f"{number:06d}{suffix}"
        path.write_bytes(content)
        yield path


def _film(
    folder: Path, rows: list[dict[str, Any]], episodes: dict[int, dict[str, Any]], *, key: str, place: Path
) -> Iterator[Path]:
    """Frames of one file follow each other, so that no seeking is needed."""
    film, opened, shown = None, "", -1
    for number, row in enumerate(rows):
        episode = episodes[row["episode_index"]]
        name = _VIDEO.format(
            key=key, chunk=episode[f"videos/{key}/chunk_index"], file=episode[f"videos/{key}/file_index"]
        )
        if name != opened:
            film, opened, shown = cv2.VideoCapture(str(folder / name)), name, -1
        assert film is not None
        fps = film.get(cv2.CAP_PROP_FPS) or float(_FPS)
        wanted = round((episode[f"videos/{key}/from_timestamp"] + row["timestamp"]) * fps)
        picture = None
        while shown < wanted:
            found, picture = film.read()
            if not found:
                raise ValueError(f"{name} ends before frame {wanted}; or OpenCV cannot decode it")
            shown += 1
        if picture is None:
            raise ValueError(f"{name}: two rows name frame {wanted}")
        path = place / f"{number:06d}.jpg"
        cv2.imwrite(str(path), picture, [cv2.IMWRITE_JPEG_QUALITY, 95])
        yield path


def write_lerobot(folder: Path, photos: Sequence[LabelledPhoto]) -> int:
    """A session is an episode; the first point, in pixels, is ``observation.line``; NaN where there is none."""
    arrow, parquet = _pyarrow()
    sessions = sorted({photo.session for photo in photos})
    nan = float("nan")
    rows: list[dict[str, Any]] = []
    episodes: list[dict[str, Any]] = []
    shape = (0, 0)
    for number, session in enumerate(sessions):
        mine = [photo for photo in photos if photo.session == session]
        first = len(rows)
        for frame, photo in enumerate(mine):
            picture, labels = photo.read_all()
            shape = (picture.shape[0], picture.shape[1])
            line = [(labels[0].x + 1) * shape[1] / 2, (labels[0].y + 1) * shape[0] / 2] if labels else [nan, nan]
            action = [
                nan if photo.steering is None else photo.steering,
                nan if photo.throttle is None else photo.throttle,
            ]
            rows.append({
                _CAMERA: {"bytes": photo.path.read_bytes(), "path": photo.path.name}, "action": action,
                "observation.line": line, "timestamp": frame / _FPS, "frame_index": frame, "episode_index": number,
                "index": len(rows), "task_index": 0,
            })  # fmt: skip
        episodes.append({
            "episode_index": number, "tasks": ["follow the line"], "length": len(mine), "data/chunk_index": 0,
            "data/file_index": 0, "dataset_from_index": first, "dataset_to_index": len(rows),
            "meta/episodes/chunk_index": 0, "meta/episodes/file_index": 0,
        })  # fmt: skip
    with new_folder(folder) as unfinished:
        tables = {
            _DATA: arrow.Table.from_pylist(rows, schema=_schema(arrow)), _EPISODES: arrow.Table.from_pylist(episodes),
            "meta/tasks.parquet": arrow.Table.from_pylist([{"task_index": 0, "task": "follow the line"}]),
        }  # fmt: skip
        for name, table in tables.items():
            (unfinished / name).parent.mkdir(parents=True, exist_ok=True)
            parquet.write_table(table, unfinished / name)
        replace_file(
            unfinished / "meta" / "info.json", json.dumps(_info(rows, episodes, shape=shape), indent=2).encode()
        )
        replace_file(unfinished / "meta" / "stats.json", b"{}\n")
    return len(rows)


def _schema(arrow: Any) -> Any:
    numbers, whole = arrow.list_(arrow.float32(), 2), arrow.int64()
    picture = arrow.struct([("bytes", arrow.binary()), ("path", arrow.string())])
    indices = [(name, whole) for name in ("frame_index", "episode_index", "index", "task_index")]
    named = [(_CAMERA, picture), ("action", numbers), ("observation.line", numbers), ("timestamp", arrow.float32())]
    return arrow.schema([*named, *indices])


def _info(rows: list[dict[str, Any]], episodes: list[dict[str, Any]], *, shape: tuple[int, int]) -> dict[str, Any]:
    numbers = {"dtype": "float32", "shape": [2]}
    indices = {name: {"dtype": "int64", "shape": [1], "names": None}
               for name in ("frame_index", "episode_index", "index", "task_index")}  # fmt: skip
    features = {
        _CAMERA: {"dtype": "image", "shape": [*shape, 3], "names": ["height", "width", "channels"]},
        "action": {**numbers, "names": ["steering", "throttle"]}, "observation.line": {**numbers, "names": ["x", "y"]},
        "timestamp": {"dtype": "float32", "shape": [1], "names": None}, **indices,
    }  # fmt: skip
    return {
        "codebase_version": "v3.0", "robot_type": "linepilot", "total_episodes": len(episodes),
        "total_frames": len(rows), "total_tasks": 1, "chunks_size": 1000, "data_files_size_in_mb": 100,
        "video_files_size_in_mb": 500, "fps": _FPS, "splits": {"train": f"0:{len(episodes)}"},
        "data_path": "data/chunk-{chunk_index:03d}/file-{file_index:03d}.parquet", "video_path": None,
        "features": features,
    }  # fmt: skip
