"""A gamepad as a stick: Linux's joystick device, read with the standard library."""

from __future__ import annotations

import fcntl
import os
import select
import struct
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType

from control.errors import DeviceError, InputError
from control.limits import clamp
from robot.teleop.gamepad_map import AT_START, AXIS, BUTTON, FULL, Event, GamepadMap, map_for
from robot.teleop.helm import Helm, StickPosition
from robot.teleop.switch import Wish

HELP = "gamepad: Start arms, the left stick drives while the left shoulder button is held, any other button stops"
_DEVICES = Path("/dev/input")
_EVENT = struct.Struct("<IhBB")
"""Milliseconds, value, kind, number."""
_MOST_BYTES = 64 * _EVENT.size
_NAME_BYTES = 128
_GET_NAME = 0x80006A13 | _NAME_BYTES << 16
"""JSIOCGNAME of linux/joystick.h, which no other device answers."""
_LOOK_S = 0.2


def find_gamepad() -> Path | None:
    """The first one that we may read."""
    return min((path for path in _DEVICES.glob("js*") if os.access(path, os.R_OK)), default=None)


def pad_name(fd: int) -> str:
    """Raises OSError for what is no joystick device."""
    answer = fcntl.ioctl(fd, _GET_NAME, bytes(_NAME_BYTES))
    return answer.partition(b"\0")[0].decode(errors="replace")


class Gamepad:
    """A Switch; a pad that is pulled out stops the robot. One that is out of reach may keep its last word for seconds:
    the kernel does not tell. So a robot is driven with a pad only in sight, and never faster than one can run."""

    def __init__(
        self, path: Path, *, helm: Helm, layout: GamepadMap | None = None, identify: Callable[[int], str] = pad_name
    ) -> None:
        """``layout`` outranks what is known of a pad of this name."""
        self.name = f"the gamepad {path.name}"
        self._path, self._helm, self._chosen, self._identify = path, helm, layout, identify
        self._map = layout or GamepadMap()
        self._fd: int | None = None
        self._axes: dict[int, float] = {}
        self._held = False

    def read(self, *, driving: bool) -> Wish:
        """Raises DeviceError when the pad is gone."""
        wish = Wish.NOTHING
        for event in self.events():
            if event.kind & ~AT_START == AXIS:
                self._axes[event.number] = event.value / FULL
            elif event.kind & ~AT_START == BUTTON and event.number == self._map.hold:
                self._held = bool(event.value)
            elif event.kind == BUTTON and event.value:
                # Events that tell how things are at the start are no presses.
                arms = event.number == self._map.arm and not driving and wish is Wish.NOTHING
                wish = Wish.ARM if arms else Wish.STOP
        position = self._position()
        if wish is Wish.ARM or not position.is_centred:
            self._helm.claim(self.name)
        self._helm.hold(self.name, position)
        return wish

    def events(self) -> list[Event]:
        """All that came since the last call. Raises DeviceError when the pad is gone."""
        if self._fd is None:
            raise DeviceError(f"{self._path}: the gamepad is not open")
        try:
            data = os.read(self._fd, _MOST_BYTES)
        except BlockingIOError:
            return []
        if not data or len(data) % _EVENT.size:
            raise DeviceError(f"{self._path}: the gamepad is gone")
        return [Event(kind, number, value) for _, value, kind, number in _EVENT.iter_unpack(data)]

    def every_event(self) -> Iterator[Event]:
        """Waits for each. Raises DeviceError when the pad is gone."""
        while True:
            yield from self.events()
            if self._fd is not None:
                select.select([self._fd], [], [], _LOOK_S)

    def _position(self) -> StickPosition:
        if not self._held:
            return StickPosition()
        layout = self._map
        steering = self._axes.get(layout.side, 0.0) * layout.side_sign
        throttle = self._axes.get(layout.ahead, 0.0) * layout.ahead_sign
        return StickPosition(
            steering=clamp(steering, low=-1.0, high=1.0)[0], throttle=clamp(throttle, low=-1.0, high=1.0)[0]
        )

    def __enter__(self) -> Gamepad:
        try:
            self._fd = os.open(self._path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError as error:
            raise DeviceError(f"{self._path}: {error.strerror}; plug a gamepad in, or join the group input") from error
        try:
            self._map = self._chosen or map_for(self._identify(self._fd))
        except OSError as error:
            self.__exit__(None, None, None)
            raise InputError(f"{self._path}: is no gamepad; give one of /dev/input/js*") from error
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        fd, self._fd = self._fd, None
        if fd is not None:
            os.close(fd)
