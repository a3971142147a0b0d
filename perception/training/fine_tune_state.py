"""Where an interrupted fine-tuning stands, and what it must find unchanged when it goes on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from hashlib import sha256
from pathlib import Path
from typing import Any

from torch import Tensor

from control.errors import ConfigError
from perception.dataset import LabelledPhoto
from perception.training.training_state import read_state, save_state

STATE = "state.pt"


@dataclass(frozen=True, slots=True, kw_only=True)
class FineTuneState:
    """After ``step`` steps."""

    recipe: dict[str, str]
    """Option or thing, and its value or digest: with another one it would be another training."""
    step: int
    seconds: float
    waited: int
    checks: list[dict[str, float]]
    best_check: int
    """Which of ``checks``."""
    stream: str
    best: dict[str, Tensor]
    learner: dict[str, Any]
    """Network, running mean, optimizer."""

    def save(self, path: Path) -> None:
        """Raises LinepilotError when the disk is full."""
        save_state(path, {f.name: getattr(self, f.name) for f in fields(self)})

    def refuse_other(self, recipe: dict[str, str]) -> None:
        """Raises ConfigError naming the first thing that is not as it was."""
        for name, now in recipe.items():
            was = self.recipe.get(name)
            if was != now:
                raise ConfigError(
                    f"--resume: {name}: {was} when it began, {now} now; give the same as then, or a new --out"
                )


def read_fine_tune_state(path: Path) -> FineTuneState:
    """Raises ModelError when there is nothing to go on with."""
    return read_state(path, lambda content: FineTuneState(**content))


def digest_of_weights(state: dict[str, Tensor]) -> str:
    found = sha256()
    for name, value in state.items():
        found.update(name.encode())
        found.update(value.contiguous().numpy().tobytes())
    return found.hexdigest()[:12]


def digest_of_photos(photos: Sequence[LabelledPhoto]) -> str:
    """Of names and labels, wherever the folder lies."""
    said = [(p.path.name, p.session, p.raws, p.unit, p.visible) for p in photos]
    return f"{len(photos)} ({sha256(repr(said).encode()).hexdigest()[:12]})"
