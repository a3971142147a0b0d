"""A camera that blocks behind one reader thread and one slot: the loop always gets the newest frame, or an error."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from threading import Condition, Thread
from types import TracebackType

from control.errors import CameraError, CameraLost, CameraStalled
from robot.cameras.source import Device, Frame

_CLOSE_S = 2.0
BACK_OFF_S = (0.0, 0.5, 1.0, 2.0, 4.0)
"""Before each try to open a lost device again; the last one from then on."""
_LASTED_S = 5.0
"""A device that ran for so long is opened again without waiting."""

Reopen = Callable[[Callable[[], bool]], Device]
"""Opens the device anew; gives up with CameraError when what it is given says so."""


class LatestFrameCamera:
    """Owns ``device``. With ``reopen`` one that died or froze is opened again, for ever, with growing pauses."""

    def __init__(
        self,
        device: Device,
        *,
        name: str,
        reopen: Reopen | None = None,
        back_off_s: tuple[float, ...] = BACK_OFF_S,
        now_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._device: Device | None = device
        self._name, self._reopen, self._back_off_s, self._now_s = name, reopen, back_off_s, now_s
        self._changed = Condition()
        self._newest: Frame | None = None
        self._index = 0
        self._error: CameraError | None = None
        self._is_news = False
        """The error was not told yet."""
        self._closing = False
        # A daemon, so that a driver stuck in a read cannot keep the process alive.
        self._reader = Thread(target=self._run, name=f"camera {name}", daemon=True)
        self._reader.start()

    def _run(self) -> None:
        device: Device | None = self._device
        tries = 0
        while device is not None:
            opened_s = self._now_s()
            self._read(device)
            self._let_go()
            tries = 0 if self._now_s() - opened_s > _LASTED_S else tries
            device, tries = self._open_again(tries)

    def _read(self, device: Device) -> None:
        """Until the device fails or the camera is closed."""
        while not self._closing:
            try:
                image = device.grab()
            except CameraError as error:
                self._lose(error)
                return
            with self._changed:
                self._newest = Frame(image=image, stamp_s=self._now_s(), index=self._index)
                self._index += 1
                self._error = None
                self._changed.notify_all()

    def _lose(self, error: CameraError) -> None:
        with self._changed:
            self._error = CameraLost(str(error)) if self._reopen is not None else error
            self._is_news = True
            self._changed.notify_all()

    def _open_again(self, tries: int) -> tuple[Device | None, int]:
        """The device and how often it was tried; None when the camera is closed or not to be opened again."""
        while self._reopen is not None:
            with self._changed:
                pause_s = self._back_off_s[min(tries, len(self._back_off_s) - 1)]
                if self._changed.wait_for(lambda: self._closing, timeout=pause_s):
                    return None, tries
            tries += 1
            try:
                device = self._reopen(lambda: self._closing)
            except CameraError as error:
                with self._changed:
                    self._error = CameraLost(str(error))
                continue
            with self._changed:
                self._device = device
            return device, tries
        return None, tries

    def _let_go(self) -> None:
        """Once for each device, by whoever comes first."""
        with self._changed:
            device, self._device = self._device, None
        if device is not None:
            device.close()

    def frames(self, *, timeout_s: float) -> Iterator[Frame]:
        while True:
            yield self._next(timeout_s)

    def _next(self, timeout_s: float) -> Frame:
        """A loss is told at once; while it lasts, each wait has its full time, so that nobody spins."""
        with self._changed:
            self._changed.wait_for(self._has_news, timeout=timeout_s)
            if self._closing:
                raise CameraError(f"{self._name}: the camera is closed")
            frame, self._newest = self._newest, None
            if frame is not None:
                return frame
            self._is_news = False
            if self._error is not None:
                # Told again and again: without the trace of the last time, or it would grow for ever.
                raise self._error.with_traceback(None)
        raise CameraStalled(f"{self._name}: no frame for {timeout_s * 1000:.0f} ms; check cable and power")

    def _has_news(self) -> bool:
        told = self._reopen is not None and not self._is_news
        return self._newest is not None or self._closing or (self._error is not None and not told)

    def close(self) -> None:
        with self._changed:
            if self._closing:
                return
            self._closing = True
            self._changed.notify_all()
        self._reader.join(timeout=_CLOSE_S)
        self._let_go()

    def __enter__(self) -> LatestFrameCamera:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
