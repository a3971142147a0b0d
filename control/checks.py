"""Checks of settings at construction: one line that names the field, the value and what is allowed."""

from __future__ import annotations

from math import inf, isfinite

from control.errors import ConfigError


def require_between(owner: str, name: str, *, value: float, low: float = 0.0, high: float = inf) -> None:
    """Raise ConfigError unless ``low <= value <= high`` and the value is finite."""
    if not (isfinite(value) and low <= value <= high):
        allowed = f"at least {low:g}" if high == inf else f"in [{low:g}, {high:g}]"
        raise ConfigError(f"{owner}.{name} is {value!r}; it must be a finite number {allowed}")


def require_positive(owner: str, **values: float) -> None:
    """Raise ConfigError for the first value that is not finite and above zero."""
    for name, value in values.items():
        if not (isfinite(value) and value > 0):
            raise ConfigError(f"{owner}.{name} is {value!r}; it must be a finite number above 0")


def require_not_negative(owner: str, **values: float) -> None:
    """Raise ConfigError for the first value that is not finite or below zero."""
    for name, value in values.items():
        require_between(owner, name, value=value)


def require_count(owner: str, **values: int) -> None:
    """Raise ConfigError for the first value that is not a whole number above zero."""
    for name, value in values.items():
        if not isinstance(value, int) or value < 1:
            raise ConfigError(f"{owner}.{name} is {value!r}; it must be a whole number above 0")
