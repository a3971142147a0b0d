"""A video file or a folder of pictures as a camera, as fast as the loop takes them; it keeps the recording's time."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import TracebackType

import cv2
import numpy as np

from control.errors import CameraError
from robot.cameras.source import Frame, Image

_PICTURES = (".jpg", ".jpeg", ".png", ".bmp")


class FileCamera:
    """Also a Clock: its time is the recording's, so a replay is the same on any computer."""

    def __init__(self, path: Path, *, fps: float = 30.0) -> None:
        self._path = path
        self._fps = fps
        self._now_s = 0.0
        if not path.exists():
            raise CameraError(f"camera file:{path}: no such file or folder; give a video or a folder of pictures")

    def now_s(self) -> float:
        return self._now_s

    def frames(self, *, timeout_s: float) -> Iterator[Frame]:  # noqa: ARG002 - a file does not stall
        index = -1
        for index, image in enumerate(self._folder() if self._path.is_dir() else self._video()):
            self._now_s = index / self._fps
            yield Frame(image=image, stamp_s=self._now_s, index=index)
        if index < 0:
            raise CameraError(f"camera file:{self._path}: holds no picture that can be read; give a video or a folder of pictures")

    def _folder(self) -> Iterator[Image]:
        for name in sorted(p for p in self._path.iterdir() if p.suffix.lower() in _PICTURES):
            image = cv2.imread(str(name), cv2.IMREAD_COLOR)
            if image is None:
                raise CameraError(f"{name}: not a readable picture; remove it or copy it again")
            yield np.asarray(image, np.uint8)

    def _video(self) -> Iterator[Image]:
        video = cv2.VideoCapture(str(self._path))
        self._fps = video.get(cv2.CAP_PROP_FPS) or self._fps
        try:
            while True:
                good, image = video.read()
                if not good:
                    return
                yield np.asarray(image, np.uint8)
        finally:
            video.release()

    def close(self) -> None:
        """Nothing is held open between frames."""

    def __enter__(self) -> FileCamera:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
