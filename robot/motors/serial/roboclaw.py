"""Basicmicro RoboClaw in packet serial mode: every command is acknowledged by one byte."""

from __future__ import annotations

from control.errors import MotorError
from control.messages import DifferentialCommand, WheelCommand
from robot.motors.board import duties
from robot.motors.serial.checksums import crc16
from robot.motors.serial.port import SerialPort

_WATCHDOG, _BOTH, _BATTERY = 14, 34, 24
_ACCEPTED = b"\xff"
_FULL = 32767
_ANSWER_S = 0.02
_UNIT_S = 0.1


def packet(address: int, command: int, data: bytes) -> bytes:
    head = bytes([address, command]) + data
    return head + crc16(head).to_bytes(2, "big")


def both(address: int, left: int, right: int) -> bytes:
    return packet(address, _BOTH, left.to_bytes(2, "big", signed=True) + right.to_bytes(2, "big", signed=True))


def battery_v(address: int, answer: bytes) -> float | None:
    """Tenths of a volt and a check sum over question and answer; None when they do not agree."""
    asked = bytes([address, _BATTERY])
    if len(answer) != 4 or crc16(asked + answer[:2]) != int.from_bytes(answer[2:], "big"):
        return None
    return int.from_bytes(answer[:2], "big") / 10


class RoboClaw:
    takes = DifferentialCommand

    def __init__(self, port: SerialPort, *, address: int = 0x80, watchdog_s: float = 0.2) -> None:
        self.name, self.hint = f"RoboClaw 0x{address:02x} on {port}", port.hint
        self._port, self._address = port, address
        self._watchdog = min(max(round(watchdog_s / _UNIT_S), 1), 255)

    def open(self) -> None:
        self.stop()
        self._send(packet(self._address, _WATCHDOG, bytes([self._watchdog])))

    def write(self, command: WheelCommand) -> None:
        left, right = (round(duty * _FULL) for duty in duties(command))
        self._send(both(self._address, left, right))

    def stop(self) -> None:
        self._send(both(self._address, 0, 0))

    def battery_v(self) -> float | None:
        self._port.forget_waiting()
        self._port.write(bytes([self._address, _BATTERY]))
        return battery_v(self._address, self._port.read(4, timeout_s=_ANSWER_S))

    def close(self) -> None:
        self._port.close()

    def _send(self, data: bytes) -> None:
        self._port.forget_waiting()
        self._port.write(data)
        answer = self._port.read(1, timeout_s=_ANSWER_S)
        if answer != _ACCEPTED:
            told = answer.hex() or "nothing"
            raise MotorError(f"{self.name}: answered {told} instead of ff; check mode, address and baud rate")
