"""Gains that were found at the page, as a settings file for the next drive."""

from __future__ import annotations

from pathlib import Path

import yaml

from control.follower import FollowerSettings
from perception.files import replace_file
from robot.config import RobotConfig

_NAME = "tuned"


def save_tuned(config: RobotConfig, follower: FollowerSettings, *, folder: Path) -> Path:
    """Every setting of the drive, whole or not at all; nothing is overwritten. Raises InputError."""
    path, number = folder / f"{_NAME}.yaml", 1
    while path.exists():
        number += 1
        path = folder / f"{_NAME}_{number}.yaml"
    tree = config.model_copy(update={"follower": follower}).model_dump(mode="json")
    replace_file(path, str(yaml.safe_dump(tree, sort_keys=False)).encode())
    return path
