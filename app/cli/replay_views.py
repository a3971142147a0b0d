"""``linepilot replay --closed-loop`` of a real drive: beside it, in pictures made from its own."""

from __future__ import annotations

from argparse import Namespace
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console

from app.cli.options import write_json
from app.cli.progress import counting
from app.cli.tables import facts
from control.errors import SessionError
from perception.files import replace_file
from robot.sessions.summary import outline
from sim.replay.beside import Beside, drive_beside, true_profile
from sim.replay.recorded import RecordedDrive
from sim.replay.views import REGION_M, REGION_RAD

_MEASURE = "linepilot calibrate"


def replay_views(chosen: Namespace, drive: RecordedDrive, *, lateral_m: float) -> int:
    """0 when it came to the end no farther than ``lateral_m`` rms from where it was driven."""
    _require_calibration(drive)
    with counting("driving, ticks", total=outline(drive.path).ticks) as told:
        found = drive_beside(drive, offset_m=chosen.offset, told=told)
    record = _record(drive, found, offset_m=chosen.offset, lateral_m=lateral_m)
    console = Console()
    console.print(facts(f"{drive.path.name}: driven beside it", _rows(record)))
    console.print(
        f"the pictures are good up to {REGION_M * 100:.0f} cm aside and {np.degrees(REGION_RAD):.0f} degrees turned: "
        f"{record['valid_share'] * 100:.0f} % of the ticks",
        soft_wrap=True, highlight=False,
    )  # fmt: skip
    console.print("as it was driven" if record["within"] else "changed: not driven as it was")
    _save_picture(chosen.picture, found, title=f"{drive.path.name}: beside the recorded drive")
    console.print(f"picture: {chosen.picture}", soft_wrap=True, markup=False)
    write_json(chosen.json, record)
    return 0 if record["within"] else 1


def _require_calibration(drive: RecordedDrive) -> None:
    measured = drive.config.calibration.measured
    # A simulated robot is the one that its settings describe.
    if drive.scene is None and not (measured.mount.date and measured.drive.date):
        raise SessionError(
            f"{drive.path}: camera mount and motors were never measured, so that its pictures cannot be seen from "
            f"elsewhere; give calibration=calibration.yaml, which `{_MEASURE}` makes"
        )


def _record(drive: RecordedDrive, found: Beside, *, offset_m: float, lateral_m: float) -> dict[str, Any]:
    aside = np.array([place.left_m for place in found.places])
    rms = float(np.sqrt(np.mean(aside**2)))
    truth = true_profile(found, list(drive.ticks()))
    return {
        "session": str(drive.path), "pictures": "synthesised", "offset_m": offset_m, "ticks": len(found.ticks),
        "aside_rms_m": rms, "aside_max_m": float(np.abs(aside).max()), "aside_at_end_m": float(aside[-1]),
        "mean_speed_m_s": float(np.mean(found.speeds_mps)), "valid_share": found.valid_share, "ended": found.ended,
        "lateral_error_rms_m": None if truth is None else float(np.sqrt(np.mean(truth[1] ** 2))),
        "within": not found.ended and rms <= lateral_m,
    }  # fmt: skip


def _rows(record: dict[str, Any]) -> list[tuple[str, str]]:
    rows = [
        ("aside of the recorded drive, rms", f"{record['aside_rms_m'] * 100:.1f} cm"),
        ("at most", f"{record['aside_max_m'] * 100:.1f} cm"),
        ("mean speed", f"{record['mean_speed_m_s']:.2f} m/s"),
        ("came to its end", f"no: {record['ended']}" if record["ended"] else "yes"),
    ]
    if record["lateral_error_rms_m"] is not None:
        rows.append(("lateral error rms", f"{record['lateral_error_rms_m'] * 100:.1f} cm (simulated)"))
    return rows


def _save_picture(path: Path, found: Beside, *, title: str) -> None:
    """PNG, whole or not at all. Raises InputError."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11, 6), layout="constrained")
    FigureCanvasAgg(figure)
    axes: Any = figure.subplots(3, 1, sharex=True)
    time = np.array(found.times_s)
    aside = np.array([place.left_m * 100 for place in found.places])
    axes[0].axhspan(-REGION_M * 100, REGION_M * 100, color="tab:green", alpha=0.12, label="where pictures are good")
    axes[0].plot(time, aside, linewidth=1.0)
    axes[0].set_ylabel("left of the recorded drive, cm", fontsize=8)
    axes[0].legend(fontsize=8, loc="upper right")
    axes[0].set_title(title, fontsize=10)
    turned = np.degrees([place.turn_rad for place in found.places])
    axes[1].axhspan(-np.degrees(REGION_RAD), np.degrees(REGION_RAD), color="tab:green", alpha=0.12)
    axes[1].plot(time, turned, linewidth=1.0)
    axes[1].set_ylabel("turned from it, degrees", fontsize=8)
    axes[2].plot(time, found.speeds_mps, linewidth=1.0)
    axes[2].set_ylabel("speed, m/s", fontsize=8)
    axes[2].set_xlabel("time, s", fontsize=8)
    for chart in axes:
        chart.tick_params(labelsize=8)
        chart.grid(alpha=0.3)
    png = BytesIO()
    figure.savefig(png, format="png", dpi=100)
    replace_file(path, png.getvalue())
