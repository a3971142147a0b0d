"""What is drawn on a picture: which points count as seen, and the JSON of it for a browser."""

from __future__ import annotations

from collections.abc import Iterable
from math import isfinite
from typing import Any, Protocol

SEEN = 0.5
"""A point is drawn from this visibility on."""


class _Point(Protocol):
    """A LinePoint, also as it is stored."""

    @property
    def x(self) -> float: ...
    @property
    def y(self) -> float: ...
    @property
    def visible(self) -> float: ...


def overlay(points: Iterable[_Point], target: _Point | None) -> dict[str, Any]:
    """The seen points and the followed one, in image points."""
    line = [[round(p.x, 4), round(p.y, 4)] for p in points if p.visible >= SEEN and isfinite(p.x + p.y)]
    return {"line": line, "target": None if target is None else [finite(target.x), finite(target.y)]}


def finite(value: float | None) -> float | None:
    """Of JSON, which knows no other numbers."""
    return round(value, 4) if value is not None and isfinite(value) else None
