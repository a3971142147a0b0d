"""What a page may ask for: one JSON object a message, checked field by field, refused with a reason."""

from __future__ import annotations

import json
from dataclasses import dataclass
from math import isfinite
from typing import Any, TypeAlias

MOST_BYTES = 4096
"""A longer message closes the connection."""
_SHOWN = 40


class RefusedError(Exception):
    """With a reason for the person."""


@dataclass(frozen=True, slots=True)
class Plain:
    """``claim`` and ``leave`` the stick, ``stop``, ``save`` what was tuned."""

    do: str


@dataclass(frozen=True, slots=True)
class Stick:
    steering: float
    throttle: float
    seen_ms: float
    """``now_ms`` of the newest status that the person saw: who sees the past, or is heard late, must not steer."""


@dataclass(frozen=True, slots=True)
class Arm:
    seen_ms: float
    """As of a Stick: nothing begins to move because of a press of some time ago."""


@dataclass(frozen=True, slots=True)
class Tune:
    name: str
    value: float


@dataclass(frozen=True, slots=True)
class Record:
    on: bool


Wish: TypeAlias = Plain | Stick | Arm | Tune | Record
_PLAIN = ("claim", "leave", "stop", "save")
_FIELDS = {
    "stick": ("steering", "throttle", "seen_ms"), "arm": ("seen_ms",), "tune": ("name", "value"), "record": ("on",),
}  # fmt: skip


def read_wish(text: str) -> Wish:
    """Raises RefusedError."""
    try:
        message = json.loads(text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise RefusedError(f"not JSON: {_short(text)}") from error
    if not isinstance(message, dict):
        raise RefusedError(f"not a JSON object: {_short(text)}")
    do = message.pop("do", None)
    if not isinstance(do, str) or do not in (*_PLAIN, *_FIELDS):
        raise RefusedError(f"unknown wish {_short(repr(do))}; known are {', '.join((*_PLAIN, *_FIELDS))}")
    wanted = _FIELDS.get(do, ())
    if set(message) != set(wanted):
        raise RefusedError(
            f"{do} takes {', '.join(wanted) or 'nothing'}, not {_short(', '.join(message)) or 'nothing'}"
        )
    return _make(do, message)


def _make(do: str, fields: dict[str, Any]) -> Wish:
    if do == "stick":
        return Stick(
            steering=_share("steering", fields["steering"]),
            throttle=_share("throttle", fields["throttle"]),
            seen_ms=_number("seen_ms", fields["seen_ms"]),
        )
    if do == "arm":
        return Arm(seen_ms=_number("seen_ms", fields["seen_ms"]))
    if do == "tune":
        if not isinstance(fields["name"], str):
            raise RefusedError(f"name is {_short(repr(fields['name']))}; it must be a string")
        return Tune(name=fields["name"][:_SHOWN], value=_number("value", fields["value"]))
    if do == "record":
        if not isinstance(fields["on"], bool):
            raise RefusedError(f"on is {_short(repr(fields['on']))}; it must be true or false")
        return Record(on=fields["on"])
    return Plain(do=do)


def _number(name: str, value: object) -> float:
    # A whole number of any length is a float only within limits; true is a number to Python alone.
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < 1e12 or not isfinite(value):
        raise RefusedError(f"{name} is {_short(repr(value))}; it must be a finite number")
    return float(value)


def _share(name: str, value: object) -> float:
    number = _number(name, value)
    if not -1.0 <= number <= 1.0:
        raise RefusedError(f"{name} is {number:g}; it must be from -1 to 1")
    return number


def _refuse_constant(text: str) -> float:
    raise ValueError(text)


def _short(text: str) -> str:
    return text if len(text) <= _SHOWN else text[: _SHOWN - 3] + "..."
