"""From ``camera.source`` to a camera: ours, those of installed packages, or ``module:factory``."""

from __future__ import annotations

from collections.abc import Callable
from difflib import get_close_matches
from importlib import import_module
from importlib.metadata import entry_points
from pathlib import Path
from typing import TYPE_CHECKING

from control.errors import ConfigError
from robot.cameras.settings import CameraSettings

if TYPE_CHECKING:
    # Settings are read by commands that must work where NumPy does not, such as stop.
    from robot.cameras.source import Camera, Device

ENTRY_POINTS = "linepilot.cameras"
"""A package offers cameras here: name -> callable that takes CameraSettings and gives a Camera, already open.

NAME:PLACE in ``camera.source`` then reaches it; the place is its own affair.
"""
Factory = Callable[[CameraSettings], "Camera"]
OURS = {"sim": "sim", "file": "file:PATH", "usb": "usb:NUMBER", "csi": "csi:NUMBER", "gst": "gst:PIPELINE"}
_SLOWEST_FPS = 10.0
"""A live camera must not be slower, however seldom a decision is made: its silence counts as a stall."""
_MOST_DIGITS = 4
"""Of a device's number."""


def names() -> list[str]:
    """Ours first, then those that installed packages bring."""
    return [*OURS, *sorted(entry.name for entry in entry_points(group=ENTRY_POINTS))]


def require_known(source: str) -> None:
    """Without loading or opening anything; a ``module:factory`` is believed. Raises ConfigError."""
    kind, _, place = source.partition(":")
    if kind in OURS:
        _require_place(source, kind, place)
    elif kind not in names() and (not place or _near(kind)):
        raise _unknown(source, kind)


def open_camera(settings: CameraSettings, *, fps: float = 30.0) -> Camera:
    """At ``fps`` where the settings say nothing of it. Raises CameraError, ConfigError.

    ``sim`` has a world behind it, so whoever owns the world opens it.
    """
    kind, _, place = settings.source.partition(":")
    if kind not in OURS:
        return _theirs(settings.source, kind)(settings)
    if kind == "sim":
        raise ConfigError("the camera 'sim' needs a simulated track: linepilot drive --track NAME")
    _require_place(settings.source, kind, place)
    if kind == "file":
        from robot.cameras.file import FileCamera

        return FileCamera(Path(place).expanduser(), fps=settings.fps or fps, realtime=settings.realtime)
    return _live(settings, kind=kind, fps=settings.fps or max(fps, _SLOWEST_FPS))


def _require_place(source: str, kind: str, place: str) -> None:
    numbered = kind in ("usb", "csi")
    is_number = place.isascii() and place.isdigit() and len(place) <= _MOST_DIGITS
    if kind != "sim" and (not place.strip() or (numbered and not is_number)):
        raise ConfigError(f"camera.source: '{source}' says not which one; write {OURS[kind]}")


def _live(settings: CameraSettings, *, kind: str, fps: float) -> Camera:
    """Behind a reader thread; when it dies or freezes it is opened again."""
    from robot.cameras.latest import LatestFrameCamera

    def opened(given_up: Callable[[], bool]) -> Device:
        if kind == "usb":
            from robot.cameras.usb import open_usb

            return open_usb(settings, fps=fps)
        from robot.cameras.gstreamer import open_csi, open_pipeline

        if kind == "csi":
            return open_csi(settings, fps=fps, given_up=given_up)
        return open_pipeline(settings, given_up=given_up)

    return LatestFrameCamera(opened(lambda: False), name=settings.source, reopen=opened)


def _theirs(source: str, kind: str) -> Factory:
    for entry in entry_points(group=ENTRY_POINTS, name=kind):
        return _imported(entry.value)
    if ":" in source and not _near(kind):
        return _imported(source)
    raise _unknown(source, kind)


def _near(kind: str) -> list[str]:
    return get_close_matches(kind, names(), n=1)


def _unknown(source: str, kind: str) -> ConfigError:
    near = _near(kind)
    hint = f"did you mean '{OURS.get(near[0], near[0])}'?" if near else f"known: {', '.join(_known())}"
    return ConfigError(f"camera.source: unknown camera '{source}'; {hint}")


def _known() -> list[str]:
    return [OURS.get(name, name) for name in names()]


def _imported(place: str) -> Factory:
    module, _, attribute = place.partition(":")
    try:
        found: Factory = getattr(import_module(module), attribute)
    except (ImportError, AttributeError, ValueError) as error:
        raise ConfigError(
            f"camera.source: '{place}' cannot be loaded ({error}); known: {', '.join(_known())}, or install its package"
        ) from error
    return found
