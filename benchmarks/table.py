"""Benchmark results as a Markdown table: `python benchmarks/table.py RESULTS.jsonl... > docs/table.md`."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

_HEAD = "| number | value | unit | target | reached | context |\n|---|---|---|---|---|---|"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("results", nargs="+", type=Path, metavar="RESULTS.jsonl")
    lines = [line for path in parser.parse_args().results for line in path.read_text().splitlines()]
    print(markdown(json.loads(line) for line in lines if line.startswith("{")))


def markdown(records: Iterable[dict[str, Any]]) -> str:
    """One row a record, in the order given; a number without a target is told, not judged."""
    return "\n".join([_HEAD, *(_row(record) for record in records)])


def _row(record: dict[str, Any]) -> str:
    value, target = record["value"], record["target"]
    reached = ""
    if target is not None and value is not None:
        reached = "yes" if (value >= target if record["better"] == "higher" else value <= target) else "**no**"
    sign = "" if target is None else "≥ " if record["better"] == "higher" else "≤ "
    cells = (record["name"], _short(value), record["unit"], sign + _short(target), reached, record["context"])
    return "| " + " | ".join(str(cell).replace("|", "/") for cell in cells) + " |"


def _short(number: float | None) -> str:
    return "" if number is None else f"{number:.4g}"


if __name__ == "__main__":
    sys.exit(main())
