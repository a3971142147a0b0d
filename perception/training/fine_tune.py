"""Fine-tuning on photographs, alone or mixed with made-up pictures; flat, to be read from top to bottom.

The budget is a number of steps, not time, so that a seed gives the same weights on the same machine.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from hashlib import sha256
from pathlib import Path
from time import monotonic
from typing import Any

import numpy as np
import torch
from torch import nn

from control.messages import Target
from perception.checkpoint import ModelMetadata, save_weights
from perception.dataset import LabelledPhoto
from perception.training.augment import PhotoStream
from perception.training.fine_tune_state import FineTuneState, digest_of_photos, digest_of_weights
from perception.training.learner import Check, FineTuneSettings, Learner
from perception.training.photo_labels import PreparedPhoto, prepare
from perception.training.pool import Batch, WorkerDiedError
from perception.training.training_state import writing

__all__ = ["Check", "FineTuneSettings", "FineTuned", "Watcher", "fine_tune", "save_fine_tuned"]
MODEL = "model.safetensors"
_NO_LOSS = float("nan")


@dataclass(slots=True, kw_only=True)
class FineTuned:
    network: nn.Module
    metadata: ModelMetadata
    checks: list[Check]
    best: Check
    seconds: float
    """Wall clock of the whole, preparation and earlier runs included."""
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
    state: Path | None = None,
    earlier: FineTuneState | None = None,
) -> FineTuned:
    """``network`` goes on from its weights and is changed. ``synthetic`` gives so many made-up pictures.

    Without ``validation`` the last weights are kept, else the best, which may be those it began with. At each check
    and when it is interrupted, ``state`` is written: as ``earlier`` it goes on from there, with everything else given
    as before, also ``network`` with the weights it began from.
    Raises DatasetError naming a file, ConfigError when something is not as it was ``earlier``, LinepilotError when the
    loss is not finite: then ``state`` is that of the last check.
    """
    watcher = watcher or Watcher()
    began = monotonic() - (earlier.seconds if earlier else 0.0)
    torch.manual_seed(settings.seed)
    torch.set_num_threads(settings.threads)
    recipe = _recipe(network, metadata, train=train, validation=validation, target=target, settings=settings)
    if earlier:
        earlier.refuse_other(recipe)
    learner = Learner(network, metadata, target=target, settings=settings)
    # A network of x, y has no line whose shape could be borrowed.
    guess = learner.estimator().estimate if metadata.kind == "rows" else None
    photos = prepare(train, size=metadata.size, guess=guess)
    held = prepare(validation, size=metadata.size, guess=None) if validation else []
    rng = np.random.default_rng(settings.seed)
    stream = PhotoStream(photos, size=metadata.size, target=target, rng=rng, change=settings.augmentation)
    made_up = round(settings.batch * settings.synthetic) if synthetic and metadata.kind == "rows" else 0
    run = _Run(learner, stream, held, settings=settings)
    if earlier:
        run.restore(earlier)
    else:
        run.check(loss=_NO_LOSS)

    def keep() -> None:
        if state is not None:
            run.state(recipe=recipe, seconds=monotonic() - began).save(state)

    paint = partial(synthetic, made_up) if synthetic and made_up else lambda: None
    interrupted = _learn(run, paint, photographs=settings.batch - made_up, watcher=watcher, keep=keep)
    network.load_state_dict(run.best_weights)
    result = FineTuned(
        network=network.eval(), metadata=metadata, checks=run.checks, best=run.best, seconds=monotonic() - began,
        ended_early=run.has_no_patience_left and run.steps < settings.steps, interrupted=interrupted,
    )  # fmt: skip
    result.metadata = _with_history(metadata, result, photos=len(photos), held=len(held), settings=settings)
    return result


def _learn(
    run: _Run,
    paint: Callable[[], Batch | None],
    *,
    photographs: int,
    watcher: Watcher,
    keep: Callable[[], None],
) -> bool:
    """Until it is over, or asked to stop: then True. ``photographs``: in a batch."""
    while not run.is_over:
        try:
            # Before the photographs: when it ends here, nothing of this step was done.
            painted = paint()
        except KeyboardInterrupt:
            keep()
            return True
        except WorkerDiedError:
            keep()
            raise
        loss = run.step(photographs, painted)
        watcher.step(run.steps, loss)
        is_asked_to_stop = watcher.stop()
        if run.is_due:
            watcher.check(run.check(loss=loss))
        if run.is_due or is_asked_to_stop:
            keep()
        if is_asked_to_stop:
            if not run.is_due:
                # For the model that is written now; what goes on later is checked as if never interrupted.
                run.check(loss=loss)
            return True
    return False


class _Run:
    """How far it is, and the best so far."""

    def __init__(
        self, learner: Learner, stream: PhotoStream, held: Sequence[PreparedPhoto], *, settings: FineTuneSettings
    ) -> None:
        self._learner, self._stream, self._held, self._settings = learner, stream, held, settings
        self.steps, self._waited = 0, 0
        self.checks: list[Check] = []
        self._best = 0
        self.best_weights = learner.weights()

    @property
    def best(self) -> Check:
        return self.checks[self._best]

    @property
    def has_no_patience_left(self) -> bool:
        return self._waited >= self._settings.patience

    @property
    def is_over(self) -> bool:
        return self.steps >= self._settings.steps or self.has_no_patience_left

    @property
    def is_due(self) -> bool:
        """A check is."""
        return self.steps % self._settings.check_every == 0 or self.steps == self._settings.steps

    def step(self, count: int, painted: Batch | None) -> float:
        """Returns the loss."""
        drawn = [next(self._stream) for _ in range(count)]
        self.steps += 1
        return self._learner.step(drawn, painted, share=self.steps / self._settings.steps)

    def check(self, *, loss: float) -> Check:
        """Without validation photographs the last is the best."""
        check = self._learner.check(self._held, step=self.steps, loss=loss)
        self.checks.append(check)
        if len(self.checks) == 1 or not self._held or check.mean_px < self.best.mean_px:
            self._best, self.best_weights, self._waited = len(self.checks) - 1, self._learner.weights(), 0
        else:
            self._waited += 1
        return check

    def state(self, *, recipe: dict[str, str], seconds: float) -> FineTuneState:
        return FineTuneState(
            recipe=recipe, step=self.steps, seconds=seconds, waited=self._waited,
            checks=[asdict(c) for c in self.checks], best_check=self._best, best=self.best_weights,
            stream=self._stream.state(), learner=self._learner.state(),
        )  # fmt: skip

    def restore(self, earlier: FineTuneState) -> None:
        self._learner.restore(earlier.learner)
        self._stream.restore(earlier.stream)
        self.steps, self._waited = earlier.step, earlier.waited
        self.checks = [Check(**c) for c in earlier.checks]  # type: ignore[arg-type]
        self._best, self.best_weights = earlier.best_check, earlier.best


def _recipe(
    network: nn.Module,
    metadata: ModelMetadata,
    *,
    train: Sequence[LabelledPhoto],
    validation: Sequence[LabelledPhoto],
    target: str,
    settings: FineTuneSettings,
) -> dict[str, str]:
    """What must be the same when it goes on; named as a person gives it, where one does."""
    spoken = {"learning_rate": "--rate", "frozen_stem": "first layers frozen (--all-layers)"}
    chosen = {k: v for k, v in asdict(settings).items() if k != "threads"}
    return {
        "photographs to learn from": digest_of_photos(train),
        "photographs for validation": digest_of_photos(validation),
        "weights it began from (--start)": digest_of_weights(network.state_dict()),
        "preprocessing": sha256(metadata.model_dump_json(exclude={"training"}).encode()).hexdigest()[:12],
        "--target": target,
        **{spoken.get(name, f"--{name}"): str(value) for name, value in chosen.items()},
    }


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
