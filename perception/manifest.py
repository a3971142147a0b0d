"""The note beside a model: checksums of its files, and golden frames with the answer every engine must give.

``linepilot.json`` belongs to ``linepilot.safetensors``, ``linepilot.onnx``, ``linepilot.int8.onnx`` and so on.
"""

from __future__ import annotations

import hashlib
from math import isfinite
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from control.errors import ModelError
from control.messages import LineEstimate
from perception.files import replace_file
from perception.metadata import ModelMetadata

Image = NDArray[np.uint8]
PIXELS_PER_UNIT = 112.0
"""Half the width of the 224 px picture in which all lateral errors are told."""
_STRICT = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)
_VISIBLE = 0.5
ONE_PLACE = 0.12
"""Largest spread, in image units, of a row that sees one line only."""


class Parity(BaseModel):
    """How far a file's answers lie from the exact network's, over rows that the network sees.

    On pictures that did not calibrate it; in pixels of a 224 px wide picture.
    """

    model_config = _STRICT

    pictures: int = Field(gt=0)
    mean_px: float
    p95_px: float
    max_px: float
    visible_max: float
    """Largest difference of a visibility, over all rows."""


class FileRecord(BaseModel):
    """One file of the model."""

    model_config = _STRICT

    sha256: str
    tolerance_px: float = Field(gt=0)
    """How far its golden points may lie from the recorded ones, in pixels of a 224 px picture."""
    parity: Parity | None = None
    """Measured when it was exported."""


class GoldenPoint(BaseModel):
    model_config = _STRICT

    x: float
    y: float
    visible: float
    spread: float = 0.0


class Golden(BaseModel):
    """Frames stacked in one picture file, and for each target and frame the points of the exact network."""

    model_config = _STRICT

    picture: str
    frames: int = Field(gt=0)
    expected: dict[str, tuple[tuple[GoldenPoint, ...], ...]]


class Manifest(BaseModel):
    model_config = _STRICT

    metadata: ModelMetadata
    files: dict[str, FileRecord] = Field(default_factory=dict)
    golden: Golden | None = None


DEFAULT_TOLERANCE_PX = 2.0
"""For TensorRT engines, which are built from the model elsewhere, mostly in fp16."""
VISIBLE_TOLERANCE = 0.25


def stem_of(path: Path) -> str:
    """``linepilot.int8.onnx`` -> ``linepilot``."""
    return path.name.split(".", maxsplit=1)[0]


def manifest_path(path: Path) -> Path:
    return path.with_name(f"{stem_of(path)}.json")


def load_manifest(path: Path) -> Manifest | None:
    """The manifest beside the model file ``path``, None when there is none. Raises ModelError."""
    where = manifest_path(path)
    if not where.is_file():
        return None
    try:
        return Manifest.model_validate_json(where.read_bytes())
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"]) or "file"
        raise ModelError(f"{where}: {key}: {first['msg']}; export the model again") from error


def save_manifest(path: Path, manifest: Manifest) -> None:
    replace_file(manifest_path(path), (manifest.model_dump_json(indent=1) + "\n").encode())


def forget(path: Path) -> None:
    """Strike a file that is being written anew from the manifest beside it: what was noted is no longer its."""
    manifest = load_manifest(path)
    if manifest and path.name in manifest.files:
        others = {name: record for name, record in manifest.files.items() if name != path.name}
        save_manifest(path, manifest.model_copy(update={"files": others}))


def sha256_of(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def check_content(path: Path, *, content: bytes, manifest: Manifest | None) -> None:
    """Raises ModelError when the file is not the one that the manifest lists."""
    record = manifest.files.get(path.name) if manifest else None
    if record and sha256_of(content) != record.sha256:
        raise ModelError(f"{path}: truncated or altered: not the sha256 in {manifest_path(path).name}; copy it again")


def read_golden(path: Path, golden: Golden) -> list[Image]:
    """The frames, (H, W, 3) BGR. Raises ModelError when the picture is missing or damaged."""
    where = path.parent / Path(golden.picture).name
    try:
        strip = cv2.imread(str(where), cv2.IMREAD_COLOR) if where.is_file() else None
    except cv2.error:  # larger than OpenCV wants to read
        strip = None
    if strip is None or strip.shape[0] % golden.frames:
        raise ModelError(f"{where}: golden frames are missing or damaged; copy the whole model folder again")
    return [np.asarray(frame, dtype=np.uint8) for frame in np.split(strip, golden.frames)]


def difference(estimate: LineEstimate, expected: tuple[GoldenPoint, ...]) -> tuple[float, float]:
    """Largest distance of x in pixels of 224, and of the visibility.

    Only rows whose line is seen, and at one place, count for x: between two candidates rounding may choose.
    """
    if len(estimate.points) != len(expected):
        return float("inf"), 1.0
    pairs = list(zip(estimate.points, expected, strict=True))
    sideways = [abs(p.x - e.x) * PIXELS_PER_UNIT for p, e in pairs if e.visible >= _VISIBLE and e.spread <= ONE_PLACE]
    seen = [abs(p.visible - e.visible) for p, e in pairs]
    if not all(isfinite(apart) for apart in (*sideways, *seen)):
        return float("inf"), 1.0  # a comparison with one that is no number would pass
    return max(sideways, default=0.0), max(seen, default=0.0)


def golden_points(estimate: LineEstimate) -> tuple[GoldenPoint, ...]:
    return tuple(GoldenPoint(x=p.x, y=p.y, visible=p.visible, spread=p.spread) for p in estimate.points)
