"""The keyboard of the terminal that the drive was started from: any key stops, Enter arms."""

from __future__ import annotations

import os
import select
import termios
import time
from collections.abc import Callable
from types import TracebackType
from typing import Any

from robot.teleop.switch import Wish

_ENTER = (b"\n", b"\r")
_MOST_BYTES = 1024
_QUIET_S = 1.0
"""Whoever hammers on the keys wants to stop: Enter arms only when no other key came for so long."""
_LOCAL_FLAGS, _CONTROL_CHARACTERS = 3, 6


def own_terminal(fd: int = 0) -> int | None:
    """The file when it is a terminal that this process may read: in the background a read would freeze it."""
    try:
        return fd if os.tcgetpgrp(fd) == os.getpgrp() else None
    except OSError:
        return None


class TerminalKeys:
    """Keys come at once and unseen while it is open; ^C stays ^C. The terminal is put back when it closes."""

    name = "a key"

    def __init__(self, fd: int, *, now_s: Callable[[], float] = time.monotonic) -> None:
        self._fd, self._now_s = fd, now_s
        self._before: list[Any] | None = None
        self._pressed_s = -_QUIET_S

    def read(self, *, driving: bool) -> Wish:
        if not select.select([self._fd], [], [], 0)[0]:
            return Wish.NOTHING
        keys = os.read(self._fd, _MOST_BYTES)
        last_s, self._pressed_s = self._pressed_s, self._now_s()
        quiet = self._pressed_s - last_s >= _QUIET_S
        return self._wish(keys, quiet=quiet, driving=driving)

    def _wish(self, keys: bytes, *, quiet: bool, driving: bool) -> Wish:
        # A terminal that was closed reads as no byte: nobody is there any more who could stop the robot.
        return Wish.ARM if keys in _ENTER and quiet and not driving else Wish.STOP

    def __enter__(self) -> TerminalKeys:
        self._before = termios.tcgetattr(self._fd)
        raw = termios.tcgetattr(self._fd)
        raw[_LOCAL_FLAGS] &= ~(termios.ICANON | termios.ECHO)
        keys: list[Any] = raw[_CONTROL_CHARACTERS]
        keys[termios.VMIN], keys[termios.VTIME] = 1, 0
        # ^Z would freeze the drive, and then the keys would no longer be ours.
        keys[termios.VSUSP] = os.fpathconf(self._fd, "PC_VDISABLE").to_bytes(1, "big")
        termios.tcsetattr(self._fd, termios.TCSAFLUSH, raw)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        before, self._before = self._before, None
        if before is None:
            return
        try:
            # Keys that were pressed for the drive must not reach the shell.
            termios.tcsetattr(self._fd, termios.TCSAFLUSH, before)
        except termios.error:
            # The terminal was closed: there is nothing to put back.
            return
