"""What a report shows of one drive: its path, its curves, and its worst moment as a strip of pictures."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from robot.drive.tick import Tick
from robot.sessions.session_tick import Image
from sim.world import Truth

_MOST_POINTS = 300
_FRAMES = 20
_AFTER = 8
"""Pictures of the strip that were taken after the worst moment."""
_SIDE = 112


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Detail:
    track: NDArray[np.float32]
    """(N, 2) centre line, metres."""
    path: NDArray[np.float32]
    """(M, 6): x, y, distance driven, lateral error, speed, curvature asked for."""
    strip: bytes
    """JPEG of square pictures side by side."""
    pictures: int
    worst_at_m: float
    """Distance driven at which the error was largest."""


class DetailRecorder:
    """Is shown each tick with its picture; holds a second of small ones."""

    def __init__(self) -> None:
        self._rows: list[tuple[float, ...]] = []
        self._recent: deque[Image] = deque(maxlen=_FRAMES - _AFTER)
        self._strip: list[Image] = []
        self._worst_m, self._worst_at_m, self._since = -1.0, 0.0, 0

    def __call__(self, tick: Tick, _: object, truth: Truth) -> None:
        self._rows.append((
            truth.x, truth.y, truth.distance_m, truth.lateral_error_m, truth.speed_mps,
            tick.verdict.command.curvature_1pm,
        ))  # fmt: skip
        if tick.frame is None:
            return
        small = np.asarray(cv2.resize(tick.frame.image, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA), np.uint8)
        for point in tick.estimate.points:
            if point.visible >= 0.5:
                place = (round((point.x + 1) * _SIDE / 2 - 0.5), round((point.y + 1) * _SIDE / 2 - 0.5))
                cv2.circle(small, place, 1, (40, 220, 40), -1, cv2.LINE_AA)
        self._recent.append(small)
        self._since += 1
        if abs(truth.lateral_error_m) > self._worst_m:
            self._worst_m, self._worst_at_m, self._since = abs(truth.lateral_error_m), truth.distance_m, 0
            self._strip = list(self._recent)
        elif self._since <= _AFTER and self._strip:
            self._strip.append(small)

    def detail(self, track: NDArray[np.float64]) -> Detail:
        rows = np.array(self._rows, np.float32).reshape(-1, 6)
        step = max(1, -(-len(rows) // _MOST_POINTS))
        strip = cv2.imencode(".jpg", np.hstack(self._strip))[1].tobytes() if self._strip else b""
        return Detail(
            track=track.astype(np.float32), path=rows[::step], strip=strip, pictures=len(self._strip),
            worst_at_m=self._worst_at_m,
        )  # fmt: skip
