"""What the commands' options have in common."""

from __future__ import annotations

import json
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from math import isfinite
from pathlib import Path
from typing import Any

from control.errors import ConfigError
from perception.files import replace_file
from robot.config import RobotConfig, load_config


def parser(name: str, *, what: str, example: str) -> ArgumentParser:
    return ArgumentParser(
        prog=f"linepilot {name}",
        description=what,
        epilog=f"example:\n  {example}",
        formatter_class=RawDescriptionHelpFormatter,
    )


def add_settings(options: ArgumentParser) -> None:
    options.add_argument(
        "settings", nargs="*", metavar="robot.yaml | key=value",
        help="a settings file, then single settings, as follower.speed.max_speed_mps=0.5 or model=my.onnx",
    )  # fmt: skip


def config_from(settings: list[str]) -> RobotConfig:
    """The first word without = is the file. Raises ConfigError."""
    files = [word for word in settings if "=" not in word]
    if len(files) > 1:
        raise ConfigError(f"one settings file is enough, got {', '.join(files)}")
    return load_config(Path(files[0]) if files else None, [word for word in settings if "=" in word])


def write_json(path: Path | None, data: Any) -> None:
    """Whole or not at all; a number that is not finite becomes null."""
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
        replace_file(path, (json.dumps(_finite(data), indent=2) + "\n").encode())


def _finite(data: Any) -> Any:
    if isinstance(data, float):
        return data if isfinite(data) else None
    if isinstance(data, dict):
        return {key: _finite(value) for key, value in data.items()}
    return [_finite(value) for value in data] if isinstance(data, list | tuple) else data
