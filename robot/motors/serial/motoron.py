"""Pololu Motoron on a serial port, with CRC and its command time-out set."""

from __future__ import annotations

from control.messages import DifferentialCommand, WheelCommand
from robot.motors.board import duties
from robot.motors.serial.checksums import crc7
from robot.motors.serial.port import SerialPort

_REINITIALIZE, _SET_VARIABLE, _CLEAR_FLAGS, _SPEEDS, _SPEEDS_NOW = 0x96, 0x9C, 0xA9, 0xE1, 0xE2
_TIMEOUT_VARIABLE = 0x05
_UNIT_S = 0.004
_RESET_FLAG = 1 << 9
_FULL = 800


def packet(*data: int) -> bytes:
    return bytes([*data, crc7(bytes(data))])


def _sevens(value: int) -> tuple[int, int]:
    """The low and the high seven bits of a 14-bit number, two's complement."""
    return value & 0x7F, value >> 7 & 0x7F


def timeout(seconds: float) -> bytes:
    return packet(_SET_VARIABLE, 0, _TIMEOUT_VARIABLE, *_sevens(round(seconds / _UNIT_S)))


def speeds(left: int, right: int, *, now: bool = False) -> bytes:
    """``now`` jumps over the acceleration limit."""
    return packet(_SPEEDS_NOW if now else _SPEEDS, *_sevens(left), *_sevens(right))


class Motoron:
    takes = DifferentialCommand

    def __init__(self, port: SerialPort, *, watchdog_s: float = 0.2) -> None:
        self.name, self.hint = f"Motoron on {port}", port.hint
        self._port = port
        self._watchdog_s = watchdog_s

    def open(self) -> None:
        """Stopped after a reset until its flag is cleared; CRC stays on."""
        self.stop()
        self._port.write(packet(_REINITIALIZE))
        self._port.write(timeout(self._watchdog_s))
        self._port.write(packet(_CLEAR_FLAGS, *_sevens(_RESET_FLAG)))

    def write(self, command: WheelCommand) -> None:
        left, right = (round(duty * _FULL) for duty in duties(command))
        self._port.write(speeds(left, right))

    def stop(self) -> None:
        self._port.write(speeds(0, 0, now=True))

    def close(self) -> None:
        self._port.close()
