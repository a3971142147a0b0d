"""What goes between the process that decides, the one that drives the board and the one that guards it."""

from __future__ import annotations

import struct

from control.messages import AckermannCommand, DifferentialCommand, WheelCommand

_SETPOINT = struct.Struct("<cdd")
STOP, BYE = b"stop", b"bye"
ASK_BATTERY = b"battery"
READY, FAILED, TROUBLE, BATTERY = b"r", b"f", b"t", b"v"
"""First byte of what the actuator says: it stands ready, it could not start, the board refuses, then the sentence; or
what the board tells of its supply, then the volts."""
BEAT = b"."
"""One a tick on the guard's pipe; a pipe that closes after BYE was closed on purpose."""
FREEZE_S = 0.15
"""Silence after which a process is taken for frozen. A dead one closes its end and needs no time-out."""
TICK_S = 0.02


def pack(command: WheelCommand) -> bytes:
    if isinstance(command, DifferentialCommand):
        return _SETPOINT.pack(b"d", command.left, command.right)
    return _SETPOINT.pack(b"a", command.steering, command.throttle)


def unpack(data: bytes) -> WheelCommand:
    """Raises ValueError."""
    if len(data) != _SETPOINT.size or data[:1] not in (b"d", b"a"):
        raise ValueError(f"{data[:16]!r} is no setpoint")
    kind, first, second = _SETPOINT.unpack(data)
    if not (-1.0 <= first <= 1.0 and -1.0 <= second <= 1.0):
        # NaN is in no range.
        raise ValueError(f"({first:g}, {second:g}) is no pair of duties in [-1, 1]")
    if kind == b"d":
        return DifferentialCommand(left=first, right=second)
    return AckermannCommand(steering=first, throttle=second)


def is_neutral(command: WheelCommand) -> bool:
    """Asks for no drive; steering may be held."""
    if isinstance(command, DifferentialCommand):
        return command.left == 0 and command.right == 0
    return command.throttle == 0
