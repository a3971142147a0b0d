"""Sessions as tables in the terminal."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from rich import box
from rich.table import Table

from app.cli.tables import facts
from robot.sessions.summary import Outline, Summary

_ADVICE = {"whole": "", "damaged": "; see sessions info", "cut off": "; see sessions repair"}


def unreadable(path: Path, why: str) -> Outline:
    """A row for a file that is no session."""
    said = why.removeprefix(f"{path}: ").partition(";")[0]
    return Outline(
        path=path, size_bytes=path.stat().st_size, start_ns=0, length_s=0.0, ticks=0, pictures=0, is_closed=False,
        damage=(said,),
    )  # fmt: skip


def outline_table(rows: Iterable[Outline]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    table.add_column("session", overflow="fold")
    table.add_column("started")
    for name in ("length", "ticks", "pictures", "size"):
        table.add_column(name, justify="right")
    table.add_column("state")
    for row in rows:
        table.add_row(
            str(row.path), _date(row.start_ns), f"{row.length_s:.1f} s", str(row.ticks), str(row.pictures),
            _size(row.size_bytes), _state(row),
        )  # fmt: skip
    return table


def summary_table(summary: Summary) -> Table:
    return facts(str(summary.outline.path), list(_rows(summary)))


def summary_record(summary: Summary) -> dict[str, Any]:
    short = summary.outline
    return {
        "file": str(short.path), "size_bytes": short.size_bytes, "started": _date(short.start_ns),
        "length_s": short.length_s, "ticks": short.ticks, "pictures": short.pictures, "dropped": summary.dropped,
        "closed": short.is_closed, "damage": list(short.damage), "ended": summary.ended, "line_seen": summary.seen,
        "mean_speed_asked_m_s": summary.speed_mps, "lateral_error_rms_m": summary.lateral_rms_m,
        "states": dict(summary.states), "causes": dict(summary.causes), "facts": summary.facts,
        "topics": summary.topics, "attachments": list(summary.attachments),
    }  # fmt: skip


def _rows(summary: Summary) -> Iterable[tuple[str, str]]:
    short = summary.outline
    yield "started", _date(short.start_ns)
    yield "length", f"{short.length_s:.1f} s"
    yield "ticks", f"{short.ticks}"
    yield "pictures", f"{short.pictures}"
    yield "dropped", f"{summary.dropped}"
    yield "size", _size(short.size_bytes)
    yield "state", short.state
    yield from (("damage", text) for text in short.damage)
    if summary.ended:
        yield "ended", summary.ended
    yield "line seen", f"{summary.seen * 100:.0f} %"
    yield "mean speed asked", f"{summary.speed_mps:.2f} m/s"
    if summary.lateral_rms_m is not None:
        yield "lateral error rms", f"{summary.lateral_rms_m * 100:.1f} cm (simulated)"
    yield from _counted("ticks", summary.states.items())
    yield from _counted("ticks with", summary.causes.items())
    yield from ((name, value) for name, value in summary.facts.items() if name != "started")
    yield from ((topic, f"{count}") for topic, count in sorted(summary.topics.items()))
    yield "attachments", ", ".join(summary.attachments) or "-"


def _counted(what: str, counts: Iterable[tuple[str, int]]) -> Sequence[tuple[str, str]]:
    return [(f"{what} {name}", f"{count}") for name, count in counts]


def _state(row: Outline) -> str:
    if not row.ticks and row.damage:
        return row.damage[0]
    return row.state + _ADVICE[row.state]


def _date(time_ns: int) -> str:
    if not time_ns:
        return "-"
    return datetime.fromtimestamp(time_ns // 10**9, tz=timezone.utc).astimezone().strftime("%Y-%m-%d %H:%M:%S")


def _size(size_bytes: int) -> str:
    return f"{size_bytes / 1e6:.1f} MB"
