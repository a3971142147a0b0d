"""A result as one JSON object a line; such lines as a table in markdown.

    python benchmarks/control.py | python benchmarks/results.py
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from typing import Any, Literal

Better = Literal["higher", "lower"]
_COLUMNS = ("name", "value", "unit", "target", "better", "context")


def emit(name: str, value: float, *, unit: str, target: float | None, better: Better, context: str) -> None:
    """Raises ValueError for a number that JSON does not know."""
    record = {"name": name, "value": round(value, 4), "unit": unit, "target": target, "better": better}
    print(json.dumps({**record, "context": context}, allow_nan=False), flush=True)


def markdown(lines: Iterable[str]) -> str:
    """A table of the lines that are JSON objects; the last column says whether the target is met."""
    records = [json.loads(line) for line in lines if line.startswith("{")]
    rows = [(*_COLUMNS[:4], "met", "context"), ("---",) * 6, *(_row(record) for record in records)]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _row(record: dict[str, Any]) -> tuple[str, ...]:
    value, target, higher = record["value"], record["target"], record["better"] == "higher"
    if target is None:
        bound, met = "", ""
    else:
        bound = f"{'>=' if higher else '<='} {target:g}"
        met = "yes" if (value >= target if higher else value <= target) else "**no**"
    return record["name"], f"{value:g}", record["unit"], bound, met, record["context"].replace("|", "/")


if __name__ == "__main__":
    print(markdown(sys.stdin))
