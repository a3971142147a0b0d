"""Pictures of a session as a folder of labelled photographs, named as JetBot's notebooks do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from control.errors import InputError
from control.messages import LinePoint
from robot.sessions.reader import SessionReader


@dataclass(slots=True, kw_only=True)
class Exported:
    written: int = 0
    unsure: int = 0
    """Pictures without a line that was seen well enough, or with the followed point outside of them."""


def export_photos(
    reader: SessionReader, folder: Path, *, every: int = 1, min_confidence: float = 0.5,
    progress: Callable[[int], None] = lambda _: None,
) -> Exported:  # fmt: skip
    """``xy_X_Y_ID.jpg``, the followed point in pixels; pictures are copied as they were recorded, not encoded again.

    Several sessions may share a folder. Raises SessionError, InputError.
    """
    result = Exported()
    name = reader.path.stem.replace("_", "-")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for count, frame in enumerate(frame for frame in reader.frames() if frame.jpeg):
            progress(count)
            if count % every:
                continue
            image, target = frame.image(), frame.target
            if image is None or target is None or frame.message.estimate.confidence < min_confidence:
                result.unsure += 1
                continue
            height, width = image.shape[:2]
            x, y = _pixel(target, width=width, height=height)
            if not (0 <= x < width and 0 <= y < height):
                result.unsure += 1
                continue
            (folder / f"xy_{x:03d}_{y:03d}_{name}-{frame.number:06d}.jpg").write_bytes(frame.jpeg or b"")
            result.written += 1
    except OSError as error:
        raise InputError(f"{folder}: cannot be written ({error.strerror}); choose another place") from error
    return result


def _pixel(point: LinePoint, *, width: int, height: int) -> tuple[int, int]:
    """As the readers of such names undo it."""
    return round((point.x + 1.0) * width / 2.0), round((point.y + 1.0) * height / 2.0)
