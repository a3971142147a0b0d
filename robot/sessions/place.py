"""Where the files of a session lie: one file with a name, or files named after the time in a folder."""

from __future__ import annotations

import os
from datetime import datetime
from pathlib import Path

from control.errors import InputError

SUFFIX = ".mcap"


class Place:
    """``chosen`` is FILE.mcap or a folder, which is made when it is missing. Raises InputError."""

    def __init__(self, chosen: Path, *, started: datetime) -> None:
        if chosen.suffix == SUFFIX and chosen.is_dir():
            raise InputError(f"{chosen}: is a folder; give the name of a file, or a folder without {SUFFIX}")
        named = chosen.suffix == SUFFIX
        if not named and chosen.exists() and not chosen.is_dir():
            raise InputError(f"{chosen}: is a file; give a folder, or a name that ends with {SUFFIX}")
        folder = chosen.parent if named else chosen
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InputError(f"{folder}: cannot be made ({error.strerror}); choose another place") from error
        if not os.access(folder, os.W_OK | os.X_OK):
            raise InputError(f"{folder}: cannot be written to; choose another place")
        if named and chosen.exists():
            raise InputError(f"{chosen}: is there already; a session is never overwritten, choose another name")
        self.first = chosen if named else _unused(folder, started.strftime("%Y-%m-%d_%H-%M-%S"))

    def part(self, number: int) -> Path:
        """The ``number``-th file, from 1 on."""
        return self.first if number == 1 else self.first.with_name(f"{self.first.stem}-part{number}{SUFFIX}")


def _unused(folder: Path, name: str) -> Path:
    """A robot without a clock of its own may live through the same second again."""
    path, number = folder / f"{name}{SUFFIX}", 1
    while path.exists():
        number += 1
        path = folder / f"{name}_{number}{SUFFIX}"
    return path
