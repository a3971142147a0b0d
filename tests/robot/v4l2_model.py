"""Video devices behind the kernel's ``ioctl``: plain files under a folder, and what each of them answers."""

from __future__ import annotations

import errno
import os
import struct
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from robot.cameras import v4l2

# From linux/videodev2.h, as a C compiler works them out on a 64-bit machine.
QUERYCAP, ENUM_FMT, ENUM_FRAMESIZES, ENUM_FRAMEINTERVALS = 0x80685600, 0xC0405602, 0xC02C564A, 0xC034564B
CAPTURE, META_CAPTURE, DEVICE_CAPS, STREAMING = 0x1, 0x00800000, 0x80000000, 0x04000000
DISCRETE, CONTINUOUS, STEPWISE = 1, 2, 3
Size = tuple[int, int]


@dataclass
class Device:
    driver: str = "uvcvideo"
    card: str = "HD Webcam: HD Webcam"
    able: int = CAPTURE | STREAMING
    formats: dict[str, dict[Size, list[int]]] = field(default_factory=dict)
    """Letters -> size -> pictures a second."""
    range_: tuple[int, int, int, int] | None = None
    """Instead of listed sizes: least and most width, least and most height, at 5 to 60 pictures a second."""
    error: int = 0


class V4l2Model:
    def __init__(self, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.root = root
        self.devices: dict[str, Device] = {}
        (root / "dev").mkdir(parents=True)
        monkeypatch.setattr(v4l2, "ioctl", self.ioctl)

    def add(self, name: str, device: Device) -> None:
        (self.root / "dev" / name).touch()
        self.devices[name] = device

    def ioctl(self, fd: int, request: int, record: bytearray) -> int:
        device = self.devices.get(Path(f"/proc/self/fd/{fd}").readlink().name)
        if device is None:
            raise OSError(errno.ENOTTY, os.strerror(errno.ENOTTY))
        if device.error:
            raise OSError(device.error, os.strerror(device.error))
        try:
            {QUERYCAP: _capability, ENUM_FMT: _format, ENUM_FRAMESIZES: _size, ENUM_FRAMEINTERVALS: _interval}[request](
                device, record
            )
        except IndexError:
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL)) from None
        return 0


def _capability(device: Device, record: bytearray) -> None:
    texts = device.driver.encode(), device.card.encode(), b"usb-1.2"
    # All functions of the device, then those of this file.
    struct.pack_into("=16s32s32s3I", record, 0, *texts, 0x50F00, CAPTURE | META_CAPTURE | DEVICE_CAPS, device.able)


def _format(device: Device, record: bytearray) -> None:
    index, kind = struct.unpack_from("=2I", record)
    if kind != 1:
        raise IndexError
    struct.pack_into("=4s", record, 44, list(device.formats)[index].encode())


def _size(device: Device, record: bytearray) -> None:
    (index,) = struct.unpack_from("=I", record)
    if device.range_ is not None:
        least_w, most_w, least_h, most_h = device.range_
        if index:
            raise IndexError
        struct.pack_into("=7I", record, 8, STEPWISE, least_w, most_w, 2, least_h, most_h, 2)
        return
    sizes = device.formats[record[4:8].decode()]
    struct.pack_into("=3I", record, 8, DISCRETE, *list(sizes)[index])


def _interval(device: Device, record: bytearray) -> None:
    index, _, width, height = struct.unpack_from("=4I", record)
    if device.range_ is not None:
        if index:
            raise IndexError
        struct.pack_into("=7I", record, 16, CONTINUOUS, 1, 60, 1, 5, 0, 0)
        return
    rates = device.formats[record[4:8].decode()][(width, height)]
    struct.pack_into("=3I", record, 16, DISCRETE, 1, rates[index])
