"""The keyboard of the terminal as a stick. It tells no release, so a key counts for 0.6 s; held keys repeat."""

from __future__ import annotations

import re
import time
from collections.abc import Callable

from robot.teleop.helm import Helm, StickPosition
from robot.teleop.switch import Wish
from robot.teleop.terminal import TerminalKeys

HELP = "Enter arms; arrows or WASD drive, 1 to 9 how fast, any other key stops"
_HELD_S = 0.6
"""Longer than the half second before a held key begins to repeat."""
_TURN = 0.5
_KEY = re.compile(rb"\x1b[\[O][ABCD]|.", re.DOTALL)
_ARROWS = {b"A": b"w", b"B": b"s", b"C": b"d", b"D": b"a"}


class TerminalStick(TerminalKeys):
    """A switch, too: Enter arms, keys that do not drive stop, and so does a terminal that was closed."""

    def __init__(self, fd: int = 0, *, helm: Helm, now_s: Callable[[], float] = time.monotonic) -> None:
        super().__init__(fd, now_s=now_s)
        self._helm = helm
        self._position = StickPosition()
        self._speed = 0.5
        self._held_s = -_HELD_S

    def read(self, *, driving: bool) -> Wish:
        wish = super().read(driving=driving)
        if self._now_s() - self._held_s > _HELD_S or wish is Wish.STOP:
            self._position = StickPosition()
        if wish is Wish.ARM or not self._position.is_centred:
            self._helm.claim(self.name)
        self._helm.hold(self.name, self._position)
        return wish

    def _wish(self, keys: bytes, *, quiet: bool, driving: bool) -> Wish:
        pressed = [_ARROWS.get(key[-1:], key) if len(key) > 1 else key.lower() for key in _KEY.findall(keys)]
        if not pressed or not all(self._is_driven(key) for key in pressed):
            return super()._wish(keys, quiet=quiet, driving=driving)
        for key in pressed:
            self._take(key)
        return Wish.NOTHING

    @staticmethod
    def _is_driven(key: bytes) -> bool:
        return key in b"wasd123456789"

    def _take(self, key: bytes) -> None:
        if key not in b"wasd":
            # For the next push ahead; it keeps no other key alive.
            self._speed = int(key) / 10
            return
        self._held_s, throttle = self._now_s(), self._position.throttle
        if key in b"ad":
            # Of two held keys only the last one repeats: this one keeps the other alive.
            self._position = StickPosition(steering=_TURN if key == b"a" else -_TURN, throttle=throttle)
        else:
            self._position = StickPosition(throttle=self._speed if key == b"w" else -self._speed)
