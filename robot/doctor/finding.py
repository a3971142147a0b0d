"""One row of what the doctor says."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Level(Enum):
    OK = "ok"
    WARNING = "warning"
    """It will drive, but not as well as it could."""
    PROBLEM = "problem"
    """With these settings it will not drive."""


@dataclass(frozen=True, slots=True)
class Finding:
    part: str
    level: Level
    found: str
    fix: str = ""
    """One command, or one thing to do; never empty for a problem."""


def ok(part: str, found: str) -> Finding:
    return Finding(part, Level.OK, found)


def warning(part: str, found: str, fix: str) -> Finding:
    return Finding(part, Level.WARNING, found, fix)


def problem(part: str, found: str, fix: str) -> Finding:
    return Finding(part, Level.PROBLEM, found, fix)


def problem_of(part: str, error: Exception) -> Finding:
    """Our errors say what is wrong and then, after the last semicolon, what to do."""
    what, _, remedy = " ".join(str(error).split()).rpartition("; ")
    return problem(part, what or remedy, remedy)


def needs_group(group: str) -> str:
    return f"sudo usermod -aG {group} $USER, then log in again"
