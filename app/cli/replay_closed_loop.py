"""``linepilot replay --closed-loop``: the drive again with the controller steering, as tables, picture and record."""

from __future__ import annotations

from argparse import Namespace
from dataclasses import asdict
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

from app.cli.options import write_json
from app.cli.progress import counting
from control.errors import ConfigError
from robot.sessions.summary import outline
from sim.benchmark.metrics import DriveMetrics
from sim.replay.closed_loop import Rerun, rerun
from sim.replay.recorded import RecordedDrive
from sim.scene import Scene

_LATERAL, _PACE = "lateral", "pace"
_TOLERANCES = {_LATERAL: 0.01, _PACE: 0.05}
"""Lateral error rms, metres, and mean speed, m/s, that the drive may be worse by."""
_ASIDE_M = 0.05
"""On pictures made from a recorded drive: how far aside of it, rms, it may go."""
_MEASURES = (
    ("lateral error rms", "lateral_error_rms_m", 100.0, "cm"),
    ("lateral error p95", "lateral_error_p95_m", 100.0, "cm"),
    ("lateral error max", "lateral_error_max_m", 100.0, "cm"), ("off the line", "off_line_s", 1.0, "s"),
    ("mean speed", "mean_speed_m_s", 1.0, "m/s"), ("lap time", "lap_time_s", 1.0, "s"),
    ("distance", "distance_m", 1.0, "m"),
)  # fmt: skip


def replay_closed_loop(chosen: Namespace, drive: RecordedDrive) -> int:
    """0 when it drives as well as it did."""
    if chosen.update or chosen.video is not None or chosen.stride != 1 or chosen.real_time:
        raise ConfigError("--closed-loop: goes without --update, --video, --stride and --real-time")
    tolerance = _tolerances(chosen.tolerance)
    if drive.scene is None or chosen.pictures == "stored":
        from app.cli.replay_views import replay_views

        given = tolerance[_LATERAL] if any(text.startswith(_LATERAL) for text in chosen.tolerance) else _ASIDE_M
        return replay_views(chosen, drive, lateral_m=given)
    return _in_its_world(chosen, drive, drive.scene, tolerance)


def _in_its_world(chosen: Namespace, drive: RecordedDrive, scene: Scene, tolerance: dict[str, float]) -> int:
    with counting("driving, ticks", total=outline(drive.path).ticks) as told:
        found = rerun(drive, scene, offset_m=chosen.offset, told=told)
    record = _record(drive, found, tolerance)
    console = Console()
    console.print(_table(f"{drive.path.name}: driven again in its world", found.then, found.now))
    when = record["first_difference_s"]
    console.print("the same to the bit" if when is None else f"first difference after {when:.2f} s", highlight=False)
    console.print(
        f"{found.apart_rms_m * 100:.2f} cm apart rms, {found.apart_max_m * 100:.2f} cm at most", highlight=False
    )
    if found.drive.stopped_by:
        console.print(f"stopped by: {', '.join(found.drive.stopped_by)}", highlight=False)
    console.print("as good as it was" if record["within"] else "changed: worse than it was")
    from sim.benchmark.picture import save_picture

    save_picture(chosen.picture, found.drive)
    console.print(f"picture: {chosen.picture}", soft_wrap=True, markup=False)
    write_json(chosen.json, record)
    return 0 if record["within"] else 1


def _record(drive: RecordedDrive, found: Rerun, tolerance: dict[str, float]) -> dict[str, Any]:
    then, now = found.then, found.now
    within = (
        now.completed >= then.completed
        and now.lateral_error_rms_m <= then.lateral_error_rms_m + tolerance[_LATERAL]
        and now.mean_speed_m_s >= then.mean_speed_m_s - tolerance[_PACE]
    )
    return {
        "session": str(drive.path), "pictures": "painted", "recorded": asdict(then), "replayed": asdict(now),
        "ticks": len(found.recorded), "identical": found.first_other_s is None,
        "first_difference_s": found.first_other_s, "apart_rms_m": found.apart_rms_m,
        "apart_max_m": found.apart_max_m, "stopped_by": found.drive.stopped_by, "within": within,
    }  # fmt: skip


def _table(title: str, then: DriveMetrics, now: DriveMetrics) -> Table:
    table = Table(title=title, box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    table.add_column("measure")
    for name in ("recorded", "replayed"):
        table.add_column(name, justify="right")
    table.add_column("")
    table.add_row("completed", *("yes" if m.completed else "no" for m in (then, now)), "")
    for name, key, scale, unit in _MEASURES:
        values = [getattr(metrics, key) for metrics in (then, now)]
        table.add_row(name, *("-" if v is None else f"{v * scale:.2f}" for v in values), unit)
    return table


def _tolerances(given: list[str]) -> dict[str, float]:
    found = dict(_TOLERANCES)
    for text in given:
        name, _, number = text.partition("=")
        if name not in found or not number.replace(".", "", 1).isdigit():
            raise ConfigError(f"--tolerance {text}: with --closed-loop give lateral=METRES or {_PACE}=METRES_A_SECOND")
        found[name] = float(number)
    return found
