"""What OpenCV can open, as a Device."""

from __future__ import annotations

import cv2
import numpy as np

from control.errors import CameraError
from robot.cameras.source import Image


class Capture:
    """Owns ``capture``. Raises CameraError when it is not open or gives no first picture."""

    def __init__(self, capture: cv2.VideoCapture, *, name: str, unopened: str) -> None:
        self._capture, self._name = capture, name
        self._first: Image | None = None
        opened = False
        try:
            if not capture.isOpened():
                raise CameraError(f"{name}: cannot be opened; {unopened}")
            self._first = first = self._read()
            self.size = (first.shape[1], first.shape[0])
            self.fps = float(capture.get(cv2.CAP_PROP_FPS))
            opened = True
        finally:
            if not opened:
                capture.release()

    def grab(self) -> Image:
        first, self._first = self._first, None
        return first if first is not None else self._read()

    def _read(self) -> Image:
        try:
            there, image = self._capture.read()
        except cv2.error as error:
            raise CameraError(f"{self._name}: {' '.join(str(error).split())}") from error
        if not there:
            raise CameraError(f"{self._name}: gives no pictures; check cable and power")
        return np.asarray(image, dtype=np.uint8)

    def close(self) -> None:
        self._capture.release()
