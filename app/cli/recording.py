"""``--record`` of a drive, and the record button: tells at the end of each session what is in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from types import TracebackType
from typing import TYPE_CHECKING, Any

from rich.console import Console

from robot.config import RobotConfig
from robot.drive.tick import Tick

if TYPE_CHECKING:
    from robot.drive.recorder import SessionRecorder
    from robot.sessions.collection import Collection, CollectionRule, Spread
    from robot.sessions.session_tick import Truth
    from robot.sessions.writer import SessionReport

_BY_BUTTON = Path("sessions")


@dataclass(frozen=True, slots=True, kw_only=True)
class _What:
    config: RobotConfig
    facts: Mapping[str, str]
    lossless: bool
    scene_json: str


class Recording:
    """Does nothing when ``place`` is None and nobody presses the button: then the libraries are not even loaded.

    ``start`` and ``stop`` are called from any thread but the loop's, which must not wait for the disk.
    """

    def __init__(self, place: Path | None, *, rule: CollectionRule | None = None) -> None:
        """``rule`` chooses the pictures that are kept; without, all are."""
        self._place, self._rule = place, rule
        self._collection: Collection | None = None
        self._by_button = _BY_BUTTON
        self._what: _What | None = None
        self._recorder: SessionRecorder | None = None
        self._pressing = Lock()
        self._console = Console(stderr=True)

    @property
    def running(self) -> bool:
        recorder = self._recorder
        return recorder is not None and not recorder.trouble

    @property
    def trouble(self) -> str:
        """Why the session ended by itself; empty otherwise."""
        recorder = self._recorder
        return recorder.trouble if recorder is not None else ""

    @property
    def folder(self) -> Path:
        """Where sessions lie, or will."""
        place = self._place or self._by_button
        return place.parent if place.suffix == ".mcap" else place

    def spread(self) -> dict[str, Any] | None:
        """Of the pictures that were collected until now, for the page; None when all are kept."""
        collection = self._collection
        return None if collection is None or not self.running else collection.spread.told()

    def begin_at(self, folder: Path) -> None:
        """Where the button records, when that is not the usual folder."""
        self._by_button = folder

    def begin(self, config: RobotConfig, *, facts: Mapping[str, str], lossless: bool, scene_json: str = "") -> None:
        """``lossless`` where nothing is lost by waiting for the disk; ``scene_json`` is the simulated world.

        Raises InputError when it cannot be written.
        """
        self._what = _What(config=config, facts=facts, lossless=lossless, scene_json=scene_json)
        if self._place is not None:
            self.start()

    def start(self) -> None:
        """Begin a session, in the folder ``sessions`` if no place was given. Raises InputError."""
        from robot.drive.recorder import SessionRecorder

        with self._pressing:
            if self.trouble:
                # A full disk ended it; whoever presses again has made room.
                self._close()
            what = self._what
            if self._recorder is None and what is not None:
                if self._rule is not None:
                    from robot.sessions.collection import Collection

                    self._collection = Collection(self._rule)
                self._recorder = SessionRecorder(
                    self._place or self._by_button, config=what.config, facts=what.facts, lossless=what.lossless,
                    notice=self._tell, scene_json=what.scene_json, collection=self._collection,
                )  # fmt: skip

    def stop(self) -> None:
        with self._pressing:
            self._close()

    def _close(self) -> None:
        recorder, self._recorder = self._recorder, None
        if recorder is not None:
            self._summarise(recorder.close())

    def __call__(self, tick: Tick, sections_s: Mapping[str, float], truth: Truth | None = None) -> None:
        # Once: the button may be pressed meanwhile. A tick handed to a session that is being closed is not kept.
        recorder = self._recorder
        if recorder is not None:
            recorder(tick, sections_s=sections_s, truth=truth)

    def __enter__(self) -> Recording:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

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
        if self._collection is not None:
            self._tell_spread(self._collection.spread)

    def _tell_spread(self, spread: Spread) -> None:
        bends = ", ".join(f"{spread.bend[name]} {name}" for name in ("left", "straight", "right"))
        self._tell(
            f"collected: {spread.kept} pictures ({bends}; {spread.corrections} corrections), left out: {spread.same} "
            f"like the one before, {spread.blurred} blurred" + (f"; {spread.advice}" if spread.advice else "")
        )

    def _tell(self, text: str) -> None:
        self._console.print(text, soft_wrap=True, markup=False, highlight=False)
