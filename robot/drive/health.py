"""What the loop knows about itself when it asks the supervisor: frames, temperature, battery, emergency stop."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from math import inf

import numpy as np

from control.messages import Health
from robot.cameras.source import Frame, Image

Gauge = Callable[[float], float | None]
"""Reading at a monotonic time in seconds; must not wait. None is not measured; NaN is measured in vain, a fault."""

_WINDOW_S = 3.0
_STRIDE = 16
_BLACK, _WHITE = 6.0, 249.0
"""Mean brightness, of 255, below and above which nothing can be seen."""


def not_measured(now_s: float) -> None:
    """The gauge that is not there."""


class PictureCheck:
    """Frozen, black or over-exposed; looks at every 16th pixel, and at all only when those did not change."""

    def __init__(self) -> None:
        self._last: Image | None = None

    def is_good(self, image: Image) -> bool:
        last, self._last = self._last, image
        sample = image[::_STRIDE, ::_STRIDE]
        if not _BLACK <= float(sample.mean()) <= _WHITE:
            return False
        if last is None or last.shape != image.shape or not np.array_equal(sample, last[::_STRIDE, ::_STRIDE]):
            return True
        return not np.array_equal(image, last)


class DroppedFrames:
    """The share of frames in the last 3 s that the camera made, that the loop wanted, and that it came too late for."""

    def __init__(self, *, fps: float) -> None:
        self._fps = fps
        self._seen: deque[tuple[float, int]] = deque()
        self._dropped = 0
        self._last: Frame | None = None

    def update(self, frame: Frame) -> float:
        last, self._last = self._last, frame
        missed = 0
        if last is not None:
            wanted = round((frame.stamp_s - last.stamp_s) * self._fps)
            missed = max(0, min(frame.index - last.index, wanted) - 1)
        self._seen.append((frame.stamp_s, missed))
        self._dropped += missed
        while self._seen[0][0] < frame.stamp_s - _WINDOW_S:
            self._dropped -= self._seen.popleft()[1]
        return self._dropped / (self._dropped + len(self._seen))


class HealthMonitor:
    """``emergency_stop`` is asked last, just before the supervisor decides."""

    def __init__(
        self,
        *,
        fps: float,
        temperature_c: Gauge = not_measured,
        cell_voltage_v: Gauge = not_measured,
        emergency_stop: Callable[[], bool] = lambda: False,
    ) -> None:
        self._picture = PictureCheck()
        self._dropped = DroppedFrames(fps=fps)
        self._temperature_c, self._cell_voltage_v = temperature_c, cell_voltage_v
        self._emergency_stop = emergency_stop
        self._fraction = 0.0
        self._last_s = -inf

    def read(self, frame: Frame, *, confidence: float, now_s: float) -> Health:
        self._fraction = self._dropped.update(frame)
        self._last_s = frame.stamp_s
        return self._health(now_s, confidence=confidence, picture_ok=self._picture.is_good(frame.image))

    def without_frame(self, *, now_s: float, camera_ok: bool = True) -> Health:
        """No frame came in time, or none will come."""
        return self._health(now_s, camera_ok=camera_ok)

    def _health(
        self, now_s: float, *, confidence: float = 1.0, picture_ok: bool = True, camera_ok: bool = True
    ) -> Health:
        return Health(
            frame_age_s=now_s - self._last_s, line_confidence=confidence, camera_ok=camera_ok, picture_ok=picture_ok,
            dropped_fraction=self._fraction, temperature_c=self._temperature_c(now_s),
            cell_voltage_v=self._cell_voltage_v(now_s), emergency_stop=self._emergency_stop(),
        )  # fmt: skip
