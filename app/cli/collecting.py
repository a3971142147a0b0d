"""``--collect``: which pictures a recording keeps."""

from __future__ import annotations

from argparse import ArgumentParser, ArgumentTypeError, Namespace
from math import isfinite
from typing import TYPE_CHECKING

from control.errors import ConfigError

if TYPE_CHECKING:
    from robot.sessions.collection import CollectionRule


def add_collecting(options: ArgumentParser) -> None:
    add = options.add_argument
    add("--collect", action="store_true", help="keep only pictures worth learning from, and say how they are spread")
    add("--every-cm", type=_positive, metavar="N", help="with --collect: a picture each N cm; default: 3")
    add("--every-ms", type=_positive, metavar="N", help="with --collect: a picture each N ms, also while it stands")


def chosen_rule(chosen: Namespace, *, autopilot: bool) -> CollectionRule | None:
    """Raises ConfigError."""
    if not chosen.collect:
        if chosen.every_cm is not None or chosen.every_ms is not None:
            raise ConfigError("--every-cm and --every-ms say what --collect keeps; give --collect too")
        return None
    if chosen.record is None and not chosen.web:
        raise ConfigError("--collect chooses what is recorded; give --record too, or --web and press Record")
    from robot.sessions.collection import CollectionRule

    usual = CollectionRule()
    every_m = chosen.every_cm / 100 if chosen.every_cm else 0.0 if chosen.every_ms else usual.every_m
    return CollectionRule(
        every_m=every_m, every_s=(chosen.every_ms or 0.0) / 1000, correction_s=usual.correction_s if autopilot else 0.0
    )


def _positive(text: str) -> float:
    """Type of an option: a number above 0."""
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not isfinite(value) or value <= 0:
        raise ArgumentTypeError(f"'{text}' is no number above 0")
    return value
