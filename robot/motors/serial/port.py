"""A serial port as a motor driver needs it: writes that cannot hang, and answers with a deadline."""

from __future__ import annotations

from typing import TYPE_CHECKING

from control.errors import MissingExtraError, MotorError

if TYPE_CHECKING:
    from serial import Serial

_WRITE_TIMEOUT_S = 0.05
"""pyserial's default waits for ever. Setpoints are idempotent, so one that was cut short is written again."""
_MOST_WAITING = 4096


class SerialPort:
    """Opened by the first write. Methods raise OSError, termios.error or MotorError."""

    def __init__(self, path: str, *, baud: int) -> None:
        self.path, self.baud = path, baud
        self._port: Serial | None = None

    def __str__(self) -> str:
        return f"{self.path} at {self.baud} baud"

    @property
    def hint(self) -> str:
        return f"check the cable and that you may use the port: ls -l {self.path}; groups (needs dialout)"

    def write(self, data: bytes) -> None:
        port = self._opened()
        sent = port.write(data)
        if sent != len(data):
            raise MotorError(f"{self.path}: took {sent} of {len(data)} bytes; {self.hint}")

    def read(self, count: int, *, timeout_s: float) -> bytes:
        """What came of ``count`` bytes within the time."""
        port = self._opened()
        port.timeout = timeout_s
        return bytes(port.read(count))

    def waiting(self) -> bytes:
        """What has arrived; waits for nothing."""
        port = self._opened()
        port.timeout = 0
        return bytes(port.read(_MOST_WAITING))

    def forget_waiting(self) -> None:
        """Old answers would be taken for new ones."""
        self._opened().reset_input_buffer()

    def close(self) -> None:
        port, self._port = self._port, None
        if port is not None:
            port.close()

    def _opened(self) -> Serial:
        if self._port is None:
            try:
                from serial import Serial
            except ImportError as error:
                raise MissingExtraError("pyserial", extra="serial", purpose=f"the port {self.path}") from error
            # Not exclusive: the guard holds a second handle, to write STOP when this one no longer can.
            self._port = Serial(self.path, self.baud, timeout=0, write_timeout=_WRITE_TIMEOUT_S)
        return self._port
