"""What changed in a replay, as a table and as a record."""

from __future__ import annotations

from typing import Any

import numpy as np
from rich import box
from rich.console import Console
from rich.table import Table

from sim.replay.differences import Differences, field_record
from sim.replay.recorded import RecordedDrive


def report(
    drive: RecordedDrive, differences: Differences, *, took_s: float, pictures: str, allow: float
) -> dict[str, Any]:
    """Prints the table; returns the record."""
    record = _record(drive, differences, took_s=took_s, pictures=pictures, allow=allow)
    console = Console()
    console.print(_table(drive, differences, allow=allow))
    for line in _lines(record):
        console.print(line, soft_wrap=True, markup=False, highlight=False)
    return record


def _table(drive: RecordedDrive, differences: Differences, *, allow: float) -> Table:
    table = Table(title=f"{drive.path.name}: replayed against recorded", box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    table.add_column("field", no_wrap=True)
    table.add_column("unit", no_wrap=True)
    for title in ("mean", "p95", "max", "at s", "tolerance", "beyond"):
        table.add_column(title, justify="right")
    for field in differences.fields():
        beyond = f"{field.beyond}/{field.ticks}"
        table.add_row(
            field.name, field.unit, f"{field.mean:.4g}", f"{field.p95:.4g}", f"{field.largest:.4g}",
            f"{field.at_s:.1f}" if field.largest > 0 else "-", f"{field.tolerance:g}", beyond,
            style="red" if field.beyond > allow * field.ticks else None,
        )  # fmt: skip
    return table


def _lines(record: dict[str, Any]) -> list[str]:
    ticks = record["ticks"]
    lines = [
        f"{record['same_commands']} of {ticks} ticks have the same commands to the bit, "
        f"{record['identical']} are identical altogether",
        f"{ticks} ticks in {record['took_s']:.1f} s, {record['times_real_time']:.1f} times as fast as driven, "
        f"{record['looked']} of the {record['pictures']} pictures looked at",
    ]
    then, now = record["see_recorded_p50_ms"], record["see_replayed_p50_ms"]
    if now is not None:
        before = f"{then:.1f} ms when it was driven, " if then is not None else ""
        lines.append(f"network: {before}{now:.1f} ms now (median)")
    lines += [f"note: {text}" for text in record["damage"]]
    lines.append("within the tolerances" if record["within"] else "changed: beyond the tolerances")
    return lines


def _record(
    drive: RecordedDrive, differences: Differences, *, took_s: float, pictures: str, allow: float
) -> dict[str, Any]:
    length_s = drive_length(drive)
    return {
        "session": str(drive.path), "pictures": pictures, "ticks": differences.ticks, "looked": differences.looked,
        "identical": differences.identical, "same_commands": differences.same_commands,
        "fields": {field.name: field_record(field) for field in differences.fields()}, "allow": allow,
        "within": differences.within(share=allow), "took_s": took_s, "length_s": length_s,
        "times_real_time": length_s / took_s if took_s > 0 else None,
        "see_recorded_p50_ms": _median_ms(differences.seen_then_s),
        "see_replayed_p50_ms": _median_ms(differences.seen_now_s), "damage": list(drive.damage()),
    }  # fmt: skip


def drive_length(drive: RecordedDrive) -> float:
    from robot.sessions.summary import outline

    return outline(drive.path).length_s


def _median_ms(seconds: Any) -> float | None:
    return float(np.median(np.asarray(seconds))) * 1000.0 if len(seconds) else None
