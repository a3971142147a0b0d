"""The words that somebody types before anything moves by itself."""

from __future__ import annotations

from control.errors import ConfigError


def ask_before_moving(will_happen: str, *, words: str, unsaid: str) -> None:
    """Raises ConfigError when ``words`` are not typed; ``unsaid`` is what nobody is there to say."""
    print(will_happen)
    try:
        said = input(f"Type '{words}' to begin: ")
    except EOFError:
        print()
        raise ConfigError(f"nobody is there to say that {unsaid}; give --yes when it is so") from None
    if said.strip().strip("'").lower() != words:
        raise ConfigError(f"that was not '{words}'; nothing was moved")
