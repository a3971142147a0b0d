"""``linepilot bench``: many tracks, looks and directions in one table."""

from __future__ import annotations

import os
from math import isnan
from pathlib import Path

from rich import box
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

from app.cli.options import add_settings, config_from, count, natural, parser, refuse_unwritable, write_json
from control.errors import ConfigError
from robot.drive.pilots import open_estimator
from sim.benchmark.run import aimed
from sim.benchmark.scenarios import DIRECTIONS, Record, Scenario, run_all, seed_of
from sim.looks import LOOKS, find_look
from sim.tracks.geometry import Track
from sim.tracks.library import find_tracks

_WHAT = """Drive one lap of every track in every look and direction, in as many processes as there are cores.

A run is completed when the lap was driven without leaving the line by more than half the robot's width."""
_EXAMPLE = """linepilot bench --tracks reInvent2019_track,Monaco --looks 2 --directions both --json bench.json
  linepilot bench --tracks my_tracks/ --looks 1 law=jetbot
  linepilot bench --tracks oval --looks edge-lines,street --clutter 10"""


def run(arguments: list[str]) -> int:
    options = parser("bench", what=_WHAT, example=_EXAMPLE)
    add = options.add_argument
    add_settings(options)
    add("--tracks", default="all", metavar="WHICH", help="NAME,NAME,..., a folder of .npy or FILE.npy; default: all")
    add("--crossing", action="store_true", help="lines in .npy files may cross themselves on purpose")
    add("--looks", default="3", metavar="N", help=f"NAME,NAME,... or the first N of: {', '.join(LOOKS)}; default: 3")
    add("--clutter", type=natural, default=0, metavar="N", help="things beside ten metres of track; default: 0")
    add("--directions", choices=(*DIRECTIONS, "both"), default="both")
    add("--seed", type=natural, default=0, metavar="N", help="of everything random")
    add("--workers", type=count, default=os.cpu_count() or 1, metavar="N", help="processes; default: one a core")
    add("--json", type=Path, metavar="OUT", help="write one record a run to this file")
    chosen = options.parse(arguments)
    looks = _looks(chosen.looks)
    refuse_unwritable(chosen.json)
    config = config_from(chosen.settings)
    ways = DIRECTIONS if chosen.directions == "both" else tuple(w for w in DIRECTIONS if w == chosen.directions)
    scenarios = [
        Scenario(track=track, look=look, direction=way, clutter=chosen.clutter,
                 seed=seed_of(chosen.seed, track=number, look=look))
        for number, track in enumerate(_tracks(chosen.tracks, crossing=chosen.crossing))
        for look in looks
        for way in ways
    ]  # fmt: skip
    # Says what is wrong with the model once, not once a process.
    by_target = {settings.target: settings for settings in (aimed(config, look=look) for look in looks)}
    for settings in by_target.values():
        open_estimator(settings).close()
    records: dict[int, Record] = {}
    with _bar() as bar:
        task = bar.add_task("driving", total=len(scenarios))
        for index, record in run_all(scenarios, config=config, workers=min(chosen.workers, len(scenarios))):
            records[index] = record
            bar.advance(task)
    ordered = [records[index] for index in sorted(records)]
    _show(ordered)
    write_json(chosen.json, ordered)
    return 0


def _tracks(wanted: str, *, crossing: bool) -> list[Track]:
    """Names, files and folders may be mixed."""
    return [track for name in wanted.split(",") for track in find_tracks(name.strip(), crossing=crossing)]


def _looks(wanted: str) -> list[str]:
    """Names, or how many of all. Raises InputError."""
    if not wanted.isdigit():
        names = [name.strip() for name in wanted.split(",")]
        for name in names:
            find_look(name)
        return names
    if not 1 <= int(wanted) <= len(LOOKS):
        raise ConfigError(f"--looks: from 1 to {len(LOOKS)}, got {wanted}")
    return list(LOOKS)[: int(wanted)]


def _bar() -> Progress:
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    return Progress(*columns, TimeRemainingColumn(), console=console, disable=not console.is_terminal, transient=True)


def _show(records: list[Record]) -> None:
    table = Table(title="one lap each", box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for title in ("track", "look", "direction", "completed"):
        table.add_column(title)
    for title in ("rms", "p95", "max cm", "off s", "m/s", "lap s"):
        table.add_column(title, justify="right")
    for r in records:
        done = "yes" if r["completed"] else f"no: {r['stopped_by'] or 'left the line'}"
        table.add_row(
            str(r["track"]), str(r["look"]), str(r["direction"]), done,
            *(_text(r[f"lateral_error_{k}_m"], scale=100.0, digits=1) for k in ("rms", "p95", "max")),
            _text(r["off_line_s"], digits=1), _text(r["mean_speed_m_s"], digits=2), _text(r["lap_time_s"], digits=1),
        )  # fmt: skip
    console = Console()
    console.print(table)
    console.print(f"{sum(bool(r['completed']) for r in records)} of {len(records)} completed")


def _text(value: str | float | bool | None, *, scale: float = 1.0, digits: int) -> str:
    return "-" if value is None or isinstance(value, str) or isnan(value) else f"{value * scale:.{digits}f}"
