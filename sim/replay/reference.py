"""A session anew: the same pictures and stamps with what today's code answered, as a reference to compare with."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import datetime

from control.errors import InputError
from robot.drive.recorder import session_header
from robot.sessions.session_tick import Jpeg, SessionTick
from robot.sessions.writer import SessionWriter
from sim.replay.open_loop import Pair
from sim.replay.recorded import RecordedDrive


class Reference:
    """A context manager that replaces ``drive.path`` when it ends well, and else leaves it as it is."""

    def __init__(self, drive: RecordedDrive) -> None:
        self._drive = drive
        self._temporary = drive.path.with_name(f".{drive.path.stem}.{os.getpid()}.mcap")
        facts = {key: value for key, value in drive.facts.items() if key not in ("version", "started", "part")}
        # Without its world: its wheels are no longer what led to these pictures.
        header = session_header(drive.config, facts=facts)
        started = datetime.fromisoformat(drive.facts["started"]) if "started" in drive.facts else header.started
        self._writer = SessionWriter(self._temporary, header=replace(header, started=started), lossless=True)

    def add(self, pair: Pair) -> None:
        self._writer.write(_as_replayed(pair))

    def __enter__(self) -> Reference:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        report = self._writer.close()
        try:
            if kind is not None:
                return
            if report.trouble or len(report.files) != 1:
                raise InputError(f"{self._drive.path}: is as it was: {report.trouble or 'too long for one file'}")
            self._temporary.replace(self._drive.path)
        finally:
            for path in report.files:
                path.unlink(missing_ok=True)


def _as_replayed(pair: Pair) -> SessionTick:
    then, now = pair.recorded, pair.replayed
    picture = None
    if then.frame.jpeg is not None:
        image = then.frame.image()
        assert image is not None
        picture = Jpeg(data=then.frame.jpeg, width=image.shape[1], height=image.shape[0])
    # What a computer happened to need is no part of a reference.
    return replace(
        then.tick, picture=picture, estimate=now.estimate, decision=now.decision, verdict=now.verdict,
        wheels=now.wheels, sections_s={},
        health=now.health,
    )  # fmt: skip
