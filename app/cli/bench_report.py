"""What a benchmark found: tables, the comparison, the file of records and the page."""

from __future__ import annotations

import json
from argparse import Namespace
from collections.abc import Sequence
from datetime import datetime, timezone
from math import isnan
from pathlib import Path

from rich import box
from rich.console import Console
from rich.table import Table

from app.cli.bench_runs import Runs
from app.cli.options import write_json
from control.errors import InputError
from perception.files import replace_file
from sim.benchmark.comparison import Comparison, compare
from sim.benchmark.html_report import html_report
from sim.benchmark.scenarios import Record

_NEEDED = ("track", "look", "direction", "seed", "completed")


def report(chosen: Namespace, runs: Runs, *, baseline: list[Record] | None) -> int:
    """0, or 1 when it is worse than the baseline."""
    # First: nobody wants to drive again because a comparison fails or a pipe was closed.
    settings = ("given", "against")
    console = Console()
    try:
        write_json(
            chosen.json,
            [{**r, "setting": settings[which]} for which, records in enumerate(runs.records) for r in records],
        )
    finally:
        # Also on a disk that has filled up meanwhile.
        _show(console, runs.records[0], varied=_varied(runs.records[0]))
    newest = runs.records[-1]
    if runs.known:
        console.print(f"{runs.known} of them were in {chosen.results} already", soft_wrap=True, highlight=False)
    found, against = None, ""
    if len(runs.records) == 2:
        found, against = compare(*runs.records), " ".join(chosen.settings) or "the settings as they are"
        _show_comparison(console, found, title=f"{' '.join(chosen.against)}, against {against}")
        console.print(f"{sum(bool(r['completed']) for r in newest)} of {len(newest)} completed after")
    if baseline is not None:
        found, against = compare(baseline, newest), str(chosen.compare)
        if not found.pairs:
            raise InputError(f"{chosen.compare}: holds none of these scenarios; compare with the same tracks and seeds")
        _show_comparison(console, found, title=f"compared with {against}")
    if chosen.html is not None:
        _write_page(chosen, runs, found, against)
        console.print(f"page: {chosen.html}", soft_wrap=True, markup=False)
    return int(baseline is not None and found is not None and found.worse)


def read_baseline(path: Path) -> list[Record]:
    """Raises InputError."""
    try:
        records = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}); give a file that bench --json wrote") from error
    except ValueError as error:
        raise InputError(f"{path}: is no JSON; give a file that bench --json wrote") from error
    rows = records if isinstance(records, list) else []
    if not rows or not all(isinstance(r, dict) and set(r) >= {*_NEEDED} for r in rows):
        raise InputError(f"{path}: holds no records of a benchmark; give a file that bench --json wrote")
    return [r for r in rows if r.get("setting", "given") == "given"]


def _write_page(chosen: Namespace, runs: Runs, found: Comparison | None, against: str) -> None:
    newest = runs.records[-1]
    date = datetime.now(tz=timezone.utc).astimezone().strftime("%Y-%m-%d %H:%M")
    notes = [f"Driven {date}. Settings: {' '.join([*chosen.settings, *chosen.against]) or 'as they are'}."]
    page = html_report(
        "linepilot bench", [(record, runs.details.get(k)) for k, record in enumerate(newest)], notes=notes,
        comparison=found, against=against,
    )  # fmt: skip
    replace_file(chosen.html, page.encode())


def _varied(records: Sequence[Record]) -> list[str]:
    """Of robot, delay and seed those that are not the same everywhere, seeds beside the track's and look's own."""
    columns = [key for key in ("robot", "delay_ms") if len({r[key] for r in records}) > 1]
    worlds = {(r["track"], r["look"]) for r in records}
    return [*columns, "seed"] if len({(r["track"], r["look"], r["seed"]) for r in records}) > len(worlds) else columns


def _show(console: Console, records: Sequence[Record], *, varied: list[str]) -> None:
    # Short words: a track's name should fit into 80 columns beside all the numbers.
    table = Table(title="one lap each; lateral errors in cm, off the line and lap in s", box=box.SIMPLE_HEAD,
                  padding=(0, 1, 0, 0), pad_edge=False)  # fmt: skip
    for title in ("track", "look", "way", *varied, "done"):
        # A name that is cut off is one that cannot be given again.
        table.add_column(title.replace("_", " "), overflow="fold")
    for title in ("rms", "p95", "max", "off", "m/s", "lap"):
        table.add_column(title, justify="right")
    for r in records:
        done = "yes" if r["completed"] else f"no: {r['stopped_by'] or 'left the line'}"
        table.add_row(
            str(r["track"]), str(r["look"]), str(r["direction"]), *(f"{r[key]}" for key in varied), done,
            *(_text(r[f"lateral_error_{k}_m"], scale=100.0, digits=1) for k in ("rms", "p95", "max")),
            _text(r["off_line_s"], digits=1), _text(r["mean_speed_m_s"], digits=2), _text(r["lap_time_s"], digits=1),
        )  # fmt: skip
    console.print(table)
    console.print(f"{sum(bool(r['completed']) for r in records)} of {len(records)} completed")


def _show_comparison(console: Console, found: Comparison, *, title: str) -> None:
    table = Table(title=title, box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    table.add_column("measure")
    for name in ("before", "after", "difference", "95 % interval", "pairs"):
        table.add_column(name, justify="right")
    table.add_column("")
    for row in found.rows:
        m = row.measure
        values = (row.before, row.after, row.difference, row.low, row.high)
        before, after, apart, low, high = (value * m.scale for value in values)
        table.add_row(
            f"{m.name}, {m.unit}", f"{before:.3g}", f"{after:.3g}", f"{apart:+.3g}", f"{low:+.3g} to {high:+.3g}",
            f"{row.pairs}", "worse" if row.worse else "better" if row.better else "",
        )  # fmt: skip
    console.print(table)
    for name, drives in (("no longer completed", found.lost), ("completed now", found.gained)):
        if drives:
            console.print(f"{name}: {', '.join(drives)}", soft_wrap=True, highlight=False)
    if found.unpaired:
        console.print(f"{found.unpaired} drives have no partner and are left out", highlight=False)


def _text(value: str | float | bool | None, *, scale: float = 1.0, digits: int) -> str:
    return "-" if value is None or isinstance(value, str) or isnan(value) else f"{value * scale:.{digits}f}"
