"""What a recorded drive ordered and how the floor in its pictures moved, as fits of a calibration want it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from calibration.floor_motion import STILL, Floats, FloorMotion
from calibration.profile import Calibration
from calibration.projection import GroundProjection
from calibration.rolling import Order, Step
from robot.sessions.session_tick import Image, SessionTick

_GAP_S = 0.15
"""Between pictures that are further apart nothing is compared."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedMotion:
    orders: tuple[Order, ...]
    steps: tuple[Step, ...]
    waits_s: tuple[float, ...]
    """From each picture's arrival to its order."""
    pictures: int


def recorded_motion(
    ticks: Sequence[SessionTick], picture: Callable[[int], Image | None], calibration: Calibration
) -> RecordedMotion:
    """``picture`` gives that of a tick. Raises CalibrationError, SessionError."""
    orders = [Order(at_s=tick.now_s, command=tick.wheels) for tick in ticks]
    kept = [orders[0], *(b for a, b in pairwise(orders) if a.command != b.command)]
    seen = [tick for tick in ticks if tick.frame_index >= 0]
    return RecordedMotion(
        orders=tuple(kept), steps=tuple(_steps(ticks, picture, calibration)),
        waits_s=tuple(tick.now_s - tick.frame_stamp_s for tick in seen), pictures=len(seen),
    )  # fmt: skip


def _steps(
    ticks: Sequence[SessionTick], picture: Callable[[int], Image | None], calibration: Calibration
) -> Iterator[Step]:
    floor = FloorMotion(GroundProjection(calibration.camera, calibration.mount))
    before: tuple[float, Floats] | None = None
    guess = STILL
    for number, tick in enumerate(ticks):
        image = picture(number) if tick.frame_index >= 0 else None
        if image is None:
            continue
        now = tick.frame_stamp_s, floor.from_above(image)
        if before is not None and 0 < now[0] - before[0] < _GAP_S:
            moved = floor.between(before[1], now[1], guess=guess)
            if moved is not None:
                guess = moved
                yield Step(begin_s=before[0], end_s=now[0], moved=moved)
        before = now
