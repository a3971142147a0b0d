"""A recording as a camera: a video file or a folder of pictures, as fast as asked or in real time."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from math import isfinite
from pathlib import Path
from threading import Event
from types import TracebackType
from typing import Protocol

import cv2
import numpy as np

from control.errors import CameraError, InputError
from perception.picture_file import read_whole
from robot.cameras.source import Frame, Image

_PICTURES = (".jpg", ".jpeg", ".png", ".bmp")


class _Reel(Protocol):
    """Pictures in order."""

    fps: float | None
    length: int | None
    """Pictures; None where the file does not say, and as it says: some lie."""

    def read(self) -> Image | None:
        """The next picture; None after the last."""
        ...

    def skip(self) -> bool:
        """Pass over one picture; False after the last."""
        ...

    def close(self) -> None: ...


class _Video:
    def __init__(self, path: Path) -> None:
        self._first: Image | None = None
        self._capture = cv2.VideoCapture(str(path))
        fps = self._capture.get(cv2.CAP_PROP_FPS) if self._capture.isOpened() else 0.0
        self.fps: float | None = fps if isfinite(fps) and 1.0 <= fps <= 1000.0 else None
        count = self._capture.get(cv2.CAP_PROP_FRAME_COUNT) if self._capture.isOpened() else 0.0
        self.length: int | None = int(count) if isfinite(count) and count >= 1 else None
        self._first = self.read()
        if self._first is None:
            self.close()
            raise InputError(f"{path}: not a video that can be read; give a video file or a folder of pictures")

    def read(self) -> Image | None:
        first, self._first = self._first, None
        if first is not None:
            return first
        there, image = self._capture.read()
        return np.asarray(image, dtype=np.uint8) if there else None

    def skip(self) -> bool:
        if self._first is not None:
            self._first = None
            return True
        return bool(self._capture.grab())

    def close(self) -> None:
        self._capture.release()


class _Folder:
    fps: float | None = None

    def __init__(self, path: Path) -> None:
        self._paths = sorted(p for p in path.iterdir() if p.suffix.lower() in _PICTURES and not p.name.startswith("."))
        if not self._paths:
            raise InputError(f"{path}: no pictures ({', '.join(_PICTURES)}) in this folder")
        self._at = 0
        self.length: int | None = len(self._paths)

    def read(self) -> Image | None:
        if self._at == len(self._paths):
            return None
        path = self._paths[self._at]
        self._at += 1
        try:
            image = read_whole(path)
        except cv2.error as error:
            raise InputError(f"{path}: has more pixels than OpenCV reads; remove it or make it smaller") from error
        if image is None:
            raise InputError(f"{path}: cut off or not a picture; remove it or copy it again")
        return image

    def skip(self) -> bool:
        self._at = min(self._at + 1, len(self._paths))
        return self._at < len(self._paths)

    def close(self) -> None:
        self._at = len(self._paths)


class FileCamera:
    """Also a Clock: as fast as possible, the recording's own time is the time; in real time, the monotonic clock is.

    In real time frames that the loop was too slow for are passed over, as with a live camera.
    """

    def __init__(
        self, path: Path, *, fps: float = 30.0, realtime: bool = False, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        if not path.exists():
            raise InputError(f"{path}: no such video or folder of pictures")
        if path.is_fifo():
            # OpenCV would wait for a writer, and not hear ^C meanwhile.
            raise InputError(f"{path}: is a pipe; give a video file or a folder of pictures")
        self._reel: _Reel = _Folder(path) if path.is_dir() else _Video(path)
        self.length = self._reel.length
        self._period_s = 1.0 / (self._reel.fps or fps)
        self._realtime = realtime
        self._monotonic = monotonic
        self._time_s = 0.0
        self._index = 0
        self._started_s: float | None = None
        self._closed = Event()

    def now_s(self) -> float:
        return self._monotonic() if self._realtime else self._time_s

    def frames(self, *, timeout_s: float) -> Iterator[Frame]:  # noqa: ARG002 - a file does not stall
        while not self._closed.is_set():
            self._wait()
            image = self._reel.read()
            if image is None:
                return
            self._time_s = self._index * self._period_s
            index, self._index = self._index, self._index + 1
            yield Frame(image=image, stamp_s=self.now_s(), index=index)
        raise CameraError("the recording is closed")

    def _wait(self) -> None:
        """Until the next frame is due; each is due at its own multiple of the period, so that no error adds up."""
        if not self._realtime:
            return
        if self._started_s is None:
            self._started_s = self._monotonic()
        ahead_s = self._started_s + self._index * self._period_s - self._monotonic()
        if ahead_s > 0:
            self._closed.wait(ahead_s)
        while ahead_s < -self._period_s and self._reel.skip():
            self._index += 1
            ahead_s += self._period_s

    def close(self) -> None:
        self._closed.set()
        self._reel.close()

    def __enter__(self) -> FileCamera:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
