"""The video of a replay: each picture with the line and the command of then and of now."""

from __future__ import annotations

import cv2
import numpy as np

from control.messages import LineEstimate, LinePoint, Verdict
from robot.sessions.session_tick import Image
from sim.replay.open_loop import Pair

_THEN, _NOW = (150, 150, 150), (40, 220, 40)
_TARGET_THEN, _TARGET_NOW = (120, 120, 200), (40, 40, 255)
_SIDE = 448
_SEEN = 0.5
_TEXT = cv2.FONT_HERSHEY_SIMPLEX


def drawn(pair: Pair, image: Image) -> Image:
    """Recorded in grey rings, replayed in green dots; the followed point in red. (H, W, 3) BGR, enlarged."""
    times = max(1, -(-_SIDE // image.shape[0]))
    canvas = np.asarray(cv2.resize(image, None, fx=times, fy=times, interpolation=cv2.INTER_LINEAR), np.uint8)
    tick, now = pair.recorded.tick, pair.replayed
    size = max(3, canvas.shape[1] // 100)
    _points(canvas, tick.estimate, color=_THEN, size=size + 2, thickness=2)
    if now.looked:
        _points(canvas, now.estimate, color=_NOW, size=size, thickness=-1)
    for target, color in ((tick.decision.target, _TARGET_THEN), (now.decision.target, _TARGET_NOW)):
        if target is not None:
            cv2.circle(canvas, _pixel(canvas, target), 2 * size, color, max(2, size // 2), cv2.LINE_AA)
    canvas[:50] //= 3
    _write(canvas, 18, "then", tick.verdict, (200, 200, 200))
    _write(canvas, 40, "now ", now.verdict, (90, 255, 90))
    return canvas


def _points(canvas: Image, estimate: LineEstimate, *, color: tuple[int, int, int], size: int, thickness: int) -> None:
    for point in estimate.points:
        if point.visible >= _SEEN:
            cv2.circle(canvas, _pixel(canvas, point), size, color, thickness, cv2.LINE_AA)


def _pixel(canvas: Image, point: LinePoint) -> tuple[int, int]:
    height, width = canvas.shape[:2]
    return round((point.x + 1.0) * width / 2.0 - 0.5), round((point.y + 1.0) * height / 2.0 - 0.5)


def _write(canvas: Image, row: int, name: str, verdict: Verdict, color: tuple[int, int, int]) -> None:
    command = verdict.command
    why = f" {verdict.state.value}" + "".join(f", {cause.value}" for cause in verdict.causes[:1])
    text = f"{name} {command.speed_mps:.2f} m/s {command.curvature_1pm:+.1f} 1/m{why}"
    cv2.putText(canvas, text, (6, row), _TEXT, 0.5, color, 1, cv2.LINE_AA)
