"""VESC motor controllers (F1TENTH class): duty for the motor, servo position for the steering."""

from __future__ import annotations

from control.messages import AckermannCommand, WheelCommand
from robot.motors.board import duties
from robot.motors.serial.checksums import crc16
from robot.motors.serial.port import SerialPort

_GET_VALUES, _DUTY, _SERVO = 4, 5, 12
_DUTY_SCALE, _SERVO_SCALE = 100_000, 1000
_VOLTS_AT = 27
"""In its values, behind the command's number, two temperatures, four currents, duty and turns: tenths of a volt."""
_MOST_KEPT = 512


def packet(payload: bytes) -> bytes:
    """02 length payload crc 03; payloads here are shorter than 256 bytes."""
    return bytes([2, len(payload)]) + payload + crc16(payload).to_bytes(2, "big") + b"\x03"


def duty(value: float) -> bytes:
    return packet(bytes([_DUTY]) + round(value * _DUTY_SCALE).to_bytes(4, "big", signed=True))


def servo(position: float) -> bytes:
    """``position`` from 0 to 1."""
    return packet(bytes([_SERVO]) + round(position * _SERVO_SCALE).to_bytes(2, "big", signed=True))


def battery_v(heard: bytes) -> float | None:
    """The volts of the last whole packet of values; None when there is none."""
    found: float | None = None
    at = heard.find(b"\x02")
    while at >= 0:
        payload = _payload(heard[at:])
        if payload[:1] == bytes([_GET_VALUES]) and len(payload) >= _VOLTS_AT + 2:
            found = int.from_bytes(payload[_VOLTS_AT : _VOLTS_AT + 2], "big", signed=True) / 10
        at = heard.find(b"\x02", at + max(1, len(payload)))
    return found


def _payload(heard: bytes) -> bytes:
    """Of the short packet that begins here; empty when none does, or not all of it is there."""
    length = heard[1] if len(heard) > 1 else 0
    payload, rest = heard[2 : 2 + length], heard[2 + length : 5 + length]
    return payload if rest == crc16(payload).to_bytes(2, "big") + b"\x03" else b""


class Vesc:
    """Its time-out (1 s, then it brakes) is fed by the duty, not by the servo: the duty is written last."""

    takes = AckermannCommand

    def __init__(self, port: SerialPort, *, servo_centre: float = 0.5, servo_span: float = -0.5) -> None:
        """``servo_span``: from the centre to full left, in servo positions; negative when left is the smaller one."""
        self.name, self.hint = f"VESC on {port}", port.hint
        self._port = port
        self._centre, self._span = servo_centre, servo_span
        self._heard = b""

    def open(self) -> None:
        self.stop()

    def write(self, command: WheelCommand) -> None:
        steering, throttle = duties(command)
        position = min(max(self._centre + steering * self._span, 0.0), 1.0)
        self._port.write(servo(position) + duty(throttle))

    def stop(self) -> None:
        self._port.write(duty(0.0))

    def battery_v(self) -> float | None:
        """Asks, and reads what an earlier question brought, be it in pieces."""
        heard = (self._heard + self._port.waiting())[-_MOST_KEPT:]
        found = battery_v(heard)
        self._heard = heard if found is None else b""
        self._port.write(packet(bytes([_GET_VALUES])))
        return found

    def close(self) -> None:
        self._port.close()
