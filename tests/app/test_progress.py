from __future__ import annotations

import io

import pytest
from rich.console import Console

from app.cli import progress
from app.cli.progress import counting


def _shown(monkeypatch: pytest.MonkeyPatch, *, terminal: bool, total: int | None) -> str:
    screen = io.StringIO()
    monkeypatch.setattr(
        progress, "Console", lambda stderr: Console(file=screen, force_terminal=terminal, width=120, color_system=None)
    )
    with counting("replaying, ticks", total=total) as told:
        told(30)
    return screen.getvalue()


def test_a_terminal_sees_how_many_of_how_many(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = _shown(monkeypatch, terminal=True, total=120)
    assert "replaying, ticks" in shown
    assert "30/120" in shown


def test_what_nobody_has_counted_is_a_question_mark(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "30/?" in _shown(monkeypatch, terminal=True, total=None)


def test_a_file_sees_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    assert _shown(monkeypatch, terminal=False, total=120).strip() == ""
