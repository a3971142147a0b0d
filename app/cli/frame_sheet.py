"""Some frames of a drive side by side, with the line that was seen, the point that was followed and the command."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from perception.training.contact_sheet import Cell, save_contact_sheet
from robot.drive.tick import Tick

_COLUMNS = 4
_ROWS = 3


def save_frame_sheet(path: Path, ticks: Sequence[Tick]) -> None:
    """A .png or .jpg of up to 12 frames. Raises InputError."""
    wanted = min(_COLUMNS * _ROWS, len(ticks))
    picked = [ticks[round(i)] for i in np.linspace(0, len(ticks) - 1, wanted)]
    save_contact_sheet(path, [_cell(tick) for tick in picked], columns=_COLUMNS)


def _cell(tick: Tick) -> Cell:
    assert tick.frame is not None
    command, target = tick.verdict.command, tick.decision.target
    text = f"{tick.now_s:.1f} s  {command.speed_mps:.2f} m/s  {command.curvature_1pm:+.1f} 1/m"
    causes = ", ".join(cause.value for cause in tick.verdict.causes)
    return Cell(
        picture=tick.frame.image,
        labels=[] if target is None else [(target.x, target.y)],
        answer=tick.estimate,
        text=f"{text}\n{causes}".strip(),
    )
