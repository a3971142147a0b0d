"""One fine-tuning's network, the running mean of its weights and its optimizer: a step, and a check."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass, field
from math import cos, pi
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from control.errors import ConfigError, LinepilotError
from perception.checkpoint import ModelMetadata
from perception.engines.networked import NetworkEstimator
from perception.engines.pytorch import TorchBackend
from perception.preprocess import normalise
from perception.training.augment import STILL, Augmentation, PhotoSample, sample
from perception.training.evaluate import x_at
from perception.training.loss import line_loss
from perception.training.photo_labels import PreparedPhoto
from perception.training.pool import Batch
from perception.training.training_state import follow

_FROZEN = {"rows": ("stem",), "xy": ("conv1", "bn1", "layer1")}


@dataclass(frozen=True, slots=True, kw_only=True)
class FineTuneSettings:
    steps: int = 300
    batch: int = 32
    learning_rate: float = 4e-4
    weight_decay: float = 0.02
    warm_up_steps: int = 20
    frozen_stem: bool = True
    """Edges and colours are what few labels can spoil and not improve; it also saves a third of the time."""
    synthetic: float = 0.25
    """Share of made-up pictures in a batch."""
    decay: float = 0.98
    """Of the running mean of the weights, which is what is validated and kept."""
    check_every: int = 50
    patience: int = 4
    """Checks without a better one after which it ends early."""
    seed: int = 0
    threads: int = 2
    augmentation: Augmentation = field(default_factory=Augmentation)

    def __post_init__(self) -> None:
        for name in ("steps", "batch", "learning_rate", "check_every", "patience"):
            if not getattr(self, name) > 0:
                raise ConfigError(f"fine-tune {name}: must be positive, got {getattr(self, name)}")
        if not 0 <= self.synthetic < 1:
            raise ConfigError(f"fine-tune synthetic: a share from 0 to below 1, got {self.synthetic}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """Lateral error on the validation photographs, pixels of 224; NaN without any."""

    step: int
    median_px: float
    mean_px: float
    loss: float


class Learner:
    """The network, the running mean of its weights, and its optimizer."""

    def __init__(self, network: nn.Module, metadata: ModelMetadata, *, target: str, settings: FineTuneSettings) -> None:
        self._metadata, self._target, self._settings = metadata, target, settings
        self._network = network.to(memory_format=torch.channels_last)
        self._average = copy.deepcopy(self._network).eval()
        frozen = _FROZEN[metadata.kind] if settings.frozen_stem else ()
        for name, parameter in self._network.named_parameters():
            parameter.requires_grad_(name.split(".")[0] not in frozen)
        learnt = [p for p in self._network.parameters() if p.requires_grad]
        self._optimizer = torch.optim.AdamW(learnt, lr=settings.learning_rate, weight_decay=settings.weight_decay)
        self._steps = 0

    def restore(self, state: dict[str, Any]) -> None:
        self._network.load_state_dict(state["network"])
        self._average.load_state_dict(state["average"])
        self._optimizer.load_state_dict(state["optimizer"])
        self._steps = state["steps"]

    def state(self) -> dict[str, Any]:
        return {
            "network": self._network.state_dict(),
            "average": self._average.state_dict(),
            "optimizer": self._optimizer.state_dict(),
            "steps": self._steps,
        }

    def estimator(self) -> NetworkEstimator:
        return NetworkEstimator(
            TorchBackend(self._average, metadata=self._metadata), metadata=self._metadata, target=self._target
        )

    def weights(self) -> dict[str, Tensor]:
        return {name: value.clone() for name, value in self._average.state_dict().items()}

    def step(self, drawn: list[PhotoSample], made_up: Batch | None, *, share: float) -> float:
        """Returns the loss. Raises LinepilotError before weights are spoilt by what is not finite."""
        settings = self._settings
        self._steps += 1
        warm = min(1.0, self._steps / settings.warm_up_steps)
        for group in self._optimizer.param_groups:
            group["lr"] = settings.learning_rate * warm * (0.5 + 0.5 * cos(pi * share)) + 1e-6
        # The statistics of few pictures are no better than those that it learnt from many.
        self._network.eval()
        loss = self._loss(drawn, made_up)
        self._optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        learnt = (p for p in self._network.parameters() if p.requires_grad)
        length = torch.nn.utils.clip_grad_norm_(learnt, 5.0)
        if not (torch.isfinite(loss) and torch.isfinite(length)):
            raise LinepilotError("the loss is not finite; try a smaller --rate, with a new --out")
        self._optimizer.step()
        follow(self._average, self._network, decay=min(settings.decay, (1 + self._steps) / (10 + self._steps)))
        return float(loss.detach())

    def _loss(self, drawn: list[PhotoSample], made_up: Batch | None) -> Tensor:
        images = [s.image for s in drawn]
        if made_up is not None:
            images += list(made_up.images)
        answer = self._network(self._tensor(np.stack(images))).float()
        if self._metadata.kind == "xy":
            return self._point_loss(answer, drawn)
        x, visible, weight = (np.stack([getattr(s, name) for s in drawn]) for name in ("x", "visible", "weight"))
        if made_up is not None:
            defined = np.broadcast_to(made_up.defined[:, :, None], made_up.visible.shape)
            x, visible = np.concatenate([x, made_up.x]), np.concatenate([visible, made_up.visible])
            weight = np.concatenate([weight, defined])
        tensors = {n: torch.from_numpy(v) for n, v in (("x", x), ("visible", visible), ("weight", weight))}
        return line_loss(answer, **tensors)[0]

    def _point_loss(self, answer: Tensor, drawn: list[PhotoSample]) -> Tensor:
        first = 2 * self._metadata.target_index(self._target)
        known = [i for i, s in enumerate(drawn) if s.point is not None]
        points = torch.tensor([drawn[i].point for i in known], dtype=torch.float32).reshape(-1, 2)
        return nn.functional.mse_loss(answer[known, first : first + 2], points)

    def _tensor(self, images: NDArray[np.uint8]) -> Tensor:
        data = self._metadata
        prepared = normalise(images, channel_order=data.channel_order, mean=data.mean, std=data.std)
        return torch.from_numpy(prepared).contiguous(memory_format=torch.channels_last)

    def check(self, held: Sequence[PreparedPhoto], *, step: int, loss: float) -> Check:
        """As evaluation scores: at the label's row, over the rows that are seen."""
        estimator, off = self.estimator(), []
        for photo in held:
            point = photo.labels.point
            if point is not None:
                still = sample(photo, size=self._metadata.size, target=self._target, matrix=STILL)
                x = x_at(estimator.estimate(still.image), point.y)
                off.append(abs((x or 0.0) - point.x) * 112)
        if not off:
            return Check(step=step, median_px=float("nan"), mean_px=float("nan"), loss=loss)
        return Check(step=step, median_px=float(np.median(off)), mean_px=float(np.mean(off)), loss=loss)
