"""A tick as the page shows it."""

from __future__ import annotations

import asyncio
import errno
import os
from dataclasses import replace
from math import nan
from typing import Any

import numpy as np
import pytest
from starlette.requests import Request
from starlette.responses import Response

from app.web.sessions_api import _answering
from app.web.telemetry import picture
from app.web.wire import pack, unpack
from control.messages import (
    NO_LINE,
    STAND_STILL,
    Decision,
    DifferentialCommand,
    Health,
    LinePoint,
    SafetyState,
    Verdict,
)
from robot.cameras.source import Frame
from robot.drive.tick import Tick

TICK = Tick(
    frame=Frame(image=np.zeros((20, 30, 3), np.uint8), stamp_s=1.0, index=7), now_s=1.1, exposed_s=0.9,
    estimate=NO_LINE, decision=Decision(command=STAND_STILL, target=LinePoint(x=0.25, y=-0.5, visible=1.0)),
    health=Health(frame_age_s=0.1, line_confidence=0.0),
    verdict=Verdict(command=STAND_STILL, state=SafetyState.DISARMED), wheels=DifferentialCommand(),
)  # fmt: skip


@pytest.mark.parametrize(("x", "shown"), [(0.25, [0.25, -0.5]), (nan, [None, -0.5])])
def test_a_target_that_is_no_number_does_not_end_the_picture(x: float, shown: list[float | None]) -> None:
    decision = replace(TICK.decision, target=LinePoint(x=x, y=-0.5, visible=1.0))
    head, jpeg = unpack(pack(*picture(replace(TICK, decision=decision))))
    assert (head["index"], head["target"]) == (7, shown)
    assert jpeg.startswith(b"\xff\xd8")


def test_a_session_that_is_taken_away_meanwhile_is_told_in_one_line() -> None:
    async def gone(_: Request) -> Response:
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), "a.mcap")

    request: Any = None
    answer = asyncio.run(_answering(gone)(request))  # type: ignore[arg-type]
    assert (answer.status_code, bytes(answer.body)) == (422, b"it cannot be read (No such file or directory)\n")
