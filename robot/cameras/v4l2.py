"""What a /dev/videoN says of itself: the few V4L2 calls that list formats, sizes and rates."""

from __future__ import annotations

import errno
import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from fcntl import ioctl
from pathlib import Path
from typing import Any

_CAPTURE = 1
"""V4L2_BUF_TYPE_VIDEO_CAPTURE and V4L2_CAP_VIDEO_CAPTURE alike."""
_DEVICE_CAPS = 0x80000000
_DISCRETE = 1
_MOST = 200
"""A driver that never says that it has no more is not believed."""


@dataclass(frozen=True, slots=True)
class _Call:
    """An ioctl with a record of ``layout``, in and out."""

    number: int
    layout: str
    writes: bool = True

    def __call__(self, fd: int, *fields: int) -> tuple[Any, ...]:
        """Numbers, and bytes where ``layout`` has text. Raises OSError."""
        size = struct.calcsize(self.layout)
        record = bytearray(size)
        struct.pack_into(f"={len(fields)}I", record, 0, *fields)
        direction = 3 if self.writes else 2
        ioctl(fd, direction << 30 | size << 16 | ord("V") << 8 | self.number, record)
        return struct.unpack(self.layout, record)


_QUERY_CAPABILITY = _Call(0, "=16s32s32s6I", writes=False)
_ENUMERATE_FORMATS = _Call(2, "=3I32s5I")
_ENUMERATE_SIZES = _Call(74, "=11I")
_ENUMERATE_INTERVALS = _Call(75, "=13I")


@dataclass(frozen=True, slots=True, kw_only=True)
class Mode:
    format: str
    """Four letters: MJPG, YUYV, RG10 and the like."""
    width: int
    height: int
    fps: tuple[float, ...]
    """Fastest first; empty is not known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VideoDevice:
    driver: str
    name: str
    bus: str
    modes: tuple[Mode, ...]
    """Empty for a device that gives no pictures, such as the one for a camera's metadata."""


def read_device(path: Path) -> VideoDevice:
    """Does not disturb who uses it. Raises OSError."""
    fd = os.open(path, os.O_RDWR | os.O_NONBLOCK)
    try:
        driver, name, bus, _, everything, here, *_ = _QUERY_CAPABILITY(fd)
        able = here if everything & _DEVICE_CAPS else everything
        modes = tuple(_modes(fd)) if able & _CAPTURE else ()
        return VideoDevice(driver=_text(driver), name=_text(name), bus=_text(bus), modes=modes)
    finally:
        os.close(fd)


def _modes(fd: int) -> Iterator[Mode]:
    for _, _, _, _, code, *_ in _each(_ENUMERATE_FORMATS, fd, after=(_CAPTURE,)):
        letters = _text(struct.pack("=I", code & 0x7FFFFFFF))
        for _, _, kind, *numbers in _each(_ENUMERATE_SIZES, fd, after=(code,)):
            # Of a range its ends.
            sizes = [(numbers[0], numbers[1])]
            if kind != _DISCRETE:
                sizes = [(numbers[0], numbers[3]), (numbers[1], numbers[4])]
            for width, height in sizes:
                rates = tuple(_rates(fd, code, width, height))
                yield Mode(format=letters, width=width, height=height, fps=tuple(sorted(set(rates), reverse=True)))
            if kind != _DISCRETE:
                break


def _rates(fd: int, code: int, width: int, height: int) -> Iterator[float]:
    for _, _, _, _, kind, *numbers in _each(_ENUMERATE_INTERVALS, fd, after=(code, width, height)):
        intervals = [numbers[:2]] if kind == _DISCRETE else [numbers[:2], numbers[2:4]]
        yield from (round(down / up, 2) for up, down in intervals if up)
        if kind != _DISCRETE:
            break


def _each(call: _Call, fd: int, *, after: tuple[int, ...]) -> Iterator[tuple[Any, ...]]:
    """What the driver lists; it ends with EINVAL, or ENOTTY where it lists nothing of the kind."""
    for index in range(_MOST):
        try:
            yield call(fd, index, *after)
        except OSError as error:
            if error.errno in (errno.EINVAL, errno.ENOTTY):
                return
            raise


def _text(raw: bytes) -> str:
    return raw.split(b"\0", 1)[0].decode(errors="replace").strip()
