"""What the loop knows about itself: is the picture alive and usable, how old is it, how many were dropped."""

from __future__ import annotations

from collections import deque

from control.messages import Health
from robot.cameras.source import Frame, Image

_FROZEN_FRAMES = 5
_DARK, _BRIGHT = 4.0, 251.0
_WINDOW_FRAMES = 90
_SPARSE = 8
"""Every eighth pixel tells a frozen, black or white picture as well as all of them, for 1 % of the time."""


class HealthMonitor:
    def __init__(self) -> None:
        self._last: bytes | None = None
        self._same = 0
        self._bad = 0
        self._gaps: deque[int] = deque(maxlen=_WINDOW_FRAMES)
        self._index: int | None = None
        self.motors_ok = True

    def read(self, frame: Frame, *, now_s: float, exposed_s: float, confidence: float, needs_line: bool = True) -> Health:
        """``exposed_s`` is the estimated time of exposure, so the age counts the camera's own delay too."""
        self._watch(frame.image)
        if self._index is not None:
            self._gaps.append(max(0, frame.index - self._index - 1))
        self._index = frame.index
        missed = sum(self._gaps)
        return Health(
            frame_age_s=now_s - exposed_s,
            line_confidence=confidence,
            needs_line=needs_line,
            picture_ok=self._same < _FROZEN_FRAMES and self._bad < _FROZEN_FRAMES,
            motors_ok=self.motors_ok,
            dropped_fraction=missed / (missed + len(self._gaps)) if self._gaps else 0.0,
        )

    def _watch(self, image: Image) -> None:
        sparse = image[::_SPARSE, ::_SPARSE]
        content = sparse.tobytes()
        self._same = self._same + 1 if content == self._last else 0
        self._last = content
        mean = float(sparse.mean())
        self._bad = self._bad + 1 if mean < _DARK or mean > _BRIGHT else 0
