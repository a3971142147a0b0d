"""What a training is at one moment, and the file from which it goes on."""

from __future__ import annotations

import copy
import io
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from pickle import UnpicklingError
from typing import Any, TypeVar

import torch
from torch import nn

from control.errors import InputError, LinepilotError, ModelError
from perception.files import replace_file
from perception.network import LineNet

CPU = torch.device("cpu")
Restored = TypeVar("Restored")


@dataclass(slots=True, kw_only=True)
class Progress:
    """What the caller shows while training runs."""

    step: int = 0
    samples: int = 0
    elapsed_s: float = 0.0
    loss: float = float("nan")
    best_px: float = float("inf")
    """Smallest mean error of the line on the validation frames so far, in pixels of 224."""
    start: str = ""
    """Where the weights began."""


@dataclass(slots=True, kw_only=True)
class TrainingState:
    """``average`` is the running mean of the weights of ``network``."""

    network: LineNet
    average: LineNet
    optimizer: torch.optim.Optimizer
    progress: Progress = field(default_factory=Progress)

    def save(self, path: Path) -> None:
        """Raises LinepilotError when the disk is full."""
        content = {
            "network": self.network.state_dict(),
            "average": self.average.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "progress": asdict(self.progress),
        }
        save_state(path, content)

    def load(self, path: Path) -> None:
        """Raises ModelError when there is nothing to go on with."""
        read_state(path, self._restore)

    def _restore(self, state: dict[str, Any]) -> None:
        self.network.load_state_dict(state["network"])
        self.average.load_state_dict(state["average"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.progress = Progress(**state["progress"])


def save_state(path: Path, content: Mapping[str, Any]) -> None:
    """Whole or not at all. Raises LinepilotError when the disk is full."""
    buffer = io.BytesIO()
    torch.save(dict(content), buffer)
    with writing(path.parent):
        replace_file(path, buffer.getvalue())


def read_state(path: Path, restore: Callable[[dict[str, Any]], Restored]) -> Restored:
    """``restore`` may fail as it likes. Raises ModelError when there is nothing to go on with."""
    if not path.is_file():
        raise ModelError(f"{path}: no training to go on with; check --out, or start without --resume")
    try:
        return restore(torch.load(path, map_location="cpu", weights_only=True))
    except (OSError, RuntimeError, ValueError, LookupError, TypeError, EOFError, UnpicklingError) as error:
        kind = type(error).__name__
        raise ModelError(
            f"{path}: cannot be resumed from ({kind}): damaged, or of another version; start without --resume"
        ) from error


def first_state(
    network: LineNet, *, learning_rate: float, weight_decay: float, start: str, device: torch.device = CPU
) -> TrainingState:
    network = network.to(device).to(memory_format=torch.channels_last)
    return TrainingState(
        network=network,
        average=copy.deepcopy(network).eval(),
        optimizer=torch.optim.AdamW(network.parameters(), lr=learning_rate, weight_decay=weight_decay),
        progress=Progress(start=start),
    )


@torch.no_grad()
def follow(average: nn.Module, network: nn.Module, *, decay: float) -> None:
    """A running mean of the weights."""
    for mean, value in zip(average.state_dict().values(), network.state_dict().values(), strict=True):
        if mean.is_floating_point():
            mean.lerp_(value, 1 - decay)
        else:
            mean.copy_(value)


@contextmanager
def writing(folder: Path) -> Iterator[None]:
    """A disk that fills up is no bad input: files are replaced whole, so the last good ones are still there."""
    try:
        yield
    except (InputError, OSError) as error:
        cause = error if isinstance(error, OSError) else error.__cause__
        if not isinstance(cause, OSError):
            raise
        raise LinepilotError(
            f"{folder}: cannot be written ({cause.strerror}); the last good files stay, "
            "make room and go on with --resume"
        ) from error
