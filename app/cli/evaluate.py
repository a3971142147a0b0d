"""``linepilot evaluate``: score a model on folders of labelled photographs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from rich import box
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from app.cli.options import parser, refuse_unwritable, write_json
from app.cli.picture_files import require_picture_name
from perception.dataset.photos import read_photos
from perception.engines import open_engine
from perception.training.evaluate import SetScore, evaluate, save_sheet
from robot.drive.pilots import SHIPPED_MODEL

_COLUMNS = (
    ("n", "n"), ("median px", "lateral_error_median_px"), ("mean px", "lateral_error_mean_px"),
    ("constant", "constant_mean_px"), ("colour", "colour_mean_px"), ("heading deg", "heading_error_mean_deg"),
    ("seen AUC", "visibility_auc"),
)  # fmt: skip

_MEANING = """constant: error of answering the same place always; colour: of model=classical.
A model should be well below both. heading: error of the direction to the point.
seen AUC: 1 when pictures with and without a line are told apart, 0.5 if not."""


def run(arguments: list[str]) -> int:
    options = parser(
        "evaluate",
        what="Score a model on JetBot-format folders (xy_X_Y_id.jpg, X_Y_id.jpg) or folders with a labels.csv.\n"
        "Errors are lateral, at the label's own row, in pixels of a 224 px wide picture.",
        example="linepilot evaluate dataset_xy --target line --json scores.json --sheet worst.jpg",
    )
    add = options.add_argument
    add("folders", nargs="+", type=Path, help="of labelled photographs")
    add("--target", choices=("line", "lane"), default="line", help="what the labels mark")
    add("--model", default=str(SHIPPED_MODEL), help="a model file, or classical; default: as shipped")
    add("--unit", choices=("pixel", "percent"), default=None,
        help="what the labels in JetBot's names count; default: guessed, and said when in doubt")  # fmt: skip
    add("--json", type=Path, metavar="OUT", help="write one record a data set to this file")
    add("--sheet", type=Path, default=None, help="picture of the worst and of random frames")
    chosen = options.parse(arguments)
    require_picture_name(chosen.sheet)
    sheets = _sheets(chosen.sheet, chosen.folders)
    refuse_unwritable(chosen.json, *sheets, read=[chosen.model])
    estimator = open_engine(chosen.model, target=chosen.target)
    colour = open_engine("classical", target=chosen.target)
    scores: list[SetScore] = []
    console = Console(stderr=True)
    with Progress(console=console, disable=not console.is_terminal, transient=True) as bar:
        for folder, sheet in zip(chosen.folders, sheets, strict=True):
            photos = read_photos(folder, unit=chosen.unit)
            if photos.note:
                console.print(f"{folder}: {photos.note} (--unit)", markup=False, highlight=False, soft_wrap=True)
            task = bar.add_task(folder.name, total=len(photos))
            step = lambda done, _total, task=task: bar.update(task, completed=done)  # noqa: E731
            scores.append(evaluate(estimator, photos, target=chosen.target, colour=colour, progress=step))
            if sheet is not None:
                save_sheet(scores[-1], sheet, rng=np.random.default_rng(0))
    try:
        write_json(chosen.json, [score.record() for score in scores])
    finally:
        _show(scores)
    return 0


def _sheets(sheet: Path | None, folders: list[Path]) -> list[Path | None]:
    """A picture for each folder, by its name where there are several."""
    if sheet is None or len(folders) == 1:
        return [sheet] * len(folders)
    return [sheet.with_name(f"{sheet.stem}-{folder.absolute().name}{sheet.suffix}") for folder in folders]


def _show(scores: list[SetScore]) -> None:
    table = Table(title="lateral error at the label's row, px of 224", box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    table.add_column("data set")
    for title, _ in _COLUMNS:
        table.add_column(title, justify="right")
    for score in scores:
        record = score.record()
        table.add_row(score.name, *(_text(record[key]) for _, key in _COLUMNS))
    console = Console()
    console.print(table)
    console.print(_MEANING, highlight=False, markup=False)


def _text(value: str | int | float | None) -> str:
    return "-" if value is None else f"{value:.1f}" if isinstance(value, float) else str(value)
