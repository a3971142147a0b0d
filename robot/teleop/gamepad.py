"""A gamepad as a stick: Linux's joystick device, read with the standard library."""

from __future__ import annotations

import os
import struct
from pathlib import Path
from types import TracebackType

from control.errors import DeviceError
from control.limits import clamp
from robot.teleop.helm import Helm, StickPosition
from robot.teleop.switch import Wish

HELP = "gamepad: Start arms, the left stick drives while the left shoulder button is held, any other button stops"
_DEVICES = Path("/dev/input")
_EVENT = struct.Struct("<IhBB")
"""Milliseconds, value, kind, number."""
_BUTTON, _AXIS, _AT_START = 1, 2, 0x80
_FULL = 32767.0
_SIDE, _AHEAD = 0, 1
_HOLD = 4
"""The left shoulder button, on most pads."""
_START = (7, 9)
_MOST_BYTES = 64 * _EVENT.size


def find_gamepad() -> Path | None:
    """The first one that we may read."""
    return min((path for path in _DEVICES.glob("js*") if os.access(path, os.R_OK)), default=None)


class Gamepad:
    """A Switch; a pad that is pulled out stops the robot. One that is out of reach may keep its last word for seconds:
    the kernel does not tell. So a robot is driven with a pad only in sight, and never faster than one can run."""

    def __init__(self, path: Path, *, helm: Helm) -> None:
        self.name = f"the gamepad {path.name}"
        self._path, self._helm = path, helm
        self._fd: int | None = None
        self._axes: dict[int, float] = {}
        self._held = False

    def read(self, *, driving: bool) -> Wish:
        """Raises DeviceError when the pad is gone."""
        wish = Wish.NOTHING
        for value, kind, number in self._events():
            if kind & ~_AT_START == _AXIS:
                self._axes[number] = value / _FULL
            elif kind & ~_AT_START == _BUTTON and number == _HOLD:
                self._held = bool(value)
            elif kind == _BUTTON and value:
                # Events that tell how things are at the start are no presses.
                arms = number in _START and not driving and wish is Wish.NOTHING
                wish = Wish.ARM if arms else Wish.STOP
        position = self._position()
        if wish is Wish.ARM or not position.is_centred:
            self._helm.claim(self.name)
        self._helm.hold(self.name, position)
        return wish

    def _events(self) -> list[tuple[int, int, int]]:
        if self._fd is None:
            raise DeviceError(f"{self._path}: the gamepad is not open")
        try:
            data = os.read(self._fd, _MOST_BYTES)
        except BlockingIOError:
            return []
        if not data or len(data) % _EVENT.size:
            raise DeviceError(f"{self._path}: the gamepad is gone")
        return [(value, kind, number) for _, value, kind, number in _EVENT.iter_unpack(data)]

    def _position(self) -> StickPosition:
        if not self._held:
            return StickPosition()
        steering, throttle = (clamp(-self._axes.get(axis, 0.0), low=-1.0, high=1.0)[0] for axis in (_SIDE, _AHEAD))
        return StickPosition(steering=steering, throttle=throttle)

    def __enter__(self) -> Gamepad:
        try:
            self._fd = os.open(self._path, os.O_RDONLY | os.O_NONBLOCK)
        except OSError as error:
            raise DeviceError(f"{self._path}: {error.strerror}; plug a gamepad in, or join the group input") from error
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        fd, self._fd = self._fd, None
        if fd is not None:
            os.close(fd)
