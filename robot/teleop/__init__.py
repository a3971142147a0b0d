"""``open_switches``: what stops and arms this drive, by the settings and by where it was started."""

from __future__ import annotations

from robot.teleop.settings import EmergencyStopSettings
from robot.teleop.switch import Switch

__all__ = ["open_switches"]


def open_switches(settings: EmergencyStopSettings, *, terminal: int | None) -> list[Switch]:
    """``terminal`` is the file of the keyboard, None when there is none."""
    switches: list[Switch] = []
    if terminal is not None:
        from robot.teleop.terminal import TerminalKeys

        switches.append(TerminalKeys(terminal))
    if settings.pin is not None:
        from robot.teleop.stop_pin import StopPin

        switches.append(StopPin(settings.pin))
    return switches
