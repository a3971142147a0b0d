"""Waveshare's ESP32 boards (WAVE ROVER, UGV): one JSON object a line, no check sum."""

from __future__ import annotations

import json

from control.messages import DifferentialCommand, WheelCommand
from robot.motors.board import duties
from robot.motors.serial.port import SerialPort

_SPEED, _WATCHDOG, _FEEDBACK = 1, 136, 130
_FULL = 0.5
"""The board's own number for full power."""
_MOST_V = 100.0
"""Boards with encoders tell hundredths of a volt, the others volts: from here on it can only be the former."""
_MOST_KEPT = 4096


def line(kind: int, **values: float | int) -> bytes:
    return json.dumps({"T": kind, **values}, separators=(",", ":")).encode("ascii") + b"\n"


def speeds(left: float, right: float) -> bytes:
    return line(_SPEED, L=round(left * _FULL, 3), R=round(right * _FULL, 3))


def battery_v(text: bytes) -> float | None:
    """Out of the board's chatter: the volts of the last whole feedback line, None when there is none."""
    found: float | None = None
    for raw in text.split(b"\n"):
        try:
            told = json.loads(raw)
        except (ValueError, RecursionError):
            # Half a line, or noise: the next one comes within a moment.
            continue
        volts = told.get("v") if isinstance(told, dict) and told.get("T") == 1001 else None
        if isinstance(volts, (int, float)) and not isinstance(volts, bool) and 0 <= volts < 100 * _MOST_V:
            found = float(volts) if volts < _MOST_V else volts / 100
    return found


class Esp32Json:
    takes = DifferentialCommand

    def __init__(self, port: SerialPort, *, watchdog_s: float = 0.2) -> None:
        self.name, self.hint = f"Waveshare ESP32 board on {port}", port.hint
        self._port = port
        self._watchdog_ms = round(watchdog_s * 1000)
        self._heard = b""

    def open(self) -> None:
        self.stop()
        self._port.write(line(_WATCHDOG, cmd=self._watchdog_ms))

    def write(self, command: WheelCommand) -> None:
        self._port.write(speeds(*duties(command)))

    def stop(self) -> None:
        self._port.write(line(_SPEED, L=0, R=0))

    def battery_v(self) -> float | None:
        """Asks, and reads what an earlier question brought, be it in pieces."""
        heard = (self._heard + self._port.waiting())[-_MOST_KEPT:]
        self._heard = heard.rpartition(b"\n")[2]
        self._port.write(line(_FEEDBACK))
        return battery_v(heard)

    def close(self) -> None:
        self._port.close()
