"""Gains in a settings file: written among what stands there, comments and all, and taken back."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

from control.errors import InputError, MissingExtraError
from perception.files import replace_file
from robot.config import checked_config, load_config
from robot.settings_file import parse_settings
from sim.tuning.gains import Gains, gains_of

_DIGITS = 4


def backup_of(path: Path) -> Path:
    """The settings as they were before gains were written."""
    return path.with_name(f"{path.name}.before-gains")


def write_gains(path: Path, gains: Gains) -> None:
    """Whole or not at all; what was there is kept beside it. Raises InputError, ConfigError, MissingExtraError."""
    before = path.read_text(encoding="utf-8") if path.exists() else ""
    after = with_gains_text(before, gains)
    checked_config(parse_settings(after.encode(), named=str(path)), folder=path.parent)
    replace_file(backup_of(path), before.encode())
    replace_file(path, after.encode())


def undo_gains(path: Path) -> tuple[Gains, Gains]:
    """The gains until now, and those that hold again. Other lines changed meanwhile stay. Raises InputError."""
    backup = backup_of(path)
    if not backup.is_file() or not path.is_file():
        raise InputError(f"{path}: no gains were written here by `linepilot calibrate gains`; nothing to take back")
    old, now = backup.read_text(encoding="utf-8"), path.read_text(encoding="utf-8")
    written = gains_of(load_config(path))
    present = {name for name in written if _has(now, name)}
    restored = _taken_back(now, old, present)
    if with_gains_text(old, {name: written[name] for name in present}) == now:
        # Nobody changed the file since: every byte is as it was.
        restored = old
    if restored.strip():
        replace_file(path, restored.encode())
    else:
        path.unlink()
    backup.unlink()
    return written, gains_of(load_config(path if path.exists() else None))


def with_gains_text(text: str, gains: Gains) -> str:
    yaml, tree = _loaded(text)
    for name, value in gains.items():
        branch = tree
        *sections, last = name.split(".")
        for section in sections:
            if branch.get(section) is None:
                branch[section] = {}
            branch = branch[section]
        branch[last] = round(value, _DIGITS)
    return _dumped(yaml, tree)


def _taken_back(now: str, old: str, names: set[str]) -> str:
    yaml, tree = _loaded(now)
    _, before = _loaded(old)
    for name in sorted(names):
        parts = name.split(".")
        branches = [tree]
        for section in parts[:-1]:
            branches.append(branches[-1][section])
        value = before
        for part in parts:
            value = value.get(part) if isinstance(value, dict) else None
        if value is not None:
            branches[-1][parts[-1]] = value
            continue
        for branch, part in zip(reversed(branches), reversed(parts), strict=True):
            if part == parts[-1] or not branch[part]:
                del branch[part]
    return _dumped(yaml, tree) if tree else ""


def _has(text: str, name: str) -> bool:
    value: Any = _loaded(text)[1]
    for part in name.split("."):
        value = value.get(part) if isinstance(value, dict) else None
    return value is not None


def _loaded(text: str) -> tuple[Any, Any]:
    try:
        from ruamel.yaml import YAML
    except ModuleNotFoundError:
        raise MissingExtraError("ruamel.yaml", extra="tune", purpose="writing gains between your comments") from None
    yaml = YAML()
    yaml.preserve_quotes = True
    yaml.width = 120
    tree = yaml.load(text)
    return yaml, tree if tree is not None else {}


def _dumped(yaml: Any, tree: Any) -> str:
    out = io.StringIO()
    yaml.dump(tree, out)
    return out.getvalue()
