"""``linepilot train``: on pictures made up by worker processes while it learns, or with --data on photographs."""

from __future__ import annotations

import os
import sys
from argparse import Namespace
from functools import partial
from math import inf
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.progress import Progress as Bar

from app.cli.options import CommandParser, count, natural, parser, refuse_unwritable
from app.cli.tables import facts
from app.cli.train_stream import stream
from control.errors import ConfigError
from perception.dataset.interchange import IMPORTS
from perception.look_ahead import ROWS
from robot.drive.interrupt import StopRequest, stop_on_signals

if TYPE_CHECKING:
    from perception.training.report import Report
    from perception.training.train import Observer, Outcome, TrainSettings
    from perception.training.training_state import Progress

_SMALLEST, _LARGEST = 32, 448
_LARGEST_BATCH = 65_536
_LARGEST_SEED = 2**63 - 1
_USABLE_PX = 10.0
"""About half the width of a tape half-way up the picture: beyond it the answers lie beside the line."""
_MADE_UP_ONLY = ("minutes", "size", "precision")
_DATA_ONLY = (
    *("steps", "target", "validation", "synthetic", "all_layers"),
    *("no_export", "format", "unit", "category"),
)
_EXAMPLE = """linepilot train --data dataset_xy --out runs/track
  linepilot train --out runs/first --minutes 60
  linepilot train --out runs/first --minutes 90 --resume --size 160
  torchrun --nproc-per-node 4 --no-python linepilot train --out runs/first   (a process for each GPU)
  tensorboard --logdir runs/first"""


def _options() -> CommandParser:
    options = parser(
        "train",
        what="With --data FOLDER: fine-tune on labelled photographs (JetBot, JetRacer, COCO, imagefolder, LeRobot or\n"
        "linepilot's own), validate by session, write a report, and export ONNX and int8. Minutes on two cores.\n\n"
        "Without: train the network on made-up pictures. ^C at any time; --resume goes on. Writes model.safetensors\n"
        "(the best so far), report.md with pictures, metrics.jsonl, events for TensorBoard and state.pt to resume.",
        example=_EXAMPLE,
    )
    add = options.add_argument
    add("--out", type=Path, default=Path("runs/train"), metavar="FOLDER", help="default: runs/train")
    add("--minutes", type=float, default=60.0, metavar="N", help="the whole budget, resumed runs included; default: 60")
    add("--batch", type=count, default=None, metavar="N", help="pictures a step; default: 48, with --data 32")
    add("--workers", type=count, default=1, metavar="N", help="processes that paint pictures; default: 1")
    add("--size", type=count, default=112, metavar="PX",
        help="side of the picture the network sees; default: 112. May be another one on --resume: small "
        "pictures first, which cost less, then larger ones")  # fmt: skip
    add("--reuse", type=float, default=3.0, metavar="N", help="times a picture is seen, on average; default: 3")
    add("--jetbots", type=float, default=0.2, metavar="SHARE", help="of pictures through a JetBot's lens; default: 0.2")
    add("--rate", type=float, default=None, metavar="RATE",
        help="largest learning rate; half of it when going on from trained weights; "
        "default: 0.002, with --data 0.0004")  # fmt: skip
    add("--seed", type=natural, default=0, metavar="N", help="of pictures and weights; default: 0")
    add("--start", default=None, metavar="WEIGHTS",
        help="a .safetensors of an earlier training, shipped, or imagenet (torchvision's ResNet-18, downloaded once); "
        "default: from scratch; with --data shipped, or a .pth of JetBot or JetRacer")  # fmt: skip
    add("--precision", choices=("auto", "fp32", "bf16"), default="auto",
        help="auto: bf16 where the processor computes in it, else fp32")  # fmt: skip
    add("--resume", action="store_true",
        help="go on where an earlier run into --out ended; with --data: the same command again, and this")  # fmt: skip
    _data_options(options)
    return options


def _data_options(options: CommandParser) -> None:
    add = options.add_argument_group("with --data").add_argument
    add("--data", nargs="+", type=Path, default=[], metavar="FOLDER", help="of labelled photographs, any format")
    add("--steps", type=count, default=300, metavar="N", help="at most; default: 300")
    add(
        "--target", choices=("line", "lane"), default=None, help="what the labels mark; default: as the data says, line"
    )
    add("--validation", default=None, metavar="S,S", help="sessions; default: as the data says, else about a fifth")
    add("--synthetic", type=float, default=0.25, metavar="SHARE", help="of made-up pictures in the mix; default: 0.25")
    add("--all-layers", action="store_true", help="change the first layers, too; for hundreds of labels and more")
    add("--no-export", action="store_true", help="leave ONNX and int8 to linepilot export")
    add("--format", choices=IMPORTS, default=None, help="default: told from the files")
    add("--unit", choices=("pixel", "percent"), default=None, help="of JetBot's labels; default: told from the numbers")
    add("--category", default=None, metavar="NAME", help="which of a JetRacer task's")


def _refuse_nonsense(chosen: Namespace) -> None:
    """Raises ConfigError."""
    if not 0 <= chosen.jetbots <= 1:
        raise ConfigError(f"--jetbots: a share from 0 to 1, got {chosen.jetbots}")
    if not _SMALLEST <= chosen.size <= _LARGEST:
        raise ConfigError(f"--size: from {_SMALLEST} to {_LARGEST} pixels, got {chosen.size}")
    if chosen.rate is not None and not 0 < chosen.rate <= 1:
        raise ConfigError(f"--rate: above 0 and at most 1, got {chosen.rate}")
    if chosen.data and os.environ.get("WORLD_SIZE", "1") != "1":
        raise ConfigError("--data: fine-tuning is a matter of minutes in one process; start it without torchrun")
    if chosen.start and chosen.resume and not chosen.data:
        raise ConfigError("--start says where weights begin, --resume goes on with those of --out; give one of them")


def _refuse_endless(chosen: Namespace) -> None:
    """Raises ConfigError."""
    for name in ("minutes", "reuse"):
        if getattr(chosen, name) == inf:
            # Metadata of the weights holds it, and no file of them may hold what is not finite.
            raise ConfigError(f"--{name}: a finite number, got inf")
    if chosen.batch is not None and chosen.batch > _LARGEST_BATCH:
        raise ConfigError(f"--batch: at most {_LARGEST_BATCH} pictures, got {chosen.batch}")
    if chosen.seed > _LARGEST_SEED:
        raise ConfigError(f"--seed: at most {_LARGEST_SEED}, which is what PyTorch takes, got {chosen.seed}")


def _refuse_unheard(chosen: Namespace, options: CommandParser) -> None:
    """Of the two ways to train each has options that the other would not listen to. Raises ConfigError."""
    unheard, when = (_MADE_UP_ONLY, "without") if chosen.data else (_DATA_ONLY, "with")
    for name in unheard:
        if getattr(chosen, name) != options.get_default(name):
            raise ConfigError(f"--{name.replace('_', '-')} counts {when} --data only; leave it out")


def run(arguments: list[str]) -> int:
    options = _options()
    chosen = options.parse(arguments)
    _refuse_nonsense(chosen)
    _refuse_endless(chosen)
    _refuse_unheard(chosen, options)
    refuse_unwritable(chosen.out / "state.pt")
    # Read when torch is loaded: threads that spin while they wait take the painters' cores.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    if chosen.data:
        from app.cli.fine_tune import run_fine_tune

        return run_fine_tune(chosen)
    from perception.training.train import TrainSettings

    settings = TrainSettings(
        minutes=chosen.minutes, batch=chosen.batch or 48, size=chosen.size, workers=chosen.workers, reuse=chosen.reuse,
        seed=chosen.seed, precision=chosen.precision, learning_rate=chosen.rate or 2e-3,
    )  # fmt: skip
    with stop_on_signals() as interrupted:
        try:
            outcome = _train(chosen, settings, interrupted)
        except KeyboardInterrupt:
            _say_interrupted(chosen.out)
            return interrupted.exit_code or 130
    if not outcome.is_first:
        return 0
    if outcome.report is not None:
        _show(chosen.out, outcome.report)
    if outcome.interrupted:
        _say_interrupted(chosen.out)
        return interrupted.exit_code or 130
    print(_next(chosen, outcome.report))
    return 0


def _next(chosen: Namespace, report: Report | None) -> str:
    """An export of what does not find the line yet would only be a robot that drives astray."""
    scores = report.validation.targets if report is not None else {}
    line = scores.get("line")
    # Not a number when there was no line to be missed.
    if line is not None and line.median_px > _USABLE_PX:
        longer = f"--minutes {chosen.minutes + 60:g} --resume"
        return (
            f"not to be driven with yet: the line is missed by {line.median_px:.0f} px of 224 in the median, "
            f"{_USABLE_PX:g} is little enough; next: linepilot train --out {chosen.out} {longer}"
        )
    return f"next: linepilot export {chosen.out}/model.safetensors --out models"


def _train(chosen: Namespace, settings: TrainSettings, interrupted: StopRequest) -> Outcome:
    from perception.training.train import train

    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn(), TimeRemainingColumn())
    console = Console(stderr=True)
    source = partial(stream, rows=ROWS, size=settings.size, jetbots=chosen.jetbots)
    speaks = console.is_terminal and os.environ.get("RANK", "0") == "0"
    with Bar(*columns, console=console, disable=not speaks) as bar:
        return train(
            source, chosen.out, settings=settings, start=chosen.start, resume=chosen.resume,
            observer=_observer(bar, settings=settings, interrupted=interrupted),
        )  # fmt: skip


def _observer(bar: Bar, *, settings: TrainSettings, interrupted: StopRequest) -> Observer:
    from perception.training.train import Observer

    task = bar.add_task("making pictures", total=settings.minutes * 60)

    def report(now: Progress) -> None:
        text = f"{now.samples} pictures, loss {now.loss:.3f}, best {now.best_px:.1f} px"
        bar.update(task, completed=now.elapsed_s, description=text)

    def say(text: str) -> None:
        bar.console.print(f"linepilot train: {text}", markup=False, highlight=False, soft_wrap=True)

    return Observer(report=report, say=say, stop=interrupted)


def _say_interrupted(out: Path) -> None:
    then = f"go on with --out {out} --resume" if (out / "state.pt").exists() else "there was nothing to save yet"
    print(f"linepilot train: interrupted; {then}", file=sys.stderr)


def _show(out: Path, report: Report) -> None:
    scores = report.validation.targets.items()
    rows = [
        *report.facts,
        *((f"{name}, error median / mean", f"{s.median_px:.1f} / {s.mean_px:.1f} px of 224") for name, s in scores),
        ("visibility right", f"{report.validation.visible_right:.1%}"),
    ]
    console = Console()
    console.print(facts(f"{out}, on unseen made-up pictures", rows))
    console.print(f"report: {report.page}", soft_wrap=True)
