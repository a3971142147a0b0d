"""robot.yaml: every chosen number of one robot, checked once, with ``key=value`` overrides."""

from __future__ import annotations

from difflib import get_close_matches
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from calibration.profile import Calibration
from control.errors import ConfigError, LinepilotError
from control.faults import SupervisorSettings
from control.follower import FollowerSettings
from control.laws import JetBotSettings, JetRacerSettings
from control.messages import Target


class RobotConfig(BaseModel):
    """Sensible for a JetBot, and for the simulator, with no file at all."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    model: str = ""
    """Path of a model file, or ``classical``; empty is the shipped model."""
    target: Target = "line"
    law: Literal["linepilot", "jetbot", "jetracer"] = "linepilot"
    fps: float = Field(default=30.0, gt=0, le=240)
    threads: int = Field(default=2, ge=1, le=64)
    follower: FollowerSettings = FollowerSettings()
    jetbot: JetBotSettings = JetBotSettings()
    jetracer: JetRacerSettings = JetRacerSettings()
    supervisor: SupervisorSettings = SupervisorSettings()
    calibration: Calibration = Calibration()


def load_config(path: Path | None, overrides: list[str]) -> RobotConfig:
    """Raises ConfigError: one line with the place and, for an unknown key, the nearest known one."""
    tree = _read(path) if path is not None else {}
    where = str(path) if path is not None else "settings"
    for override in overrides:
        _merge(tree, override)
    known = _defaults()
    _check_keys(tree, known, where=where, prefix="")
    try:
        return RobotConfig.model_validate(tree)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        raise ConfigError(f"{where}: {key}: {first['msg']} (got {first['input']!r})") from error
    except LinepilotError as error:
        raise ConfigError(f"{where}: {error}") from error


def _read(path: Path) -> dict[str, Any]:
    try:
        tree = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: not valid YAML: {' '.join(str(error).split())}") from error
    if not isinstance(tree, dict):
        if tree is None:
            return {}
        raise ConfigError(f"{path}: must hold `key: value` lines, got {type(tree).__name__}")
    return tree


def _merge(tree: dict[str, Any], override: str) -> None:
    key, equals, text = override.partition("=")
    if not equals or not key:
        raise ConfigError(f"override '{override}': write it as key=value, for example follower.speed.max_speed_mps=0.5")
    try:
        value = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ConfigError(f"override '{override}': the value is not valid YAML") from error
    *parents, last = key.split(".")
    branch = tree
    for parent in parents:
        branch = branch.setdefault(parent, {})
        if not isinstance(branch, dict):
            raise ConfigError(f"override '{override}': {parent} is a value, not a section")
    branch[last] = value


def _defaults() -> dict[str, Any]:
    tree: dict[str, Any] = TypeAdapter(RobotConfig).dump_python(RobotConfig())
    return tree


def _check_keys(tree: dict[str, Any], known: dict[str, Any], *, where: str, prefix: str) -> None:
    """Dataclasses ignore unknown keys when pydantic reads them, so the tree is compared with the defaults'."""
    for key, value in tree.items():
        if key not in known:
            near = get_close_matches(str(key), known, n=1)
            hint = f"did you mean '{prefix}{near[0]}'?" if near else f"known: {', '.join(known)}"
            raise ConfigError(f"{where}: unknown key '{prefix}{key}'; {hint}")
        if isinstance(value, dict) and isinstance(known[key], dict):
            _check_keys(value, known[key], where=where, prefix=f"{prefix}{key}.")
