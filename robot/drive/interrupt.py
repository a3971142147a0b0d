"""A polite end: a signal asks the loop to stop after this pass, so that motors stop and the report is written."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from types import FrameType

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class StopRequest:
    """``number`` is the signal that came, None as long as none did."""

    def __init__(self) -> None:
        self.number: int | None = None

    def __call__(self) -> bool:
        return self.number is not None

    @property
    def exit_code(self) -> int:
        """As a shell reports it: 130 for ^C."""
        return 0 if self.number is None else 128 + self.number

    def handle(self, number: int, _: FrameType | None) -> None:
        if self.number is not None:
            # A second time: whoever asks does not want to wait for the pass to end.
            raise KeyboardInterrupt
        self.number = number


@contextmanager
def stop_on_signals() -> Iterator[StopRequest]:
    """^C, kill and a closed terminal; the handlers of before come back at the end. Only in the main thread."""
    request = StopRequest()
    with _handling(_SIGNALS, request.handle):
        yield request


class Ended(KeyboardInterrupt):
    """Asked to end by SIGTERM or SIGHUP."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self.exit_code = 128 + number


@contextmanager
def ended_by_signals() -> Iterator[None]:
    """SIGTERM and SIGHUP unwind the stack as ^C does, so that nothing half-written stays. Raises Ended."""

    def end(number: int, _: FrameType | None) -> None:
        raise Ended(number)

    with _handling((signal.SIGTERM, signal.SIGHUP), end):
        yield


@contextmanager
def _handling(numbers: Iterable[int], handler: Callable[[int, FrameType | None], None]) -> Iterator[None]:
    """Only in the main thread. Under nohup SIGHUP stays ignored."""
    before = {}
    if threading.current_thread() is threading.main_thread():
        wanted = [n for n in numbers if n != signal.SIGHUP or signal.getsignal(n) != signal.SIG_IGN]
        before = {number: signal.signal(number, handler) for number in wanted}
    try:
        yield
    finally:
        for number, earlier in before.items():
            signal.signal(number, earlier)
