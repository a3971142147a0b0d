"""``linepilot tracks``: list the tracks, and draw them."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

from rich import box
from rich.console import Console
from rich.table import Table

from app.cli.options import parser, refuse_unwritable, write_json
from app.cli.picture_files import require_picture_name
from perception.files import picture_format, replace_file
from sim.looks import LOOKS
from sim.tracks.geometry import Track
from sim.tracks.library import find_tracks, track_names


def run(arguments: list[str]) -> int:
    options = parser(
        "tracks",
        what="List the tracks and the looks to drive on.",
        example="linepilot tracks --picture tracks.png\n  linepilot tracks my_tracks/ --json tracks.json",
    )
    options.add_argument("tracks", nargs="*", help="names, random:SEED, FILE.npy or folders; default: all known ones")
    options.add_argument("--crossing", action="store_true", help="lines in .npy files may cross themselves on purpose")
    options.add_argument("--json", type=Path, metavar="OUT", help="write the list to this file")
    options.add_argument("--picture", type=Path, metavar="OUT", help="draw them all into this .png")
    chosen = options.parse(arguments)
    refuse_unwritable(chosen.json, chosen.picture, read=chosen.tracks)
    require_picture_name(chosen.picture)
    found = [track for name in chosen.tracks or track_names() for track in find_tracks(name, crossing=chosen.crossing)]
    table = Table(box=box.SIMPLE_HEAD)
    table.add_column("track")
    table.add_column("length", justify="right")
    table.add_column("closed")
    table.add_column("crosses itself")
    for track in found:
        closed, crossing = ("yes" if is_so else "no" for is_so in (track.closed, track.crossing))
        table.add_row(track.name, f"{track.length_m:.1f} m", closed, crossing)
    # Files first: a pipe that is closed early ends the command while it prints.
    write_json(chosen.json, [_record(track) for track in found])
    if chosen.picture is not None:
        _draw(found, chosen.picture)
    console = Console()
    console.print(table)
    console.print("also random:SEED, or a FILE.npy of x, y in metres")
    for target in ("line", "lane"):
        console.print(f"looks with a {target}: {', '.join(name for name in LOOKS if LOOKS[name].target == target)}")
    if chosen.picture is not None:
        console.print(f"picture: {chosen.picture}", soft_wrap=True)
    return 0


def _record(track: Track) -> dict[str, str | float | bool]:
    return {"name": track.name, "length_m": track.length_m, "closed": track.closed, "crossing": track.crossing}


def _draw(tracks: list[Track], path: Path) -> None:
    """Start as a dot."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    columns = min(6, len(tracks))
    rows = -(-len(tracks) // columns)
    figure = Figure(figsize=(2.2 * columns, 2.2 * rows), layout="constrained")
    FigureCanvasAgg(figure)
    for number, track in enumerate(tracks, start=1):
        plan = figure.add_subplot(rows, columns, number)
        plan.plot(*track.vertices.T, color="0.25", linewidth=1.5)
        plan.plot(*track.vertices[0], "o", color="tab:red", markersize=4)
        plan.set_aspect("equal")
        plan.set_title(track.name, fontsize=7)
        plan.axis("off")
    png = BytesIO()
    figure.savefig(png, format=picture_format(path), dpi=110)
    replace_file(path, png.getvalue())
