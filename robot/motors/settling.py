"""Waiting for a chip to settle: the one place in the drivers where time passes."""

from __future__ import annotations

from collections.abc import Callable
from threading import Event

Settle = Callable[[float], None]
"""Seconds to wait; tests hand in one that only notes them."""


def settle(seconds: float) -> None:
    Event().wait(seconds)
