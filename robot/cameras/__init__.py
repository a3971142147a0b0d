"""``open_camera``: one call from a camera's name to a source of frames."""

from __future__ import annotations

from pathlib import Path

from control.errors import ConfigError
from robot.cameras.source import Camera

__all__ = ["open_camera"]


def open_camera(spec: str, *, fps: float = 30.0, realtime: bool = False) -> Camera:
    """``file:PATH`` (video or folder of pictures) or ``usb:N``. Raises CameraError, ConfigError.

    ``sim`` has a world behind it, so whoever owns the world opens it.
    """
    kind, _, place = spec.partition(":")
    if kind == "file" and place:
        from robot.cameras.file import FileCamera

        return FileCamera(Path(place).expanduser(), fps=fps, realtime=realtime)
    if kind == "usb" and place.isascii() and place.isdigit():
        from robot.cameras.usb import open_usb

        return open_usb(int(place), fps=fps)
    if spec == "sim":
        raise ConfigError("the camera 'sim' needs a simulated track: linepilot drive --track NAME")
    raise ConfigError(f"unknown camera '{spec}'; give file:PATH, usb:NUMBER or sim")
