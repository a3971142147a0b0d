"""Fine-tuning on photographs, alone or mixed with made-up pictures; flat, to be read from top to bottom.

The budget is a number of steps, not time, so that a seed gives the same weights on the same machine.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from math import cos, pi
from pathlib import Path
from time import monotonic
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from control.errors import ConfigError, LinepilotError
from control.messages import Target
from perception.checkpoint import ModelMetadata, save_weights
from perception.dataset import LabelledPhoto
from perception.engines.networked import NetworkEstimator
from perception.engines.pytorch import TorchBackend
from perception.preprocess import normalise
from perception.training.augment import STILL, Augmentation, PhotoSample, sample, samples
from perception.training.loss import line_loss
from perception.training.photo_labels import PreparedPhoto, prepare
from perception.training.pool import Batch
from perception.training.training_state import follow, writing

MODEL = "model.safetensors"
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


@dataclass(slots=True, kw_only=True)
class FineTuned:
    network: nn.Module
    metadata: ModelMetadata
    checks: list[Check]
    best: Check
    seconds: float
    """Wall clock of the whole, preparation included."""
    ended_early: bool = False
    interrupted: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Watcher:
    step: Callable[[int, float], None] = lambda _step, _loss: None
    check: Callable[[Check], None] = lambda _: None
    stop: Callable[[], bool] = lambda: False


def fine_tune(
    network: nn.Module,
    metadata: ModelMetadata,
    *,
    train: Sequence[LabelledPhoto],
    validation: Sequence[LabelledPhoto],
    target: Target,
    settings: FineTuneSettings,
    synthetic: Callable[[int], Batch] | None = None,
    watcher: Watcher | None = None,
) -> FineTuned:
    """``network`` goes on from its weights and is changed. ``synthetic`` gives so many made-up pictures.

    Without ``validation`` the last weights are kept, else the best, which may be those it began with.
    Raises DatasetError naming a file, LinepilotError when the loss is not finite: then nothing was written.
    """
    watcher = watcher or Watcher()
    began = monotonic()
    torch.manual_seed(settings.seed)
    torch.set_num_threads(settings.threads)
    learner = _Learner(network, metadata, target=target, settings=settings)
    # A network of x, y has no line whose shape could be borrowed.
    guess = learner.estimator().estimate if metadata.kind == "rows" else None
    photos = prepare(train, size=metadata.size, guess=guess)
    held = prepare(validation, size=metadata.size, guess=None) if validation else []
    stream = samples(
        photos,
        size=metadata.size,
        target=target,
        rng=np.random.default_rng(settings.seed),
        change=settings.augmentation,
    )
    made_up = round(settings.batch * settings.synthetic) if synthetic and metadata.kind == "rows" else 0
    result = FineTuned(
        network=network, metadata=metadata, checks=[], best=learner.check(held, step=0, loss=float("nan")), seconds=0.0
    )
    result.checks.append(result.best)
    best, waited = learner.weights(), 0
    for step in range(1, settings.steps + 1):
        drawn = [next(stream) for _ in range(settings.batch - made_up)]
        loss = learner.step(drawn, synthetic(made_up) if synthetic and made_up else None, share=step / settings.steps)
        watcher.step(step, loss)
        result.interrupted = watcher.stop()
        is_last = step == settings.steps or result.interrupted
        if step % settings.check_every and not is_last:
            continue
        check = learner.check(held, step=step, loss=loss)
        result.checks.append(check)
        watcher.check(check)
        if not held or check.mean_px < result.best.mean_px:
            result.best, best, waited = check, learner.weights(), 0
        else:
            waited += 1
        result.ended_early = waited >= settings.patience and not is_last
        if is_last or result.ended_early:
            break
    network.load_state_dict(best)
    result.network = network.eval()
    result.metadata = _with_history(metadata, result, photos=len(photos), held=len(held), settings=settings)
    result.seconds = monotonic() - began
    return result


class _Learner:
    """The network, the running mean of its weights, and its optimizer."""

    def __init__(self, network: nn.Module, metadata: ModelMetadata, *, target: str, settings: FineTuneSettings) -> None:
        import copy

        self._metadata, self._target, self._settings = metadata, target, settings
        self._network = network.to(memory_format=torch.channels_last)
        self._average = copy.deepcopy(self._network).eval()
        frozen = _FROZEN[metadata.kind] if settings.frozen_stem else ()
        for name, parameter in self._network.named_parameters():
            parameter.requires_grad_(name.split(".")[0] not in frozen)
        learnt = [p for p in self._network.parameters() if p.requires_grad]
        self._optimizer = torch.optim.AdamW(learnt, lr=settings.learning_rate, weight_decay=settings.weight_decay)
        self._steps = 0

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
            raise LinepilotError("the loss is not finite; nothing was changed: try a smaller --rate")
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
        from perception.training.evaluate import x_at

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


def save_fine_tuned(out: Path, result: FineTuned) -> Path:
    with writing(out):
        out.mkdir(parents=True, exist_ok=True)
        path = out / MODEL
        save_weights(path, state=result.network.state_dict(), metadata=result.metadata, half=True)
    return path


def _with_history(
    metadata: ModelMetadata, result: FineTuned, *, photos: int, held: int, settings: FineTuneSettings
) -> ModelMetadata:
    chosen = {k: v for k, v in asdict(settings).items() if k != "augmentation"}
    found: dict[str, Any] = {
        "fine_tuned_on": photos, "validated_on": held, "at_step": result.best.step,
        **({"at_best_px": result.best.mean_px} if held else {}),
    }  # fmt: skip
    return metadata.model_copy(update={"training": {**metadata.training, **chosen, **found}})
