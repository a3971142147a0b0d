"""How results look in the terminal."""

from __future__ import annotations

from collections.abc import Iterable

from rich.table import Table


def facts(title: str, rows: Iterable[tuple[str, str]]) -> Table:
    """Name and value."""
    table = Table(title=title, show_header=False)
    table.add_column("measure")
    table.add_column("value", justify="right")
    for name, text in rows:
        table.add_row(name, text)
    return table
