"""What the commands' options have in common."""

from __future__ import annotations

import json
import os
from argparse import ArgumentParser, ArgumentTypeError, Namespace, RawDescriptionHelpFormatter
from collections.abc import Iterable, Sequence
from math import isfinite
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any, NoReturn

from control.errors import ConfigError, InputError
from perception.files import is_device, replace_file
from robot.config import RobotConfig, load_config
from robot.profiles import settings_path


class CommandParser(ArgumentParser):
    """Says what is wrong in one line, and lets settings stand before, between and after options."""

    def error(self, message: str) -> NoReturn:
        raise ConfigError(f"{message}; see {self.prog} --help")

    def parse(self, arguments: Sequence[str]) -> Namespace:
        return self.parse_intermixed_args(arguments)


def parser(name: str, *, what: str, example: str) -> CommandParser:
    return CommandParser(
        prog=f"linepilot {name}",
        description=what,
        epilog=f"example:\n  {example}",
        formatter_class=RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )


def natural(text: str) -> int:
    """Type of an option: a whole number from 0 up."""
    if not (text.isascii() and text.isdigit()):
        raise ArgumentTypeError(f"'{text}' is no whole number from 0 up")
    return int(text)


def count(text: str) -> int:
    """Type of an option: a whole number from 1 up."""
    if natural(text) < 1:
        raise ArgumentTypeError(f"'{text}' is no whole number from 1 up")
    return int(text)


def add_settings(options: ArgumentParser) -> None:
    options.add_argument(
        "settings", nargs="*", metavar="robot.yaml | profile:NAME | key=value",
        help="a settings file or a shipped profile, then single settings, as follower.speed.max_speed_mps=0.5",
    )  # fmt: skip


def config_from(settings: list[str]) -> RobotConfig:
    """The first word without = is the file, or profile:NAME. Raises ConfigError."""
    files = [word for word in settings if "=" not in word]
    if len(files) > 1:
        raise ConfigError(f"one settings file is enough, got {', '.join(files)}")
    return load_config(settings_path(files[0]) if files else None, [word for word in settings if "=" in word])


def refuse_unwritable(*paths: Path | None, read: Iterable[str | Path | None] = ()) -> None:
    """Before the work, not after it; nor may two outputs, or one and what is ``read``, be the same file.

    Raises InputError.
    """
    taken = {os.path.realpath(path): "is read, too" for path in read if path}
    for path in paths:
        if path is None or is_device(path):
            continue
        if str(path) == "-":
            raise InputError("-: is no file; give a name, or /dev/stdout")
        where = os.path.realpath(path)
        if where in taken:
            raise InputError(f"{path}: {taken[where]}; give the output a name of its own")
        taken[where] = "is given for two outputs"
        folder = Path(where).parent
        while not folder.exists():
            folder = folder.parent
        if path.is_dir():
            raise InputError(f"{path}: is a folder; give the name of a file")
        try:
            # Asking for the rights is not enough: a mount may be read-only, full or a stranger's.
            with TemporaryFile(dir=folder) as trial:
                trial.write(b"x")
        except OSError as error:
            raise InputError(
                f"{path}: {folder} cannot be written to ({error.strerror}); choose another place"
            ) from error


def write_json(path: Path | None, data: Any) -> None:
    """Whole or not at all; a number that is not finite becomes null. Raises InputError."""
    if path is not None:
        replace_file(path, (json.dumps(_finite(data), indent=2) + "\n").encode())


def _finite(data: Any) -> Any:
    if isinstance(data, float):
        return data if isfinite(data) else None
    if isinstance(data, dict):
        return {key: _finite(value) for key, value in data.items()}
    return [_finite(value) for value in data] if isinstance(data, list | tuple) else data
