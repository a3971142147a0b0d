"""``linepilot synth``: write a folder of labelled made-up pictures."""

from __future__ import annotations

import csv
import os
import shutil
from io import StringIO
from pathlib import Path

import cv2
from rich.console import Console
from rich.progress import track

from app.cli.options import count, natural, parser, refuse_unwritable
from control.errors import ConfigError, InputError
from perception.files import replace_file
from perception.look_ahead import ROWS
from sim.synthetic import frames


def run(arguments: list[str]) -> int:
    options = parser(
        "synth",
        what="Write labelled made-up pictures: images/*.jpg and points.csv with x of every look-ahead row,\n"
        "empty where the line is not visible.",
        example="linepilot synth --count 200 --out synthetic --seed 1",
    )
    add = options.add_argument
    add("--count", type=count, default=100, metavar="N", help="of pictures; default: 100")
    add("--out", type=Path, default=Path("synthetic"), metavar="FOLDER", help="default: synthetic")
    add("--size", type=count, default=224, metavar="N", help="pixels a side; default: 224")
    add("--seed", type=natural, default=0, metavar="N", help="the same seed gives the same pictures")
    chosen = options.parse(arguments)
    if not 32 <= chosen.size <= 1024:
        raise ConfigError(f"--size: from 32 to 1024, got {chosen.size}")
    if chosen.out.exists() and not (chosen.out.is_dir() and not any(chosen.out.iterdir())):
        raise InputError(f"{chosen.out}: exists already; give the name of a new folder")
    refuse_unwritable(chosen.out / "points.csv")
    unfinished = chosen.out.with_name(f".{chosen.out.name}.{os.getpid()}.part")
    try:
        _write(unfinished, count=chosen.count, size=chosen.size, seed=chosen.seed)
        if chosen.out.exists():
            chosen.out.rmdir()
        unfinished.replace(chosen.out)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
    print(f"{chosen.out}: {chosen.count} pictures and points.csv")
    return 0


def _write(folder: Path, *, count: int, size: int, seed: int) -> None:
    source = frames(ROWS, seed=seed, size=size)
    text = StringIO()
    table = csv.writer(text)
    table.writerow(["file", "target", *(f"x_at_y_{y:+.3f}" for y in ROWS)])
    console = Console(stderr=True)
    for index in track(range(count), description="painting", console=console, disable=not console.is_terminal):
        frame = next(source)
        name = f"{index:06d}.jpg"
        _, coded = cv2.imencode(".jpg", frame.image, [cv2.IMWRITE_JPEG_QUALITY, 95])
        replace_file(folder / "images" / name, coded.tobytes())
        for number, target in enumerate(("line", "lane")):
            if frame.defined[number]:
                seen = zip(frame.x[number], frame.visible[number], strict=True)
                table.writerow([name, target, *(f"{x:.4f}" if v else "" for x, v in seen)])
    replace_file(folder / "points.csv", text.getvalue().encode())
