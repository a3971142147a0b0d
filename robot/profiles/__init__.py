"""Settings files for common robots, to start from: ``profile:jetbot`` in place of a file, or a copy of it."""

from __future__ import annotations

from difflib import get_close_matches
from pathlib import Path

from control.errors import ConfigError

_PREFIX = "profile:"
_FOLDER = Path(__file__).parent


def profile_names() -> list[str]:
    return sorted(path.stem for path in _FOLDER.glob("*.yaml"))


def profile_path(name: str) -> Path:
    """Raises ConfigError with the nearest name."""
    names = profile_names()
    if name in names:
        return _FOLDER / f"{name}.yaml"
    near = get_close_matches(name, names, n=1)
    hint = f"did you mean '{near[0]}'?" if near else f"known: {', '.join(names)}"
    raise ConfigError(f"no profile '{name}'; {hint}")


def settings_path(word: str) -> Path:
    """A file, or ``profile:NAME``. Raises ConfigError."""
    return profile_path(word[len(_PREFIX) :]) if word.startswith(_PREFIX) else Path(word)
