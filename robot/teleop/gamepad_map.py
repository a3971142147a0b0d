"""Which axis and which button of a gamepad means what: known for common pads by their name, learnt for others."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

BUTTON, AXIS, AT_START = 1, 2, 0x80
"""Kinds of an event of Linux's joystick device."""
FULL = 32767.0
_FAR = 0.7
_REST = 0.3


class GamepadMap(BaseModel):
    """Numbers as Linux counts them; every button that is not named stops."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    side: int = Field(default=0, ge=0, le=63)
    """Axis that steers."""
    side_sign: Literal[-1, 1] = -1
    """Of that axis when the stick points to the left."""
    ahead: int = Field(default=1, ge=0, le=63)
    """Axis that drives."""
    ahead_sign: Literal[-1, 1] = -1
    hold: int = Field(default=4, ge=0, le=255)
    """Button that must be held while the stick drives: let go, and the robot stands."""
    arm: int = Field(default=7, ge=0, le=255)


XBOX = GamepadMap()
_PLAYSTATION = GamepadMap(arm=9)
_NINTENDO = GamepadMap(hold=5, arm=10)
_PROFILES = (
    ("nintendo", _NINTENDO), ("pro controller", _NINTENDO), ("logitech dual action", _PLAYSTATION),
    ("logitech cordless rumblepad", _PLAYSTATION), ("xbox", XBOX), ("x-box", XBOX), ("f310", XBOX), ("f710", XBOX),
    ("sony", _PLAYSTATION), ("dualsense", _PLAYSTATION), ("dualshock", _PLAYSTATION),
    ("wireless controller", _PLAYSTATION),
)  # fmt: skip
"""By a part of the name that the kernel gives, the first one that fits: Linux's own drivers number the pads of a maker
alike. Written after those drivers; no pad was at hand."""


def map_for(name: str) -> GamepadMap:
    """Of a pad that nobody knows, that of the most common ones."""
    return next((known for part, known in _PROFILES if part in name.lower()), XBOX)


@dataclass(frozen=True, slots=True)
class Event:
    kind: int
    number: int
    value: int


Ask = Callable[[str], None]


def learn_map(events: Iterator[Event], ask: Ask) -> GamepadMap:
    """Asks for one move after the other; each is waited for. ``events`` raises DeviceError when the pad is gone."""
    stick = [event for event in _STEPS if event[0] == "axis"]
    found: dict[str, Any] = {}
    for _, name, text in stick:
        ask(text)
        axis, sign = _pushed(events, taken={found[key] for key in ("side", "ahead") if key in found})
        found[name], found[f"{name}_sign"] = axis, sign
    for kind, name, text in _STEPS:
        if kind == "button":
            ask(text)
            found[name] = _pressed(events, taken={found[key] for key in ("hold", "arm") if key in found})
    return GamepadMap(**found)


_STEPS = (
    ("axis", "side", "push the stick that shall drive to the LEFT, then let go"),
    ("axis", "ahead", "push it AWAY from you, then let go"),
    ("button", "hold", "press the button that must be held while driving, best one at the shoulder"),
    ("button", "arm", "press the button that arms; every other one will stop the robot"),
)


def _pushed(events: Iterator[Event], *, taken: set[int]) -> tuple[int, int]:
    """Axis and sign; only one that was at rest before, since triggers rest at an end."""
    rested: set[int] = set()
    pushed: tuple[int, int] | None = None
    for event in events:
        if event.kind & ~AT_START != AXIS or event.number in taken:
            continue
        size = abs(event.value) / FULL
        if size < _REST:
            rested.add(event.number)
            if pushed is not None and pushed[0] == event.number:
                return pushed
        elif size > _FAR and event.number in rested and pushed is None:
            pushed = (event.number, 1 if event.value > 0 else -1)
    raise AssertionError("a pad's events end with an error only")


def _pressed(events: Iterator[Event], *, taken: set[int]) -> int:
    for event in events:
        if event.kind == BUTTON and event.value and event.number not in taken:
            return event.number
    raise AssertionError("a pad's events end with an error only")
