"""The page after a fine-tuning: before and after, how it got there, and where it still fails; imports no torch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Protocol

import numpy as np

from perception.files import replace_file
from perception.training.evaluate import SetScore, save_sheet

PAGE, SHEET, CURVES = "report.md", "report.jpg", "learning.png"
_COLUMNS = ("median px", "mean px", "heading, degrees", "line missed")
_TEXT = """# Fine-tuning report: {name}

{facts}

## Before and after, {on}

Lateral error at the label's row, in pixels of a 224 px wide picture.

{scores}

![Learning curve]({curves})

## Where it still fails

![Worst frames]({sheet})

The worst frames, then others at random. Ring: the label. Dots: the answer, red where the line is seen, grey where not.
"""


class Checked(Protocol):
    @property
    def step(self) -> int: ...
    @property
    def mean_px(self) -> float: ...
    @property
    def median_px(self) -> float: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """The same photographs, scored by each."""

    on: str
    before: SetScore
    after: SetScore


def score_rows(comparison: Comparison) -> list[tuple[str, ...]]:
    """Name, then the columns; also what the constant answer and the colour engine would have got."""
    rows = [(name, *_numbers(score)) for name, score in (("before", comparison.before), ("after", comparison.after))]
    for name, value in (("constant", comparison.after.constant_mean_px), ("colour", comparison.after.colour_mean_px)):
        rows.append((f"{name} answer", "-", _text(value), "-", "-"))
    return rows


def _numbers(score: SetScore) -> tuple[str, ...]:
    missed = "-" if score.missed is None else f"{score.missed:.1%}"
    numbers = (score.lateral_error_median_px, score.lateral_error_mean_px, score.heading_error_mean_deg)
    return (*map(_text, numbers), missed)


def _text(value: float | None) -> str:
    return "-" if value is None else f"{value:.1f}"


def write_fine_tune_report(
    folder: Path, *, facts: Sequence[tuple[str, str]], comparison: Comparison, checks: Sequence[Checked]
) -> Path:
    """Raises InputError when the disk refuses."""
    save_sheet(comparison.after, folder / SHEET, rng=np.random.default_rng(0))
    replace_file(folder / CURVES, _curve(checks))
    table = [("", *_COLUMNS), ("---", *("---:" for _ in _COLUMNS)), *score_rows(comparison)]
    text = _TEXT.format(
        name=folder.name, facts="\n".join(f"- {name}: {value}" for name, value in facts), on=comparison.on,
        scores="\n".join("| " + " | ".join(row) + " |" for row in table), curves=CURVES, sheet=SHEET,
    )  # fmt: skip
    replace_file(folder / PAGE, text.encode())
    return folder / PAGE


def _curve(checks: Sequence[Checked]) -> bytes:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 3), layout="constrained")
    axes = figure.subplots()
    axes.plot([c.step for c in checks], [c.mean_px for c in checks], "o-", label="mean")
    axes.plot([c.step for c in checks], [c.median_px for c in checks], "o-", label="median")
    axes.set(xlabel="step", ylabel="error on validation, px of 224")
    axes.set_ylim(bottom=0)
    axes.legend()
    content = BytesIO()
    figure.savefig(content, format="png", dpi=110)
    return content.getvalue()
