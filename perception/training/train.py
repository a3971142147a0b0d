"""Training: settings, data, model, loop, save; flat, to be read from top to bottom."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from math import cos, isfinite, pi
from pathlib import Path
from time import monotonic
from typing import Any

import numpy as np
import torch

from control.errors import ConfigError, LinepilotError
from perception.checkpoint import load_network, read_metadata, save_weights
from perception.files import replace_file
from perception.look_ahead import ROWS
from perception.metadata import ModelMetadata
from perception.network import BINS, TARGETS, LineNet
from perception.training.first_weights import first_network
from perception.training.group import Group, joined_group
from perception.training.loss import line_loss
from perception.training.metrics_log import MetricsLog
from perception.training.pool import Batch, SamplePool, Stream, WorkerDiedError
from perception.training.precision import Precision, autocast, has_bf16, resolve
from perception.training.report import Report, duration, write_report
from perception.training.tensors import to_tensors
from perception.training.training_state import Progress, TrainingState, first_state, follow, writing
from perception.training.validation import make_validation, validate

_DECAY = 0.998
"""Of the running mean of the weights, which is what is validated and saved."""
_STATE, _MODEL = "state.pt", "model.safetensors"


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
    precision: Precision = "auto"

    def __post_init__(self) -> None:
        for name in ("minutes", "batch", "size", "learning_rate", "workers", "capacity", "reuse", "validate_every"):
            if not getattr(self, name) > 0:
                raise ConfigError(f"train.{name}: must be positive, got {getattr(self, name)}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Observer:
    """What the caller hears: progress after each step, and sentences; and how it asks training to end."""

    report: Callable[[Progress], None] = lambda _: None
    say: Callable[[str], None] = lambda _: None
    stop: Callable[[], bool] = lambda: False


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    progress: Progress
    report: Report | None
    """None when nothing was validated."""
    interrupted: bool
    is_first: bool = True
    """Of the processes that ``torchrun`` started: only this one wrote the files."""


def train(
    stream: Stream,
    out: Path,
    *,
    settings: TrainSettings,
    start: str | None = None,
    resume: bool = False,
    observer: Observer | None = None,
) -> Outcome:
    """Train from ``stream`` into the folder ``out``.

    Started by ``torchrun``, several processes train the one network, each on its own pictures.
    Writes model.safetensors (best), state.pt (to resume), metrics.jsonl, events for TensorBoard and, at the end, also
    when asked to stop, a report. ``start``: see ``first_network``. ``settings.size`` may differ from that of the run
    that is resumed. Raises ModelError, ConfigError; LinepilotError on a full disk, a loss that is not finite or a dead
    worker: the last good files stay. KeyboardInterrupt when asked to stop before there was anything to keep.
    """
    with joined_group() as group:
        return _train(
            stream, out, settings=settings, start=start, resume=resume, observer=observer or Observer(), group=group
        )


def _train(
    stream: Stream,
    out: Path,
    *,
    settings: TrainSettings,
    start: str | None,
    resume: bool,
    observer: Observer,
    group: Group,
) -> Outcome:
    _refuse_to_overwrite(out, resume=resume)
    # Nobody writes before all have looked.
    group.any_says(False)
    torch.manual_seed(settings.seed)
    torch.set_num_threads(settings.threads)
    state = first_state(
        first_network(start), learning_rate=settings.learning_rate, weight_decay=settings.weight_decay,
        start=Path(start).name if start else "from scratch", device=group.device,
    )  # fmt: skip
    if resume:
        state.load(out / _STATE)
        if group.is_first:
            _go_on_from_best(state.progress, out, settings=settings, observer=observer)
    if settings.precision == "bf16" and group.device.type == "cpu" and not has_bf16():
        observer.say("this processor does not compute in bf16: expect steps some ten times as long as in fp32")
    with writing(out):
        out.mkdir(parents=True, exist_ok=True)
    if not group.is_first:
        _learn(state, stream, [], out=out, settings=settings, log=None, observer=observer, group=group)
        return Outcome(progress=state.progress, report=None, interrupted=False, is_first=False)
    checks = make_validation(stream, seed=settings.seed, count=settings.validation_frames, stop=observer.stop)
    with MetricsLog(out, step=state.progress.step) as log:
        if not log.has_tensorboard:
            observer.say("no TensorBoard here, metrics.jsonl only; to have it: pip install 'linepilot[train]'")
        interrupted = _learn(state, stream, checks, out=out, settings=settings, log=log, observer=observer, group=group)
        report = _report(state.progress, checks, out=out, settings=settings, log=log)
    return Outcome(progress=state.progress, report=report, interrupted=interrupted)


def _refuse_to_overwrite(out: Path, *, resume: bool) -> None:
    if not resume and (out / _STATE).exists():
        raise ConfigError(f"{out}: holds a training already; add --resume to go on with it, or give another --out")
    if not resume and (out / _MODEL).exists():
        raise ConfigError(f"{out}: holds a model already; give another --out")


def _go_on_from_best(progress: Progress, out: Path, *, settings: TrainSettings, observer: Observer) -> None:
    """What the next best must beat. A model for another picture size is another model: it is kept beside."""
    model = out / _MODEL
    if not model.is_file():
        return
    metadata = read_metadata(model)
    if metadata.size == settings.size:
        # The model may be newer than the state, if the disk was full then.
        best = metadata.training.get("at_best_px")
        progress.best_px = min(progress.best_px, best) if isinstance(best, float) else progress.best_px
        return
    kept = out / f"model-{metadata.size}px.safetensors"
    with writing(out):
        replace_file(kept, model.read_bytes())
    progress.best_px = float("inf")
    observer.say(f"going on with pictures of {settings.size} px; the best at {metadata.size} px stays as {kept}")


def _learn(
    state: TrainingState,
    stream: Stream,
    checks: list[Batch],
    *,
    out: Path,
    settings: TrainSettings,
    log: MetricsLog | None,
    observer: Observer,
    group: Group,
) -> bool:
    """Until the budget is spent, or an observer stops it: then True. Only the first of a group has a ``log``."""
    progress = state.progress
    began, first_step = monotonic() - progress.elapsed_s, progress.step
    budget_s = settings.minutes * 60
    # The first of a group sees what one process alone would.
    rng = np.random.default_rng((settings.seed, progress.step, *([group.rank] if group.rank else [])))
    pool = SamplePool(
        stream, workers=settings.workers, capacity=settings.capacity, reuse=settings.reuse, rng=rng, stop=observer.stop
    )
    with pool:
        try:
            while progress.elapsed_s < budget_s:
                before_s = progress.elapsed_s
                rate = _set_rate(state, settings, share=before_s / budget_s)
                batch = pool.draw(settings.batch)
                parts = _step(state, batch, precision=settings.precision, group=group)
                follow(state.average, state.network, decay=min(_DECAY, (1 + progress.step) / (10 + progress.step)))
                progress.step += 1
                progress.samples += settings.batch * group.size
                progress.elapsed_s = group.first_says(monotonic() - began)
                progress.loss = parts["loss"]
                if log is not None:
                    numbers, samples = {**parts, "learning_rate": rate}, settings.batch * group.size
                    log.step(progress.step, numbers, samples=samples, seconds=progress.elapsed_s - before_s)
                    observer.report(progress)
                    if progress.step % settings.validate_every == 0 or progress.elapsed_s >= budget_s:
                        _check(state, checks, out=out, settings=settings, log=log)
                        state.save(out / _STATE)
                if group.any_says(observer.stop()):
                    raise KeyboardInterrupt
        except (KeyboardInterrupt, WorkerDiedError) as error:
            # Nothing of what was learnt is lost: --resume goes on from here.
            if group.is_first and progress.step > first_step:
                state.save(out / _STATE)
            if isinstance(error, KeyboardInterrupt):
                return True
            raise
    return False


def _set_rate(state: TrainingState, settings: TrainSettings, *, share: float) -> float:
    """``share`` of the budget is spent."""
    warm = min(1.0, (state.progress.step + 1) / settings.warm_up_steps)
    rate = settings.learning_rate * warm * (0.5 + 0.5 * cos(pi * min(share, 1.0))) + 1e-6
    for group in state.optimizer.param_groups:
        group["lr"] = rate
    return rate


def _step(state: TrainingState, batch: Batch, *, precision: Precision, group: Group) -> dict[str, float]:
    """The loss and its parts. Raises LinepilotError before weights are spoilt by what is not finite."""
    network = state.network.train()
    images, labels = to_tensors(batch, device=group.device)
    with autocast(precision, device=group.device):
        answer = network(images)
    loss, parts = line_loss(answer.float(), **labels)
    state.optimizer.zero_grad(set_to_none=True)
    loss.backward()  # type: ignore[no-untyped-call]
    group.average_gradients(network.parameters())
    length = torch.nn.utils.clip_grad_norm_(network.parameters(), 5.0)
    if not (torch.isfinite(loss) and torch.isfinite(length)):
        raise LinepilotError("the loss is not finite; the last good files stay, go on from them with --resume")
    state.optimizer.step()
    return {"loss": float(loss.detach()), **parts}


def _check(state: TrainingState, checks: list[Batch], *, out: Path, settings: TrainSettings, log: MetricsLog) -> None:
    """Validate, and keep the running mean of the weights if it is the best so far."""
    scores = validate(state.average, checks, metadata=_metadata(settings, {})).record()
    is_best = scores["line_mean_px"] <= state.progress.best_px
    if is_best:
        state.progress.best_px = scores["line_mean_px"]
    record = log.validation(state.progress, scores)
    if is_best:
        with writing(out):
            metadata = _metadata(settings, record)
            save_weights(out / _MODEL, state=state.average.state_dict(), metadata=metadata, half=True)


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


def _report(
    progress: Progress, checks: list[Batch], *, out: Path, settings: TrainSettings, log: MetricsLog
) -> Report | None:
    """On the file that is there at the end, measured anew: the best, in the 16 bits it is kept in."""
    if not isfinite(progress.best_px):
        return None
    network, metadata = load_network(out / _MODEL)
    assert isinstance(network, LineNet)
    facts = (
        ("pictures seen", f"{progress.samples:,}"),
        ("steps", f"{progress.step:,}"),
        ("time", duration(progress.elapsed_s)),
        ("pictures a second", f"{progress.samples / max(progress.elapsed_s, 1e-9):.0f}"),
        ("best at step", str(metadata.training.get("at_step", "unknown"))),
        ("picture size", f"{metadata.size} px"),
        ("weights began", progress.start or "unknown"),
        ("computed in", resolve(settings.precision)),
        ("seed", str(settings.seed)),
    )
    validation = validate(network, checks, metadata=metadata)
    with writing(out):
        return write_report(out, facts=facts, validation=validation, history=log.records)
