"""A camera that blocks behind one reader thread and one slot: the loop always gets the newest frame, or an error."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from threading import Condition, Thread
from types import TracebackType

from control.errors import CameraError, CameraStalled
from robot.cameras.source import Frame, Image

_CLOSE_S = 2.0


class LatestFrameCamera:
    """``grab`` blocks until the next picture is there and raises CameraError when there will be none.

    ``release`` frees the device; it runs once, after the reader has ended or has refused to end in time.
    """

    def __init__(
        self,
        grab: Callable[[], Image],
        *,
        name: str,
        release: Callable[[], None] = lambda: None,
        now_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._grab, self._release, self._now_s = grab, release, now_s
        self._name = name
        self._changed = Condition()
        self._newest: Frame | None = None
        self._error: CameraError | None = None
        self._closing = False
        # A daemon, so that a driver stuck in a read cannot keep the process alive.
        self._reader = Thread(target=self._read, name=f"camera {name}", daemon=True)
        self._reader.start()

    def _read(self) -> None:
        index = 0
        while not self._closing:
            try:
                image = self._grab()
            except CameraError as error:
                with self._changed:
                    self._error = error
                    self._changed.notify_all()
                return
            with self._changed:
                self._newest = Frame(image=image, stamp_s=self._now_s(), index=index)
                self._changed.notify_all()
            index += 1

    def frames(self, *, timeout_s: float) -> Iterator[Frame]:
        while True:
            yield self._next(timeout_s)

    def _next(self, timeout_s: float) -> Frame:
        with self._changed:
            self._changed.wait_for(self._has_news, timeout=timeout_s)
            if self._closing:
                raise CameraError(f"{self._name}: the camera is closed")
            frame, self._newest = self._newest, None
            if frame is not None:
                return frame
            if self._error is not None:
                raise self._error
        raise CameraStalled(f"{self._name}: no frame for {timeout_s * 1000:.0f} ms; check cable and power")

    def _has_news(self) -> bool:
        return self._newest is not None or self._error is not None or self._closing

    def close(self) -> None:
        with self._changed:
            if self._closing:
                return
            self._closing = True
            self._changed.notify_all()
        self._reader.join(timeout=_CLOSE_S)
        self._release()

    def __enter__(self) -> LatestFrameCamera:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
