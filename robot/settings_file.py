"""The text of robot.yaml and of ``key=value`` overrides as one tree that remembers where each key was written."""

from __future__ import annotations

from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import yaml

from control.errors import ConfigError

Tree = dict[str, Any]
KeyPath = tuple[str, ...]
_MAX_BYTES = 16_000_000
"""More than any settings; a device that never ends would fill the memory."""
_MAX_VALUES = 1_000_000
"""With what anchors stand for written out: a few lines of them can stand for thousands of millions."""


@dataclass(slots=True, kw_only=True)
class Settings:
    """``places`` says for each key, as a path from the root, where it was written."""

    tree: Tree = field(default_factory=dict)
    places: dict[KeyPath, str] = field(default_factory=dict)

    def place(self, path: KeyPath) -> str:
        """Of the key, or of the nearest section around it that was written."""
        for end in range(len(path), -1, -1):
            if path[:end] in self.places:
                return self.places[path[:end]]
        return "settings"


def read_settings(path: Path) -> Settings:
    """Raises ConfigError naming file and line."""
    try:
        with path.open("rb") as file:
            content = file.read(_MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        # ValueError: a name with a null character in it.
        why = getattr(error, "strerror", None) or error
        raise ConfigError(f"{path}: cannot be read ({why}); give a settings file or key=value") from error
    if len(content) > _MAX_BYTES:
        raise ConfigError(f"{path}: longer than {_MAX_BYTES / 1e6:.0f} MB, which no settings are; give a YAML file")
    return parse_settings(content, named=str(path))


def parse_settings(content: bytes, *, named: str) -> Settings:
    """Of a file's content. Raises ConfigError with ``named`` and the line."""
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise ConfigError(f"{named}: not a text file in UTF-8; give a YAML file") from error
    root, tree = _loaded(text, named=named)
    if root is None:
        return Settings()
    if not isinstance(tree, dict) or not isinstance(root, yaml.MappingNode):
        raise ConfigError(f"{named}: must hold lines of `key: value`, not {type(tree).__name__}")
    settings = Settings(tree=tree, places={(): named})
    try:
        _note_places(root, (), file=named, places=settings.places)
    except RecursionError:
        raise ConfigError(f"{named}: an anchor holds itself; write its values out") from None
    return settings


def _loaded(text: str, *, named: str) -> tuple[yaml.Node | None, Any]:
    """Nodes and values. Raises ConfigError."""
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
        if root is not None and _values(root, {}) > _MAX_VALUES:
            raise ConfigError(
                f"{named}: more than {_MAX_VALUES} values with all anchors written out; no settings need so many"
            )
        return root, yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ConfigError(f"{named}{_line_of(error)}: not valid YAML; {_problem(error)}") from error
    except RecursionError:
        raise ConfigError(f"{named}: sections or lists are nested too deep; write them flatter") from None
    except (ValueError, AttributeError) as error:
        # What PyYAML lets through of a date that is none, a number of thousands of digits, a wrong tag.
        why = "a tag does not fit its value" if isinstance(error, AttributeError) else " ".join(str(error).split())
        raise ConfigError(f"{named}: a value cannot be read ({why}); mend it, or put it in quotes") from error


def _values(node: yaml.Node, counted: dict[int, int]) -> int:
    """How many there are with every anchor written out; one that holds itself counts once. Each node is seen once."""
    if id(node) not in counted:
        counted[id(node)] = 1
        parts = [part for pair in node.value for part in pair] if isinstance(node, yaml.MappingNode) else node.value
        if isinstance(node, yaml.CollectionNode):
            counted[id(node)] += sum(_values(part, counted) for part in parts)
    return counted[id(node)]


def _line_of(error: yaml.YAMLError) -> str:
    mark = getattr(error, "problem_mark", None)
    return f":{mark.line + 1}" if mark is not None else ""


def _problem(error: yaml.YAMLError) -> str:
    return " ".join(str(getattr(error, "problem", None) or error).split())


def _note_places(node: yaml.MappingNode, prefix: KeyPath, *, file: str, places: dict[KeyPath, str]) -> None:
    for key, value in node.value:
        path = (*prefix, str(key.value))
        place = f"{file}:{key.start_mark.line + 1}"
        if path in places:
            raise ConfigError(f"{place}: '{'.'.join(path)}' stands here a second time; remove one")
        places[path] = place
        if isinstance(value, yaml.MappingNode):
            _note_places(value, path, file=file, places=places)


def override(settings: Settings, text: str) -> None:
    """Merge one ``dotted.key=value`` in place; the value is read as YAML. Raises ConfigError."""
    key, equals, written = text.partition("=")
    if not equals or not all(key.split(".")):
        raise ConfigError(f"'{text}': write a setting as key=value, for example follower.speed.max_speed_mps=0.5")
    _, value = _loaded(written, named=f"'{text}'")
    *parents, last = key.split(".")
    branch = settings.tree
    for parent in parents:
        if branch.get(parent) is None:
            branch[parent] = {}
        branch = branch[parent]
        if not isinstance(branch, dict):
            raise ConfigError(f"'{text}': '{parent}' is a single value, not a section")
    branch[last] = value
    path = (*parents, last)
    settings.places[path] = f"'{text}'"
    for end in range(1, len(path)):
        settings.places.setdefault(path[:end], f"'{text}'")


def refuse_unknown(settings: Settings, known: Tree) -> None:
    """Compare with the tree of all settings. Raises ConfigError with the place and the nearest known key."""
    _refuse_unknown(settings, settings.tree, known, prefix=(), everything=_leaves(known, ()))


def _refuse_unknown(settings: Settings, tree: Tree, known: Tree, *, prefix: KeyPath, everything: list[KeyPath]) -> None:
    for key, value in tree.items():
        path = (*prefix, str(key))
        if key not in known:
            hint = _hint(path, known, everything)
            raise ConfigError(f"{settings.place(path)}: unknown key '{'.'.join(path)}'; {hint}")
        if isinstance(value, bool) and isinstance(known[key], int | float) and not isinstance(known[key], bool):
            # YAML reads yes, no, on and off as this, and it would count as 1 or 0.
            raise ConfigError(f"{settings.place(path)}: {'.'.join(path)}: input should be a number, not {value}")
        if isinstance(value, dict) and isinstance(known[key], dict):
            _refuse_unknown(settings, value, known[key], prefix=path, everything=everything)


def _hint(path: KeyPath, known: Tree, everything: list[KeyPath]) -> str:
    """A sibling with nearly that name, else a key with that name elsewhere, else the siblings."""
    section = path[:-1]
    near = [(*section, name) for name in get_close_matches(path[-1], [str(k) for k in known], n=1, cutoff=0.5)]
    near = near or [other for other in everything if other[-1] == path[-1]][:2]
    if near:
        return "did you mean " + " or ".join(f"'{'.'.join(other)}'" for other in near) + "?"
    return "known here: " + ", ".join(str(k) for k in known)


def _leaves(tree: Tree, prefix: KeyPath) -> list[KeyPath]:
    found: list[KeyPath] = []
    for key, value in tree.items():
        found.append((*prefix, key))
        if isinstance(value, dict):
            found.extend(_leaves(value, (*prefix, key)))
    return found
