"""``--record`` of a drive: opens the session when the drive begins, and tells at the end what is in it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from rich.console import Console

from robot.config import RobotConfig
from robot.drive.tick import Tick

if TYPE_CHECKING:
    from robot.drive.recorder import SessionRecorder
    from robot.sessions.session_tick import Truth
    from robot.sessions.writer import SessionReport


class Recording:
    """Does nothing when ``place`` is None: then the libraries are not even loaded."""

    def __init__(self, place: Path | None) -> None:
        self._place = place
        self._recorder: SessionRecorder | None = None
        self._console = Console(stderr=True)

    def begin(self, config: RobotConfig, *, facts: Mapping[str, str], lossless: bool) -> None:
        """``lossless`` where nothing is lost by waiting for the disk. Raises InputError when it cannot be written."""
        if self._place is None:
            return
        from robot.drive.recorder import SessionRecorder

        self._recorder = SessionRecorder(
            self._place, config=config, facts=facts, lossless=lossless, notice=self._tell
        )  # fmt: skip

    def __call__(self, tick: Tick, sections_s: Mapping[str, float], truth: Truth | None = None) -> None:
        if self._recorder is not None:
            self._recorder(tick, sections_s=sections_s, truth=truth)

    def __enter__(self) -> Recording:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._recorder is not None:
            self._summarise(self._recorder.close())

    def _summarise(self, report: SessionReport) -> None:
        if not report.files:
            self._tell("nothing was recorded: the drive had no tick")
            return
        more = f" and {len(report.files) - 1} more" if len(report.files) > 1 else ""
        lost = f", {report.dropped} dropped" if report.dropped else ""
        lost += f", ended early: {report.trouble}" if report.trouble else ""
        Console().print(
            f"recorded: {report.files[0]}{more}, {report.ticks} ticks{lost}, {report.size_bytes / 1e6:.1f} MB",
            soft_wrap=True, markup=False, highlight=False,
        )  # fmt: skip

    def _tell(self, text: str) -> None:
        self._console.print(text, soft_wrap=True, markup=False, highlight=False)
