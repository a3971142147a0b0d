"""A benchmark as one HTML file that needs nothing else: tables, and of each drive its map, curves and worst moment."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from html import escape

import numpy as np

from sim.benchmark.comparison import Comparison
from sim.benchmark.detail import Detail
from sim.benchmark.metrics import OFF_LINE_PENALTY_S
from sim.benchmark.scenarios import Record, finite
from sim.benchmark.svg import strip_chart, track_map

_STYLE = """
body{font:14px/1.4 system-ui,sans-serif;margin:2em auto;max-width:1000px;padding:0 1em;color:#222;background:#fff}
table{border-collapse:collapse;margin:1em 0}td,th{padding:2px 10px;text-align:right;border-bottom:1px solid #eee}
td:first-child,th:first-child{text-align:left}.bad{color:#c62f2f}.good{color:#2a7d4c}svg text{font:10px sans-serif}
details{border-top:1px solid #ddd;padding:.3em 0}summary{cursor:pointer}
.run{display:flex;gap:1.2em;flex-wrap:wrap;align-items:flex-start;padding:.6em 0}
.clip{width:224px;height:224px;background-repeat:no-repeat;animation-iteration-count:infinite}
figure{margin:0}figcaption{font-size:12px;color:#555}
@media (prefers-reduced-motion: reduce){.clip{animation:none!important}}
"""
_COLUMNS = (
    ("lateral_error_rms_m", "rms cm", 100.0, 1), ("lateral_error_p95_m", "p95 cm", 100.0, 1),
    ("lateral_error_max_m", "max cm", 100.0, 1), ("off_line_s", "off s", 1.0, 1),
    ("mean_speed_m_s", "m/s", 1.0, 2), ("lap_time_s", "lap s", 1.0, 1),
    ("penalised_lap_time_s", "with penalty s", 1.0, 1), ("steering_effort_1pm_s", "steering 1/m/s", 1.0, 1),
)  # fmt: skip
_MEANING = (
    "cm: how far beside the line, rms, what 95 of 100 moments stay below, and at most. off: farther than half the "
    f"robot's width. with penalty: the lap, and {OFF_LINE_PENALTY_S:g} s for each time off the line. steering: how "
    "fast the curvature changes, rms; more is more restless."
)
_PER_PICTURE_S = 0.12


def html_report(
    title: str, runs: Sequence[tuple[Record, Detail | None]], *, notes: Sequence[str],
    comparison: Comparison | None = None, against: str = "",
) -> str:  # fmt: skip
    """``against`` says in words what the comparison compares with."""
    worst_first = sorted(runs, key=_badness, reverse=True)
    completed = sum(bool(record["completed"]) for record, _ in runs)
    head = "".join(f"<p>{escape(note)}</p>" for note in notes)
    compared = "" if comparison is None else _compared(comparison, against)
    drives = "".join(_run(record, detail) for record, detail in worst_first if detail is not None)
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        f"<style>{_STYLE}</style></head><body><h1>{escape(title)}</h1>{head}"
        f"<p><b>{completed} of {len(runs)} completed</b></p>{compared}"
        f"<h2>Drives</h2>{_table([record for record, _ in runs])}<p>{escape(_MEANING)}</p>"
        f"<h2>One by one, the worst first</h2>{drives}</body></html>\n"
    )


def _badness(run: tuple[Record, Detail | None]) -> tuple[bool, float]:
    record, _ = run
    return not record["completed"], finite(record["lateral_error_max_m"]) or 0.0


def _table(records: Sequence[Record]) -> str:
    names = "".join(f"<th>{escape(name)}</th>" for _, name, _, _ in _COLUMNS)
    rows = "".join(
        f"<tr{'' if r['completed'] else ' class=bad'}><td>{escape(_name(r))}</td>"
        + "".join(f"<td>{_number(r.get(key), scale, digits)}</td>" for key, _, scale, digits in _COLUMNS)
        + f"<td>{escape(str(r['stopped_by']))}</td></tr>"
        for r in records
    )
    return f"<table><tr><th>drive</th>{names}<th>stopped by</th></tr>{rows}</table>"


def _compared(found: Comparison, against: str) -> str:
    rows = "".join(
        f'<tr class="{"bad" if row.worse else "good" if row.better else ""}"><td>{escape(row.measure.name)}, '
        f"{escape(row.measure.unit)}</td><td>{row.before * row.measure.scale:.3g}</td>"
        f"<td>{row.after * row.measure.scale:.3g}</td><td>{row.difference * row.measure.scale:+.3g}</td>"
        f"<td>{row.low * row.measure.scale:+.3g} to {row.high * row.measure.scale:+.3g}</td><td>{row.pairs}</td></tr>"
        for row in found.rows
    )
    changes = f"<p>No longer completed: {escape(', '.join(found.lost)) or 'none'}. " + (
        f"Completed now: {escape(', '.join(found.gained)) or 'none'}. p = {found.p_completed:.3f} (McNemar)</p>"
    )
    return (
        f"<h2>Against {escape(against)}</h2><table><tr><th>measure</th><th>before</th><th>after</th>"
        f"<th>difference</th><th>95 % interval</th><th>pairs</th></tr>{rows}</table>{changes}"
    )


def _run(record: Record, detail: Detail) -> str:
    if not len(detail.path):
        return f"<details><summary>{escape(_name(record))}: nothing was driven</summary></details>"
    distance, error = detail.path[:, 2], detail.path[:, 3]
    mark = int(np.abs(distance - detail.worst_at_m).argmin())
    worst = finite(record["lateral_error_max_m"]) or 0.0
    charts = "<br>".join((
        strip_chart(distance, error * 100, label="lateral error, cm", bound=6.5),
        strip_chart(distance, detail.path[:, 4], label="speed, m/s"),
        strip_chart(distance, detail.path[:, 5], label="curvature asked for, 1/m"),
    ))  # fmt: skip
    done = "" if record["completed"] else ", <b class=bad>not completed</b>"
    plan = track_map(detail.track, detail.path[:, :2], error, worst_m=max(0.02, worst), mark=mark)
    return (
        f"<details><summary>{escape(_name(record))}: at most {worst * 100:.1f} cm off{done}</summary>"
        f"<div class=run>{plan}<div>{charts}</div>{_clip(detail)}</div></details>"
    )


def _clip(detail: Detail) -> str:
    """The strip shown picture by picture, without a script."""
    if not detail.pictures:
        return ""
    name = f"c{abs(hash(detail.strip)) % 10**9}"
    data = base64.b64encode(detail.strip).decode()
    seconds, side = detail.pictures * _PER_PICTURE_S, 224
    return (
        f"<figure><style>@keyframes {name}{{to{{background-position:-{detail.pictures * side}px 0}}}}"
        f"#{name}{{background-image:url(data:image/jpeg;base64,{data});background-size:{detail.pictures * side}px "
        f"{side}px;animation:{name} {seconds:.1f}s steps({detail.pictures}) infinite}}</style>"
        f'<div class=clip id="{name}" role="img" aria-label="what the camera saw"></div>'
        f"<figcaption>the worst moment, after {detail.worst_at_m:.1f} m</figcaption></figure>"
    )


def _name(record: Record) -> str:
    robot = f", robot {record['robot']}" if record.get("robot") else ""
    delay = f", {record['delay_ms']:g} ms" if record.get("delay_ms") is not None else ""
    return f"{record['track']}, {record['look']}, {record['direction']}{robot}{delay}"


def _number(value: str | float | bool | None, scale: float, digits: int) -> str:
    known = finite(value)
    return "-" if known is None else f"{known * scale:.{digits}f}"
