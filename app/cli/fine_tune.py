"""``linepilot train --data``: photographs in any format in, a model that drives out."""

from __future__ import annotations

import sys
from argparse import Namespace
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from functools import partial
from importlib.metadata import version
from math import isfinite
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import BarColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.progress import Progress as Bar
from rich.table import Table

from app.cli.data import say
from app.cli.tables import facts
from app.cli.train_stream import stream
from control.errors import ConfigError, DatasetError
from control.messages import Target
from perception.dataset import LabelledPhoto, PhotoSet
from perception.dataset.card import read_card
from perception.dataset.interchange import read_any
from perception.dataset.split import held_out_sessions, hold_out_end, parts
from perception.dataset.store import with_prefix
from perception.look_ahead import ROWS
from robot.drive.interrupt import StopRequest, stop_on_signals

if TYPE_CHECKING:
    from perception.metadata import ModelMetadata
    from perception.training.fine_tune import Check, FineTuned, FineTuneSettings
    from perception.training.fine_tune_report import Comparison
    from perception.training.pool import Batch

_MODEL, _STATE, _CARD = "model.safetensors", "state.pt", "model-card.md"
_CALIBRATING = 96
_FEW = 8
_DEFAULT_TARGET: Target = "line"


def run_fine_tune(chosen: Namespace) -> int:
    _refuse_to_overwrite(chosen.out, resume=chosen.resume)
    train, validation, target = photographs(chosen)
    from perception.checkpoint import load_network
    from perception.training.fine_tune import FineTuneSettings, Watcher, fine_tune, save_fine_tuned
    from perception.training.fine_tune_state import read_fine_tune_state
    from perception.training.first_weights import SHIPPED_WEIGHTS

    start = SHIPPED_WEIGHTS if chosen.start in (None, "shipped") else Path(chosen.start)
    network, metadata = load_network(start)
    metadata.target_index(target)
    settings = FineTuneSettings(
        steps=chosen.steps, batch=chosen.batch or 32, seed=chosen.seed, synthetic=chosen.synthetic,
        learning_rate=chosen.rate or 4e-4, frozen_stem=not chosen.all_layers,
    )  # fmt: skip
    state = chosen.out / _STATE
    earlier = read_fine_tune_state(state) if chosen.resume else None
    what = f"{len(train)} photographs to learn from, {len(validation)} for validation"
    say(f"{what}; from {start.name}; {settings.steps} steps at most")
    if earlier is not None:
        say(f"going on after step {earlier.step}")
    first = earlier.step if earlier else 0
    with (
        stop_on_signals() as interrupted,
        _made_up(settings, metadata, chosen=chosen, stop=interrupted, first=first) as synthetic,
    ):
        with _bar(settings) as step:
            watcher = Watcher(step=step, check=_reporter(settings.steps, first=first), stop=interrupted)
            result = fine_tune(
                network, metadata, train=train, validation=validation, target=target, settings=settings,
                synthetic=synthetic, watcher=watcher, state=state, earlier=earlier,
            )  # fmt: skip
        save_fine_tuned(chosen.out, result)
        if result.interrupted:
            print(f"linepilot train: interrupted; {chosen.out / _MODEL} holds what was learnt so far; "
                  "the same command with --resume goes on", file=sys.stderr)  # fmt: skip
            return interrupted.exit_code or 130
    comparison = _compared(chosen.out, start=start, photos=(train, validation), target=target)
    _write_card(chosen, result, start=start, settings=settings, photos=(train, validation), comparison=comparison)
    _show(chosen.out, result, start=start, photos=(train, validation), comparison=comparison)
    if not chosen.no_export:
        _export(chosen.out, [*train, *validation])
    # Only now: until here --resume has something to end with.
    state.unlink(missing_ok=True)
    return 0


def _refuse_to_overwrite(out: Path, *, resume: bool) -> None:
    if not resume and (out / _STATE).exists():
        raise ConfigError(f"{out}: holds a training already; add --resume to go on with it, or give another --out")
    if (out / _MODEL).exists() and not (out / _STATE).exists():
        what = "a training that has ended, with nothing to resume" if resume else "a model already"
        raise ConfigError(f"--out {out}: holds {what}; give a new folder")


def photographs(chosen: Namespace) -> tuple[list[LabelledPhoto], list[LabelledPhoto], Target]:
    """For training and for validation, by session. Raises DatasetError."""
    train: list[LabelledPhoto] = []
    validation: list[LabelledPhoto] = []
    sets = [read_any(f, kind=chosen.format, unit=chosen.unit, category=chosen.category)[1] for f in chosen.data]
    targets = {found.target for found in sets if found.target}
    if chosen.target is None and len(targets) > 1:
        raise DatasetError("some folders label the line, others the lane: say --target, or train on them apart")
    for folder, found in zip(chosen.data, sets, strict=True):
        if found.note:
            say(f"{folder}: {found.note}")
        photos = [photo for photo in (with_prefix(found, found.name) if len(sets) > 1 else found) if photo.is_labelled]
        if not photos:
            raise DatasetError(f"{folder}: no picture says where the line is; label some with linepilot label {folder}")
        learnt, held = _divided(photos, found, wanted=chosen.validation)
        train += learnt
        validation += held
    if not train:
        raise DatasetError("no photograph is left to train on; name fewer sessions in --validation")
    return train, validation, chosen.target or next(iter(targets), _DEFAULT_TARGET)


def _divided(
    photos: Sequence[LabelledPhoto], found: PhotoSet, *, wanted: str | None
) -> tuple[list[LabelledPhoto], list[LabelledPhoto]]:
    """As asked for, else as the card says, else by session, else the end of the only one."""
    sessions = [s for s in (wanted or "").split(",") if s]
    unknown = [s for s in sessions if s not in {p.session for p in photos}]
    if unknown:
        there = ", ".join(sorted({p.session for p in photos}))
        raise DatasetError(f"--validation: no session '{unknown[0]}' in {found.folder}; there are {there}")
    card = read_card(found.folder)
    if not sessions and card is not None and card.splits:
        split = parts(photos, card)
        return split["train"], split["validation"]
    sessions = sessions or list(held_out_sessions(photos))
    if sessions:
        return [p for p in photos if p.session not in sessions], [p for p in photos if p.session in sessions]
    train, held = hold_out_end(photos)
    text = f"its last {len(held)} pictures are kept for validation" if held else "too few to keep some for validation"
    say(f"{found.folder}: one session only, {text}; record a second drive for a fair score")
    return train, held


@contextmanager
def _made_up(
    settings: FineTuneSettings, metadata: ModelMetadata, *, chosen: Namespace, stop: StopRequest, first: int
) -> Iterator[Callable[[int], Batch] | None]:
    """Pictures from a process of its own, which ends with the block; others after step ``first`` than at the start."""
    from perception.training.pool import SamplePool

    if not settings.synthetic or metadata.kind != "rows":
        yield None
        return
    source = partial(stream, rows=ROWS, size=metadata.size, jetbots=chosen.jetbots)
    rng = np.random.default_rng((settings.seed, 1, first) if first else (settings.seed, 1))
    with SamplePool(source, workers=chosen.workers, capacity=4000, reuse=chosen.reuse, rng=rng, stop=stop) as pool:
        yield pool.draw


@contextmanager
def _bar(settings: FineTuneSettings) -> Iterator[Callable[[int, float], None]]:
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn(), TimeRemainingColumn())
    console = Console(stderr=True)
    with Bar(*columns, console=console, disable=not console.is_terminal) as bar:
        task = bar.add_task("preparing", total=settings.steps)
        yield lambda step, loss: bar.update(task, completed=step, description=f"loss {loss:.3f}")


def _reporter(steps: int, *, first: int) -> Callable[[Check], None]:
    """A line at each check where nobody sees the bar."""
    from perception.training.report import duration

    began = monotonic()

    def report(check: Check) -> None:
        left_s = (monotonic() - began) / (check.step - first) * (steps - check.step)
        error = f", {check.mean_px:.1f} px on validation" if isfinite(check.mean_px) else ""
        say(f"step {check.step} of {steps}, loss {check.loss:.3f}{error}; {duration(left_s)} to go at most")

    return (lambda _: None) if Console(stderr=True).is_terminal else report


def _compared(
    out: Path, *, start: Path, photos: tuple[list[LabelledPhoto], list[LabelledPhoto]], target: Target
) -> Comparison:
    from perception.engines import open_engine
    from perception.training.evaluate import evaluate
    from perception.training.fine_tune_report import Comparison

    train, validation = photos
    on = "on validation sessions" if validation else "on the very pictures it learnt from, which flatters"
    scored = PhotoSet(name=out.name, folder=out, photos=tuple(validation or train))
    colour = open_engine("classical", target=target)
    before = evaluate(open_engine(start, target=target), scored, target=target)
    after = evaluate(open_engine(out / _MODEL, target=target), scored, target=target, colour=colour)
    return Comparison(on=on, before=before, after=after)


def _write_card(
    chosen: Namespace,
    result: FineTuned,
    *,
    start: Path,
    settings: FineTuneSettings,
    photos: tuple[list[LabelledPhoto], list[LabelledPhoto]],
    comparison: Comparison,
) -> None:
    from perception.training.model_card import LearntFrom, Origin, write_model_card

    recipe = asdict(settings)
    change = recipe.pop("augmentation")
    write_model_card(
        chosen.out / _MODEL, metadata=result.metadata, start=start.name, target=comparison.after.target,
        recipe={
            **recipe, **change, "best at step": result.best.step, "ended early": result.ended_early,
            "seconds": round(result.seconds), "torch": version("torch"),
        },
        comparison=comparison,
        learnt=LearntFrom(
            train=photos[0], validation=photos[1], origins=[Origin(folder=f, card=read_card(f)) for f in chosen.data]
        ),
    )  # fmt: skip


def _show(
    out: Path,
    result: FineTuned,
    *,
    start: Path,
    photos: tuple[list[LabelledPhoto], list[LabelledPhoto]],
    comparison: Comparison,
) -> None:
    from perception.training.fine_tune_report import score_rows, write_fine_tune_report

    train, validation = photos
    known = [
        ("learnt from", f"{len(train)} photographs"), ("validated on", str(len(validation))),
        ("best at step", f"{result.best.step}{', ended early' if result.ended_early else ''}"),
        ("time", f"{result.seconds:.0f} s"), ("began from", start.name),
    ]  # fmt: skip
    page = write_fine_tune_report(out, facts=known, comparison=comparison, checks=result.checks)
    Console().print(facts(str(out), known))
    table = Table(title=f"lateral error, px of 224, {comparison.on}")
    for title in ("", "median", "mean", "heading deg", "missed"):
        table.add_column(title, justify="right")
    for row in score_rows(comparison):
        table.add_row(*row)
    Console().print(table)
    print(f"report: {page}")
    print(f"model card: {out / _CARD}")


def _export(out: Path, photos: Sequence[LabelledPhoto]) -> None:
    from perception.export import export_model

    order = np.random.default_rng(0).permutation(len(photos))[:_CALIBRATING]
    pictures: list[NDArray[np.uint8]] = [np.asarray(photos[i].read()[0], np.uint8) for i in order]
    if len(pictures) < _FEW:
        from sim.synthetic import frames

        source = frames(ROWS, seed=20_000, size=224)
        pictures += [next(source).image for _ in range(4 * _FEW)]
    for entry in export_model(out / _MODEL, out, pictures=pictures):
        print(f"{out / entry.file}: {entry.bytes / 1e6:.1f} MB, {entry.parity.mean_px:.2f} px from fp32 on average, "
              f"{entry.parity.max_px:.1f} px at most")  # fmt: skip
    print(f"next: linepilot drive model={out / 'model.int8.onnx'}")
