"""A polite end: a signal asks the loop to stop after this pass, so that motors stop and the report is written."""

from __future__ import annotations

import signal
from collections.abc import Iterator
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
    before = {number: signal.signal(number, request.handle) for number in _SIGNALS}
    try:
        yield request
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
