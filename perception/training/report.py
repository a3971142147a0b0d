"""The page at the end of a training: what it took, how good it is, how it got there and where it still fails."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np

from perception.files import replace_file
from perception.look_ahead import ROWS
from perception.training.contact_sheet import Cell, save_contact_sheet, worst_first
from perception.training.markdown import markdown_table
from perception.training.validation import Answer, Validation

PAGE, SHEET, CURVES = "report.md", "report.png", "learning.png"
_WORST, _OTHERS = 18, 6
_TEXT = """# Training report: {name}

{facts}

## On {pictures} made-up pictures that it never saw

Lateral error in pixels of a 224 px wide picture, over all look-ahead rows where the line is to be seen; the other
numbers say how often it is right about whether there is a line in a row.

{scores}

![Learning curves]({curves})

## Where it still fails

![Worst validation frames]({sheet})

The {worst} worst frames, then {others} at random to compare with. Rings: the label. Dots: the answer, red where the
line is seen, grey where not.

## Next

When the line is missed by less than some 10 px in the median; before, `linepilot train --resume` with more `--minutes`:

```
linepilot export {folder}/model.safetensors --out models
linepilot evaluate PHOTOS --model models/model.int8.onnx
```
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """``facts`` are names and values for a person; ``page`` is where the whole report lies."""

    facts: tuple[tuple[str, str], ...]
    validation: Validation
    page: Path


def write_report(
    folder: Path, *, facts: Sequence[tuple[str, str]], validation: Validation, history: Sequence[dict[str, Any]]
) -> Report:
    """report.md, report.png (frames) and learning.png in ``folder``. Raises InputError when they cannot be written."""
    _save_sheet(folder / SHEET, validation.answers)
    _save_curves(folder / CURVES, history)
    text = _TEXT.format(
        name=folder.resolve().name, folder=folder, facts=markdown_table(("", ""), facts), pictures=validation.pictures,
        scores=markdown_table(("target", "points", "median px", "mean px", "visibility right"), score_rows(validation)),
        curves=CURVES, sheet=SHEET, worst=_WORST, others=_OTHERS,
    )  # fmt: skip
    replace_file(folder / PAGE, text.encode())
    return Report(facts=tuple(facts), validation=validation, page=folder / PAGE)


def score_rows(validation: Validation) -> list[tuple[str, ...]]:
    """A row a target: name, points, median, mean, share of right visibilities."""
    return [
        (name, str(s.points), f"{s.median_px:.1f}", f"{s.mean_px:.1f}", f"{s.visible_right:.1%}")
        for name, s in validation.targets.items()
    ]


def duration(seconds: float) -> str:
    minutes = seconds / 60
    if minutes < 2:
        return f"{seconds:.0f} s"
    return f"{minutes:.0f} min" if minutes < 120 else f"{minutes / 60:.1f} h"


def _save_sheet(path: Path, answers: Sequence[Answer]) -> None:
    rng = np.random.default_rng(0)
    chosen = worst_first(answers, lambda a: a.badness, worst=_WORST, others=_OTHERS, rng=rng)
    save_contact_sheet(path, [_cell(answer) for answer in chosen])


def _cell(answer: Answer) -> Cell:
    visible = answer.visible
    off = f"{answer.off_px[visible].mean():.0f} px  " if visible.any() else "no line  "
    return Cell(
        picture=answer.image,
        labels=[(float(x), y) for x, y, seen in zip(answer.x, ROWS, visible, strict=True) if seen],
        answer=answer.estimate,
        text=f"{answer.target}  {off}{int(answer.seen_right.sum())}/{len(visible)} rows right",
    )


def _save_curves(path: Path, history: Sequence[dict[str, Any]]) -> None:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11, 3.2), layout="constrained")
    # Not through pyplot: that would want a screen, and keep every figure.
    FigureCanvasAgg(figure)
    loss, error, seen = (figure.add_subplot(1, 3, number) for number in (1, 2, 3))
    _curves(loss, history, {"all": "loss", "column": "column", "offset": "offset", "seen": "seen"}, title="loss")
    names = {
        "line, mean": "line_mean_px", "line, median": "line_px", "lane, mean": "lane_mean_px", "lane, median": "lane_px"
    }  # fmt: skip
    _curves(error, history, names, title="error on unseen pictures, px of 224")
    error.set_ylim(bottom=0)
    _curves(seen, history, {"": "visible_right"}, title="share of right visibilities")
    seen.yaxis.set_major_formatter("{x:.0%}")
    png = BytesIO()
    figure.savefig(png, format="png", dpi=100)
    replace_file(path, png.getvalue())


def _curves(chart: Any, history: Sequence[dict[str, Any]], names: dict[str, str], *, title: str) -> None:
    """Over the pictures seen; records of older versions lack some of the numbers."""
    for label, name in names.items():
        points = [(r["samples"] / 1000, r[name]) for r in history if r.get(name) is not None]
        if points:
            chart.plot(*np.array(points).T, marker=".", markersize=4, linewidth=1.0, label=label or None)
    if len(chart.get_lines()) > 1:
        chart.legend(fontsize=7)
    chart.set_title(title, fontsize=9)
    chart.set_xlabel("pictures seen, thousands", fontsize=8)
    chart.tick_params(labelsize=8)
    chart.grid(alpha=0.3)
