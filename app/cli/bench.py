"""``linepilot bench``: many tracks, looks and directions in one table."""

from __future__ import annotations

import os
from pathlib import Path

from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from app.cli.options import add_settings, config_from, parser, write_json
from control.errors import ConfigError
from robot.drive.pilots import open_estimator
from sim.benchmark.scenarios import DIRECTIONS, Record, Scenario, run_all
from sim.looks import LOOKS
from sim.tracks.geometry import Track
from sim.tracks.library import find_tracks, shipped_names


def run(arguments: list[str]) -> int:
    options = parser(
        "bench",
        what="Drive one lap of every track in every look and direction.",
        example="linepilot bench --tracks reInvent2019_track,Monaco --looks 2 --directions both --json bench.json",
    )
    add_settings(options)
    options.add_argument(
        "--tracks", default="", help="NAME,NAME,... or a folder, or a FILE.npy; all shipped by default"
    )
    options.add_argument("--looks", type=int, default=3, help=f"how many of: {', '.join(LOOKS)}")
    options.add_argument("--directions", choices=("forward", "reverse", "both"), default="both")
    options.add_argument("--seed", type=int, default=0)
    options.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    options.add_argument("--json", type=Path, default=None)
    chosen = options.parse(arguments)
    if not 1 <= chosen.looks <= len(LOOKS):
        raise ConfigError(f"--looks: from 1 to {len(LOOKS)}, got {chosen.looks}")
    config = config_from(chosen.settings)
    open_estimator(config).close()
    ways = DIRECTIONS if chosen.directions == "both" else tuple(w for w in DIRECTIONS if w == chosen.directions)
    scenarios = [
        Scenario(track=track, look=look, direction=way, seed=chosen.seed)
        for track in _tracks(chosen.tracks) for look in list(LOOKS)[: chosen.looks] for way in ways
    ]  # fmt: skip
    records: dict[int, Record] = {}
    with Progress(console=Console(stderr=True)) as bar:
        task = bar.add_task("driving", total=len(scenarios))
        for index, record in run_all(scenarios, config=config, workers=chosen.workers):
            records[index] = record
            bar.advance(task)
    ordered = [records[index] for index in sorted(records)]
    _show(ordered)
    write_json(chosen.json, ordered)
    return 0


def _tracks(wanted: str) -> list[Track]:
    names = [name.strip() for name in wanted.split(",") if name.strip()] or list(shipped_names())
    return [track for name in names for track in find_tracks(name)]


def _show(records: list[Record]) -> None:
    table = Table(title="bench")
    for title in ("track", "look", "direction", "completed", "rms cm", "p95 cm", "max cm", "m/s", "stopped by"):
        table.add_column(title)
    for r in records:
        errors = (f"{float(r[f'lateral_error_{k}_m'] or 0) * 100:.1f}" for k in ("rms", "p95", "max"))
        table.add_row(
            str(r["track"]), str(r["look"]), str(r["direction"]), "yes" if r["completed"] else "no", *errors,
            f"{float(r['mean_speed_m_s'] or 0):.2f}", str(r["stopped_by"]),
        )  # fmt: skip
    console = Console()
    console.print(table)
    done = sum(bool(r["completed"]) for r in records)
    console.print(f"{done} of {len(records)} completed")
