"""``linepilot cameras``: the cameras that are there, and what each can do."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import asdict
from pathlib import Path

from rich import box
from rich.console import Console
from rich.table import Table

from app.cli.options import parser, refuse_unwritable, write_json
from robot.cameras.attached import AttachedCamera, attached_cameras
from robot.cameras.kinds import OURS, names
from robot.cameras.v4l2 import Mode

_WHAT = """List the cameras that are there, with their formats, sizes and rates.

`camera` is what to give as --camera or camera.source. A CSI camera also gives each smaller size than its modes."""
_NONE = (
    "no camera found: plug in a USB camera, or check a CSI camera's ribbon and choose it in jetson-io; "
    "a recording drives too: --camera file:PATH"
)


def run(arguments: list[str]) -> int:
    options = parser("cameras", what=_WHAT, example="linepilot cameras\n  linepilot cameras --json cameras.json")
    options.add_argument("--json", type=Path, metavar="OUT", help="write the list to this file")
    chosen = options.parse(arguments)
    refuse_unwritable(chosen.json)
    found = attached_cameras()
    write_json(chosen.json, [asdict(camera) for camera in found])
    console = Console()
    if found:
        console.print(_table(found))
    else:
        console.print(_NONE, soft_wrap=True)
    theirs = [name for name in names() if name not in OURS]
    if theirs:
        console.print(f"from installed packages: {', '.join(theirs)}", soft_wrap=True)
    return 0


def _table(found: list[AttachedCamera]) -> Table:
    table = Table(box=box.SIMPLE_HEAD)
    for title in ("camera", "device", "name", "format", "sizes, with the most pictures a second"):
        table.add_column(title, overflow="fold")
    for camera in found:
        rows = [(name, _sizes(modes)) for name, modes in _by_format(camera.modes).items()]
        if camera.trouble:
            rows.insert(0, ("", camera.trouble))
        head = (camera.source or "-", camera.device, camera.name)
        for number, row in enumerate(rows or [("", "")]):
            table.add_row(*(head if number == 0 else ("", "", "")), *row)
    return table


def _by_format(modes: tuple[Mode, ...]) -> dict[str, list[Mode]]:
    grouped: dict[str, list[Mode]] = defaultdict(list)
    for mode in modes:
        grouped[mode.format].append(mode)
    return grouped


def _sizes(modes: list[Mode]) -> str:
    """Largest first."""
    ordered = sorted(modes, key=lambda mode: mode.width * mode.height, reverse=True)
    return "  ".join(f"{mode.width}x{mode.height}{f'@{mode.fps[0]:g}' if mode.fps else ''}" for mode in ordered)
