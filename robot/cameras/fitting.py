"""The check that an open camera gives what was asked for, and the turn of one that hangs."""

from __future__ import annotations

from typing import Protocol

import cv2
import numpy as np

from control.errors import CameraError
from robot.cameras.source import Device, Image

_SLOWER = 0.9
"""Cameras round their rate: 29.97 is 30."""
_SLOWEST = 10.0
"""As ``camera.fps`` allows."""


class Measured(Device, Protocol):
    """A device that says what it gives."""

    size: tuple[int, int]
    """Width and height of the first picture."""
    fps: float
    """0 is not known."""


def fitting(
    device: Measured, *, name: str, size: tuple[int | None, int | None], fps: float | None, upside_down: bool = False
) -> Device:
    """Calibration and timing rest on what was asked for: another size or a slower rate is refused.

    Raises CameraError, with the device closed.
    """
    trouble = _wrong_size(device.size, size) or _too_slow(device.fps, fps)
    if trouble:
        device.close()
        raise CameraError(f"{name}: {trouble}")
    return Turned(device) if upside_down else device


def _wrong_size(got: tuple[int, int], asked: tuple[int | None, int | None]) -> str:
    if all(want in (None, have) for want, have in zip(asked, got, strict=True)):
        return ""
    wanted = "x".join("any" if want is None else str(want) for want in asked)
    return (
        f"gives {got[0]}x{got[1]}, not {wanted}; set camera.width={got[0]} camera.height={got[1]} or a size from "
        "`linepilot cameras`"
    )


def _too_slow(got: float, asked: float | None) -> str:
    if asked is None or not 0 < got < _SLOWER * asked:
        return ""
    mend = f"set camera.fps={got:g}" if got >= _SLOWEST else "that is too slow to drive"
    return f"gives {got:g} pictures a second, not {asked:g}; {mend} or choose a faster size from `linepilot cameras`"


class Turned:
    """A device by half a turn."""

    def __init__(self, device: Device) -> None:
        self._device = device

    def grab(self) -> Image:
        return np.asarray(cv2.flip(self._device.grab(), -1), dtype=np.uint8)

    def close(self) -> None:
        self._device.close()
