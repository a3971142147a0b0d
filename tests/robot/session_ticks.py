"""Ticks to record, and a small recording process to kill."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path

import numpy as np

from calibration.profile import Calibration
from control.messages import (
    Cause,
    Decision,
    DifferentialCommand,
    DriveCommand,
    GroundPoint,
    Health,
    LineEstimate,
    LinePoint,
    SafetyState,
    SteeringTerms,
    Verdict,
)
from robot.sessions.header import SessionHeader
from robot.sessions.reader import SessionFrame, SessionReader
from robot.sessions.session_tick import Image, Picture, RecordedTruth, SessionTick
from robot.sessions.writer import Limits, SessionWriter

PERIOD_S = 1 / 30
HEADER = SessionHeader(
    started=datetime(2026, 5, 4, 12, 0, 0, tzinfo=timezone.utc), calibration=Calibration(), settings_yaml="fps: 30\n",
    calibration_yaml="version: 1\n", facts={"track": "oval"},
)  # fmt: skip
TRUTH = RecordedTruth(
    x=1.0, y=2.0, heading_rad=0.5, speed_mps=0.4, lateral_error_m=0.01, heading_error_rad=0.02, along_m=3.0,
    distance_m=4.0, off_line=False,
)  # fmt: skip


def picture(number: int, *, width: int = 64, height: int = 48) -> Image:
    """Smooth, so that JPEG keeps it, and brighter with each number."""
    ramp = np.linspace(20, 120, width)[None, :, None] + np.zeros((height, 1, 3))
    return (ramp + number % 100).astype(np.uint8)


def session_tick(
    number: int, *, image: Picture | None = None, truth: RecordedTruth | None = None, state: str = "ARMED",
    causes: tuple[Cause, ...] = (), target: LinePoint | None = None,
) -> SessionTick:  # fmt: skip
    now_s = 1000.0 + number * PERIOD_S
    points = tuple(LinePoint(x=0.1 * k, y=0.9 - 0.1 * k, visible=1.0 - 0.1 * k, spread=0.01) for k in range(10))
    return SessionTick(
        now_s=now_s, exposed_s=now_s - 0.05, picture=image, frame_index=-1 if image is None else number,
        frame_stamp_s=0.0 if image is None else now_s - 0.01, estimate=LineEstimate(points=points, confidence=0.9),
        decision=Decision(
            command=DriveCommand(curvature_1pm=0.3, speed_mps=0.5),
            target=target if target is not None else LinePoint(x=0.25, y=0.5, visible=0.8, spread=0.02),
            ground=GroundPoint(x=0.3, y=-0.05), confidence=0.9,
            terms=SteeringTerms(error=0.1, proportional=0.2, integral=0.3, derivative=0.4, feed_forward=0.5),
        ),
        health=Health(frame_age_s=0.01, line_confidence=0.9, temperature_c=51.5, dropped_fraction=0.1),
        verdict=Verdict(
            command=DriveCommand(curvature_1pm=0.2, speed_mps=0.4), state=SafetyState[state], causes=causes,
            was_limited=True,
        ),
        wheels=DifferentialCommand(left=0.4, right=0.5), sections_s={"see": 0.012, "decide": 0.0001}, truth=truth,
    )  # fmt: skip


def write_session(path: Path, count: int = 60, *, limits: Limits | None = None, **options: bool) -> Path:
    """A session of ``count`` ticks with pictures; its first file."""
    writer = SessionWriter(path, header=HEADER, limits=limits, lossless=True)
    for number in range(count):
        writer.write(session_tick(number, image=picture(number), **options))  # type: ignore[arg-type]
    report = writer.close()
    assert report.ticks == count
    return report.files[0]


def frames(path: Path) -> Iterator[SessionFrame]:
    return SessionReader(path).frames()


def record_until_killed(path: Path, *, fps: float) -> None:
    """Says on a line of its own which tick is handed over next, as a loop that drives would."""
    writer = SessionWriter(path, header=HEADER)
    began_s, number = time.monotonic(), 0
    while True:
        writer.write(session_tick(number, image=picture(number)))
        sys.stdout.write(f"{number}\n")
        sys.stdout.flush()
        number += 1
        time.sleep(max(0.0, began_s + number / fps - time.monotonic()))  # noqa: TID251 - a process that is killed


if __name__ == "__main__":
    record_until_killed(Path(sys.argv[1]), fps=float(sys.argv[2]))
