"""``linepilot train``: train the network on pictures made up by worker processes while it learns."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import cv2
from rich.console import Console
from rich.progress import BarColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.progress import Progress as Bar

from app.cli.options import count, natural, parser
from control.errors import ConfigError
from perception.look_ahead import ROWS
from perception.training.pool import Sample
from robot.drive.interrupt import stop_on_signals
from sim.synthetic import frames

_SMALLEST, _LARGEST = 32, 448


def stream(seed: int, *, rows: tuple[float, ...], size: int, jetbots: float) -> Iterator[Sample]:
    """Runs in a worker: OpenCV's own threads would only fight the network for the cores."""
    cv2.setNumThreads(1)
    return frames(rows, seed=seed, size=size, jetbots=jetbots)


def run(arguments: list[str]) -> int:
    options = parser(
        "train",
        what="Train the network on made-up pictures. ^C at any time; --resume goes on.",
        example="linepilot train --out runs/first --minutes 60",
    )
    add = options.add_argument
    add(
        "--out", type=Path, default=Path("runs/train"), help="folder for model.safetensors and metrics.jsonl"
    )
    add("--minutes", type=float, default=60.0, metavar="N", help="the whole budget, resumed runs included")
    add("--batch", type=count, default=48, metavar="N", help="pictures a step; default: 48")
    add("--workers", type=count, default=1, metavar="N", help="processes that paint pictures; default: 1")
    add("--size", type=count, default=112, metavar="PX", help="side of the picture the network sees; default: 112")
    add("--reuse", type=float, default=3.0, metavar="N", help="times a picture is seen, on average; default: 3")
    add("--jetbots", type=float, default=0.2, metavar="SHARE", help="of pictures through a JetBot's lens; default: 0.2")
    add("--seed", type=natural, default=0, metavar="N", help="of pictures and weights")
    add("--start", type=Path, default=None, help="weights to begin with (.safetensors)")
    add("--resume", action="store_true", help="go on where an earlier run into --out ended")
    chosen = options.parse(arguments)
    from perception.training.train import Progress, TrainSettings, train

    if not 0 <= chosen.jetbots <= 1:
        raise ConfigError(f"--jetbots: a share from 0 to 1, got {chosen.jetbots}")
    if not _SMALLEST <= chosen.size <= _LARGEST:
        raise ConfigError(f"--size: from {_SMALLEST} to {_LARGEST} pixels, got {chosen.size}")
    settings = TrainSettings(
        minutes=chosen.minutes, batch=chosen.batch, size=chosen.size, workers=chosen.workers, reuse=chosen.reuse,
        seed=chosen.seed,
    )  # fmt: skip
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn(), TimeRemainingColumn())
    console = Console(stderr=True)
    with stop_on_signals() as interrupted, Bar(*columns, console=console, disable=not console.is_terminal) as bar:
        task = bar.add_task("making pictures", total=settings.minutes * 60)

        def report(now: Progress) -> None:
            text = f"{now.samples} pictures, loss {now.loss:.3f}, best {now.best_px:.1f} px"
            bar.update(task, completed=now.elapsed_s, description=text)
            if interrupted():
                raise KeyboardInterrupt

        source = partial(stream, rows=ROWS, size=settings.size, jetbots=chosen.jetbots)
        try:
            done = train(source, chosen.out, settings=settings, start=chosen.start, resume=chosen.resume, report=report)
        except KeyboardInterrupt:
            print(f"linepilot train: interrupted; go on with --out {chosen.out} --resume", file=sys.stderr)
            return interrupted.exit_code or 130
    print(f"{chosen.out}/model.safetensors: mean error {done.best_px:.1f} px of 224 on unseen made-up pictures")
    print(f"next: linepilot export {chosen.out}/model.safetensors --out models")
    return 0
