"""Some frames of a drive side by side, with the line that was seen, the point that was followed and the command."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from control.errors import InputError
from perception.files import replace_file
from robot.cameras.source import Image
from robot.drive.tick import Tick

_CELL = 224
_COLUMNS = 4
_ROWS = 3
_SEEN, _UNSEEN, _FOLLOWED, _TEXT = (40, 40, 255), (150, 150, 150), (40, 220, 40), (255, 255, 255)


def save_frame_sheet(path: Path, ticks: Sequence[Tick]) -> None:
    """A .png or .jpg of up to 12 frames. Raises InputError."""
    suffix = path.suffix.lower()
    if suffix not in (".png", ".jpg", ".jpeg"):
        raise InputError(f"{path}: a picture ends in .png or .jpg")
    wanted = _COLUMNS * _ROWS
    picked = [ticks[round(i)] for i in np.linspace(0, len(ticks) - 1, min(wanted, len(ticks)))]
    cells = [_drawn(tick) for tick in picked]
    cells += [np.zeros_like(cells[0])] * (-len(cells) % _COLUMNS)
    lines = [np.concatenate(cells[i : i + _COLUMNS], axis=1) for i in range(0, len(cells), _COLUMNS)]
    replace_file(path, cv2.imencode(suffix, np.concatenate(lines))[1].tobytes())


def _drawn(tick: Tick) -> Image:
    assert tick.frame is not None
    cell = np.asarray(cv2.resize(tick.frame.image, (_CELL, _CELL), interpolation=cv2.INTER_AREA), np.uint8)
    for point in tick.estimate.points:
        cv2.circle(cell, _pixel(point.x, point.y), 2, _SEEN if point.visible >= 0.5 else _UNSEEN, -1, cv2.LINE_AA)
    target = tick.decision.target
    if target is not None:
        cv2.circle(cell, _pixel(target.x, target.y), 6, _FOLLOWED, 2, cv2.LINE_AA)
    command = tick.verdict.command
    _write(cell, f"{tick.now_s:.1f} s  {command.speed_mps:.2f} m/s  {command.curvature_1pm:+.1f} 1/m", line=0)
    _write(cell, ", ".join(cause.value for cause in tick.verdict.causes), line=1)
    return cell


def _write(cell: Image, text: str, *, line: int) -> None:
    place = (4, 14 + 14 * line)
    cv2.putText(cell, text, place, cv2.FONT_HERSHEY_SIMPLEX, 0.38, (0, 0, 0), 3, cv2.LINE_AA)
    cv2.putText(cell, text, place, cv2.FONT_HERSHEY_SIMPLEX, 0.38, _TEXT, 1, cv2.LINE_AA)


def _pixel(x: float, y: float) -> tuple[int, int]:
    return round((x + 1) * _CELL / 2 - 0.5), round((y + 1) * _CELL / 2 - 0.5)
