"""Dimension Engineering Sabertooth in packetized serial mode: it never answers, so its own time-out matters most."""

from __future__ import annotations

from control.messages import DifferentialCommand, WheelCommand
from robot.motors.board import duties
from robot.motors.serial.checksums import sum7
from robot.motors.serial.port import SerialPort

_BAUD_BYTE = b"\xaa"
_WATCHDOG = 14
_FORWARD = (0, 4)
_UNIT_S = 0.1


def packet(address: int, command: int, value: int) -> bytes:
    head = bytes([address, command, value])
    return head + bytes([sum7(head)])


def speed(address: int, motor: int, duty: float) -> bytes:
    """``motor`` 0 or 1; reverse is the next command number."""
    return packet(address, _FORWARD[motor] + (duty < 0), round(abs(duty) * 127))


class Sabertooth:
    takes = DifferentialCommand

    def __init__(self, port: SerialPort, *, address: int = 0x80, watchdog_s: float = 0.2) -> None:
        self.name, self.hint = f"Sabertooth {address} on {port}", port.hint
        self._port, self._address = port, address
        self._watchdog = min(max(round(watchdog_s / _UNIT_S), 1), 127)

    def open(self) -> None:
        """The time-out is off by default and lost with the power."""
        self._port.write(_BAUD_BYTE)
        self.stop()
        self._port.write(packet(self._address, _WATCHDOG, self._watchdog))

    def write(self, command: WheelCommand) -> None:
        left, right = duties(command)
        self._port.write(speed(self._address, 0, left) + speed(self._address, 1, right))

    def stop(self) -> None:
        self._port.write(speed(self._address, 0, 0.0) + speed(self._address, 1, 0.0))

    def close(self) -> None:
        self._port.close()
