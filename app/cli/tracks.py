"""``linepilot tracks``: list the tracks."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console
from rich.table import Table

from app.cli.options import parser, write_json
from sim.looks import LOOKS
from sim.tracks.library import find_track, track_names


def run(arguments: list[str]) -> int:
    options = parser("tracks", what="List the tracks and looks.", example="linepilot tracks --json tracks.json")
    options.add_argument("--json", type=Path, default=None)
    chosen = options.parse(arguments)
    rows = []
    for name in track_names():
        if ":" in name:
            continue
        track = find_track(name)
        rows.append({"name": track.name, "length_m": track.length_m, "closed": track.closed})
    table = Table(title="tracks")
    for title in ("name", "length", "closed"):
        table.add_column(title)
    for row in rows:
        table.add_row(str(row["name"]), f"{row['length_m']:.1f} m", "yes" if row["closed"] else "no")
    console = Console()
    console.print(table)
    console.print(f"also random:SEED, or a FILE.npy; looks: {', '.join(LOOKS)}")
    write_json(chosen.json, rows)
    return 0
