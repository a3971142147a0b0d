"""The page after a fine-tuning: before and after, how it got there, and where it still fails; imports no torch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Protocol

import numpy as np

from perception.files import replace_file
from perception.training.evaluate import SetScore, by_session, save_sheet
from perception.training.markdown import markdown_table
from perception.training.reliability import reliability

PAGE, SHEET, CURVES = "report.md", "report.jpg", "learning.png"
_COLUMNS = ("median px", "mean px", "heading, degrees", "line missed")
_SESSION_COLUMNS = ("session", "pictures", "median before", "after", "mean before", "after")
_RELIABILITY_COLUMNS = ("spread told, px", "points", "spread", "error", "within one", "within two")
_TEXT = """# Fine-tuning report: {name}

{facts}

## Before and after, {on}

Lateral error at the label's row, in pixels of a 224 px wide picture.

{results}

## Does it know how sure it is?

{reliability}

## How it got there

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


def session_rows(comparison: Comparison) -> list[tuple[str, ...]]:
    """Session, pictures, then median and mean before and after; nothing when there is one session only."""
    pairs = list(zip(by_session(comparison.before), by_session(comparison.after), strict=True))
    if len(pairs) < 2:
        return []
    return [
        (new.name, str(new.n), *(
            _text(value)
            for value in (
                old.lateral_error_median_px, new.lateral_error_median_px, old.lateral_error_mean_px,
                new.lateral_error_mean_px,
            )
        ))
        for old, new in pairs
    ]  # fmt: skip


def results(comparison: Comparison) -> str:
    """Markdown: the table of scores, and of each session where there are several."""
    scores = markdown_table(("", *_COLUMNS), score_rows(comparison))
    sessions = session_rows(comparison)
    return f"{scores}\n\n{markdown_table(_SESSION_COLUMNS, sessions)}" if sessions else scores


def _numbers(score: SetScore) -> tuple[str, ...]:
    missed = "-" if score.missed is None else f"{score.missed:.1%}"
    numbers = (score.lateral_error_median_px, score.lateral_error_mean_px, score.heading_error_mean_deg)
    return (*map(_text, numbers), missed)


def reliability_text(score: SetScore) -> str:
    """What the answer says of its own error, beside the error that it has."""
    found = reliability(score)
    if found is None:
        return "Too few labelled points, or a model that says nothing of its spread: not measured."
    rows = [
        (f"{r.lowest_px:.1f} to {r.highest_px:.1f}", str(r.count), f"{r.told_px:.1f}", f"{r.real_px:.1f}",
         f"{r.within_one:.0%}", f"{r.within_two:.0%}")
        for r in found.groups
    ]  # fmt: skip
    seen = [
        (name, str(group.count), f"{group.real_px:.1f}")
        for name, group in (("seen", found.seen), ("not seen", found.unseen)) if group is not None
    ]  # fmt: skip
    return "\n\n".join(
        (
            markdown_table(_RELIABILITY_COLUMNS, rows),
            "Spread and error as root mean squares, px of 224; of a normal error 68 % lie within one spread, 95 % "
            f"within two. Over all, the spread times {found.factor:.2f} would be the error.",
            markdown_table(("row of the label is", "points", "error"), seen),
        )
    )


def _text(value: float | None) -> str:
    return "-" if value is None else f"{value:.1f}"


def write_fine_tune_report(
    folder: Path, *, facts: Sequence[tuple[str, str]], comparison: Comparison, checks: Sequence[Checked]
) -> Path:
    """Raises InputError when the disk refuses."""
    save_sheet(comparison.after, folder / SHEET, rng=np.random.default_rng(0))
    replace_file(folder / CURVES, _curve(checks))
    text = _TEXT.format(
        name=folder.absolute().name, facts="\n".join(f"- {name}: {value}" for name, value in facts), on=comparison.on,
        results=results(comparison), reliability=reliability_text(comparison.after), curves=CURVES, sheet=SHEET,
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
