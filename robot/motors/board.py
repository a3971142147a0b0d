"""A motor board is the bytes on its wire; BoardMotors makes motors of any board, checked and always stopped."""

from __future__ import annotations

import os
import termios
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from math import isfinite
from types import TracebackType
from typing import Protocol, runtime_checkable

from control.errors import DeviceError, MotorError
from control.messages import AckermannCommand, DifferentialCommand, WheelCommand

_WIRE_ERRORS = (OSError, termios.error)
"""What smbus2, pyserial (SerialException is an OSError) and sysfs raise; ``flush`` of an unplugged port raises the
second, which is no OSError."""


class Board(Protocol):
    """Methods raise OSError or MotorError. A board that was never opened can still be told to stop."""

    name: str
    """For messages: the board and where it is, as ``MotorHAT at 0x60 on I2C bus 7``."""
    hint: str
    """What to look at when it does not answer."""

    @property
    def takes(self) -> type[WheelCommand]: ...

    def open(self) -> None:
        """Connect and write STOP before anything else, then set up, the board's own watchdog included."""
        ...

    def write(self, command: WheelCommand) -> None: ...

    def stop(self) -> None:
        """Connects by itself when need be; does not rely on what ``open`` set up."""
        ...

    def close(self) -> None:
        """Let go of the wire; works twice."""
        ...


@runtime_checkable
class Voltmeter(Protocol):
    """A board that also tells the voltage of its supply."""

    def battery_v(self) -> float | None:
        """Ask, and give the newest answer; None as long as there is none.

        Takes 20 ms at most, for the motors wait meanwhile. Raises OSError or MotorError.
        """
        ...


def duties(command: WheelCommand) -> tuple[float, float]:
    """(left, right) or (steering, throttle), each in [-1, 1]. Raises MotorError."""
    pair = (
        (command.left, command.right)
        if isinstance(command, DifferentialCommand)
        else (command.steering, command.throttle)
    )
    if not all(isfinite(value) and -1.0 <= value <= 1.0 for value in pair):
        raise MotorError(f"motors: {pair} is no pair of duties in [-1, 1]; nothing was written")
    return pair


class BoardMotors:
    """Motors over a board. ``standing`` is the command at which this drive stands still."""

    def __init__(self, board: Board, *, standing: WheelCommand | None = None) -> None:
        self.board = board
        self._standing = standing or board.takes()
        self._open = False

    def apply(self, command: WheelCommand) -> None:
        board = self.board
        if not self._open:
            raise MotorError(f"{board.name}: closed; open it again before driving")
        if not isinstance(command, board.takes):
            raise MotorError(f"{board.name}: takes {board.takes.__name__}, got {type(command).__name__}; set vehicle")
        duties(command)
        with self._named():
            board.write(command)

    def stop(self) -> None:
        """Raises MotorError when the board cannot be reached: then only its own watchdog stops the wheels."""
        if self._open:
            with self._named():
                self.board.stop()

    def battery_v(self) -> float | None:
        """None while the board has not told. Raises MotorError."""
        if not self._open or not isinstance(self.board, Voltmeter):
            return None
        with self._named():
            return self.board.battery_v()

    def disconnect(self) -> None:
        """Let go of a wire that has failed; the next ``stop`` connects anew. Never raises."""
        with suppress(MotorError, *_WIRE_ERRORS):
            # What is there to tell of it was told when it failed.
            self.board.close()

    def reopen(self) -> None:
        """STOP, then set up as at the start: the board may have lost its power and its settings. Raises MotorError."""
        self.disconnect()
        with self._named():
            self.board.open()

    def close(self) -> None:
        if not self._open:
            return
        try:
            self.stop()
        finally:
            self._open = False
            self.board.close()

    def __enter__(self) -> BoardMotors:
        try:
            with self._named():
                self.board.open()
        except DeviceError:
            self.board.close()
            raise
        self._open = True
        if isinstance(self._standing, AckermannCommand):
            self.apply(self._standing)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @contextmanager
    def _named(self) -> Iterator[None]:
        try:
            yield
        except _WIRE_ERRORS as error:
            raise MotorError(f"{self.board.name}: {_reason(error)}; {self.board.hint}") from error


def _reason(error: BaseException) -> str:
    """pyserial hides the real cause in the context, or says it twice."""
    if isinstance(error, OSError) and error.errno and "could not open port" in str(error):
        return os.strerror(error.errno)
    inner = error.__context__ if isinstance(error, OSError) and error.errno is None else None
    return str(inner or error) or type(error).__name__
