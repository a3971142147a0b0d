"""Training: settings, data, model, loop, save; flat, to be read from top to bottom."""

from __future__ import annotations

import copy
import io
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from math import cos, pi
from pathlib import Path
from pickle import UnpicklingError
from time import monotonic
from typing import Any

import numpy as np
import torch
from torch import Tensor

from control.errors import ConfigError, LinepilotError, ModelError
from perception.checkpoint import load_state, save_weights
from perception.files import replace_file
from perception.look_ahead import ROWS
from perception.metadata import IMAGENET_MEAN, IMAGENET_STD, ModelMetadata
from perception.network import BINS, TARGETS, LineNet
from perception.training.loss import line_loss
from perception.training.pool import Batch, SamplePool, Stream, stack

_DECAY = 0.998
"""Of the running mean of the weights, which is what is validated and saved."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainSettings:
    """``minutes`` is the whole budget, over all resumed runs; the learning rate falls to zero at its end."""

    minutes: float = 60.0
    batch: int = 64
    size: int = 112
    learning_rate: float = 2e-3
    weight_decay: float = 0.02
    warm_up_steps: int = 200
    workers: int = 1
    capacity: int = 20_000
    reuse: float = 3.0
    validate_every: int = 250
    validation_frames: int = 512
    seed: int = 0
    threads: int = 2

    def __post_init__(self) -> None:
        for name in ("minutes", "batch", "size", "learning_rate", "workers", "capacity", "reuse", "validate_every"):
            if not getattr(self, name) > 0:
                raise ConfigError(f"train.{name}: must be positive, got {getattr(self, name)}")


@dataclass(slots=True, kw_only=True)
class Progress:
    """What the caller shows while training runs."""

    step: int = 0
    samples: int = 0
    elapsed_s: float = 0.0
    loss: float = float("nan")
    best_px: float = float("inf")
    """Smallest median error on the validation frames so far, in pixels of 224."""


def train(
    stream: Stream,
    out: Path,
    *,
    settings: TrainSettings,
    start: Path | None = None,
    resume: bool = False,
    report: Callable[[Progress], None] = lambda _: None,
) -> Progress:
    """Train from ``stream`` into the folder ``out``: model.safetensors (best), state.pt (to resume), metrics.jsonl.

    ``start`` gives weights to begin with. Raises ModelError, LinepilotError (loss not finite: the last good stays).
    KeyboardInterrupt, also from ``report``, leaves a state to resume from.
    """
    out.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(settings.seed)
    torch.set_num_threads(settings.threads)
    network = LineNet()
    if start is not None:
        network.load_state_dict(load_state(start)[0])
    network = network.to(memory_format=torch.channels_last)
    average = copy.deepcopy(network).eval()
    optimizer = torch.optim.AdamW(network.parameters(), lr=settings.learning_rate, weight_decay=settings.weight_decay)
    progress = Progress()
    if resume:
        _load(out / "state.pt", network=network, average=average, optimizer=optimizer, progress=progress)
    checks = _validation(stream, settings)
    began = monotonic() - progress.elapsed_s
    rng = np.random.default_rng((settings.seed, progress.step))
    budget_s = settings.minutes * 60
    pool = SamplePool(stream, workers=settings.workers, capacity=settings.capacity, reuse=settings.reuse, rng=rng)
    with pool:
        try:
            while progress.elapsed_s < budget_s:
                for group in optimizer.param_groups:
                    group["lr"] = _rate(settings, step=progress.step, share=progress.elapsed_s / budget_s)
                progress.loss = _step(network, optimizer, pool.draw(settings.batch))
                _follow(average, network, decay=min(_DECAY, (1 + progress.step) / (10 + progress.step)))
                progress.step += 1
                progress.samples += settings.batch
                progress.elapsed_s = monotonic() - began
                report(progress)
                if progress.step % settings.validate_every == 0 or progress.elapsed_s >= budget_s:
                    _check(average, checks, out=out, progress=progress, settings=settings)
                    _save(out / "state.pt", network=network, average=average, optimizer=optimizer, progress=progress)
        except KeyboardInterrupt:
            # Nothing of what was learnt is lost: --resume goes on from here.
            _save(out / "state.pt", network=network, average=average, optimizer=optimizer, progress=progress)
            raise
    return progress


def _rate(settings: TrainSettings, *, step: int, share: float) -> float:
    warm = min(1.0, (step + 1) / settings.warm_up_steps)
    return settings.learning_rate * warm * (0.5 + 0.5 * cos(pi * min(share, 1.0))) + 1e-6


def _tensors(batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
    rgb = torch.from_numpy(np.ascontiguousarray(batch.images[..., ::-1])).permute(0, 3, 1, 2)
    mean, std = torch.tensor(IMAGENET_MEAN)[:, None, None], torch.tensor(IMAGENET_STD)[:, None, None]
    images = ((rgb.float() / 255 - mean) / std).contiguous(memory_format=torch.channels_last)
    visible = torch.from_numpy(batch.visible)
    weight = torch.from_numpy(batch.defined)[:, :, None].expand_as(visible)
    return images, {"x": torch.from_numpy(batch.x), "visible": visible, "weight": weight}


def _step(network: LineNet, optimizer: torch.optim.Optimizer, batch: Batch) -> float:
    network.train()
    images, labels = _tensors(batch)
    loss, _ = line_loss(network(images), **labels)
    value = float(loss.detach())
    if not np.isfinite(value):
        raise LinepilotError("training: the loss is not finite; resume from the last good state with a lower rate")
    optimizer.zero_grad(set_to_none=True)
    loss.backward()  # type: ignore[no-untyped-call]
    torch.nn.utils.clip_grad_norm_(network.parameters(), 5.0)
    optimizer.step()
    return value


@torch.no_grad()
def _follow(average: LineNet, network: LineNet, *, decay: float) -> None:
    for mean, value in zip(average.state_dict().values(), network.state_dict().values(), strict=True):
        if mean.is_floating_point():
            mean.lerp_(value, 1 - decay)
        else:
            mean.copy_(value)


def _validation(stream: Stream, settings: TrainSettings) -> list[Batch]:
    """Pictures that training never sees: the stream of a seed that no worker is given (theirs are below 2^31)."""
    source = stream(2**31 + settings.seed)
    return [stack([next(source) for _ in range(64)]) for _ in range(max(settings.validation_frames // 64, 1))]


@torch.no_grad()
def validate(network: LineNet, batches: list[Batch]) -> dict[str, float]:
    """Median |x error| per target in pixels of 224 over visible points, and the share of right visibilities."""
    network.eval()
    errors: dict[str, list[Tensor]] = {target: [] for target in TARGETS}
    right: list[Tensor] = []
    centres = (torch.arange(BINS) * 2 + 1) / BINS - 1
    for batch in batches:
        images, labels = _tensors(batch)
        output = network(images)
        best = centres[output[..., :BINS].argmax(-1)]
        off = (best - labels["x"]).abs() * 112
        for index, target in enumerate(TARGETS):
            errors[target].append(off[:, index][(labels["visible"] * labels["weight"])[:, index] > 0])
        right.append(((output[..., BINS] > 0).float() == labels["visible"])[labels["weight"] > 0].float())
    result = {f"{target}_px": float(torch.cat(found).median()) for target, found in errors.items()}
    return {
        **result,
        "line_mean_px": float(torch.cat(errors["line"]).mean()),
        "visible_right": float(torch.cat(right).mean()),
    }


def _check(average: LineNet, checks: list[Batch], *, out: Path, progress: Progress, settings: TrainSettings) -> None:
    scores = validate(average, checks)
    record = {**asdict(progress), **scores, "best_px": min(progress.best_px, scores["line_mean_px"])}
    with (out / "metrics.jsonl").open("a", encoding="utf-8") as log:
        log.write(json.dumps(record) + "\n")
    score = scores["line_mean_px"]
    if score <= progress.best_px:
        progress.best_px = score
        metadata = _metadata(settings, {**record, "best_px": score})
        save_weights(out / "model.safetensors", state=average.state_dict(), metadata=metadata, half=True)


def _metadata(settings: TrainSettings, record: dict[str, Any]) -> ModelMetadata:
    return ModelMetadata(
        kind="rows",
        size=settings.size,
        targets=TARGETS,
        rows=ROWS,
        bins=BINS,
        x_range=1 - 1 / BINS,
        training={**asdict(settings), **{f"at_{name}": value for name, value in record.items()}},
    )


def _save(
    path: Path, *, network: LineNet, average: LineNet, optimizer: torch.optim.Optimizer, progress: Progress
) -> None:
    buffer = io.BytesIO()
    torch.save(
        {
            "network": network.state_dict(),
            "average": average.state_dict(),
            "optimizer": optimizer.state_dict(),
            "progress": asdict(progress),
        },
        buffer,
    )
    replace_file(path, buffer.getvalue())


def _load(
    path: Path, *, network: LineNet, average: LineNet, optimizer: torch.optim.Optimizer, progress: Progress
) -> None:
    try:
        state = torch.load(path, weights_only=True)
    except (OSError, RuntimeError, ValueError, EOFError, UnpicklingError) as error:
        raise ModelError(f"{path}: cannot be resumed from ({type(error).__name__}); start without --resume") from error
    network.load_state_dict(state["network"])
    average.load_state_dict(state["average"])
    optimizer.load_state_dict(state["optimizer"])
    for name, value in state["progress"].items():
        setattr(progress, name, value)
