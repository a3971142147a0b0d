"""A recorded drive through today's code: the same pictures, whatever is commanded."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from queue import SimpleQueue
from time import perf_counter
from typing import Literal

from control.errors import SessionError
from control.messages import LineEstimate
from perception.estimator import Estimator
from robot.config import RobotConfig
from robot.drive.pilots import open_estimator
from robot.sessions.session_tick import Image
from sim.replay.control_steps import ControlSteps, Replayed
from sim.replay.pictures import can_be_painted, painted_pictures, stored_pictures
from sim.replay.recorded import RecordedDrive, RecordedTick

Pictures = Literal["auto", "stored", "painted"]
_AHEAD = 8
"""Pictures in work for each thread."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """One tick, as it was recorded and as today's code does it."""

    number: int
    recorded: RecordedTick
    replayed: Replayed


class Eyes:
    """Estimators with a single thread each: a frame needs no other, so that several are looked at side by side."""

    def __init__(self, config: RobotConfig, *, threads: int) -> None:
        """Raises ModelError."""
        single = config.model_copy(update={"threads": 1})
        self._free: SimpleQueue[Estimator] = SimpleQueue()
        self._all = [open_estimator(single) for _ in range(threads)]
        for estimator in self._all:
            self._free.put(estimator)
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="eyes")
        self.ahead = _AHEAD * threads

    def look(self, recorded: RecordedTick, picture: Image | None) -> Future[tuple[LineEstimate, float]]:
        return self._pool.submit(self._see, recorded, picture)

    def _see(self, recorded: RecordedTick, picture: Image | None) -> tuple[LineEstimate, float]:
        image = recorded.frame.image() if picture is None else picture
        assert image is not None
        estimator = self._free.get()
        try:
            began_s = perf_counter()
            return estimator.estimate(image), perf_counter() - began_s
        finally:
            self._free.put(estimator)

    def close(self) -> None:
        self._pool.shutdown(cancel_futures=True)
        for estimator in self._all:
            estimator.close()

    def __enter__(self) -> Eyes:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def source_of(drive: RecordedDrive, wanted: Pictures) -> Literal["stored", "painted"]:
    """Painted ones where that is possible: only they are what the drive saw, to the bit. Raises SessionError."""
    if wanted == "stored":
        return "stored"
    possible = can_be_painted(drive)
    if wanted == "painted" and not possible:
        raise SessionError(f"{drive.path}: holds no simulated world from its start on; leave --pictures away")
    return "painted" if possible else "stored"


def replay_open_loop(
    drive: RecordedDrive,
    *,
    eyes: Eyes,
    stride: int = 1,
    pictures: Literal["stored", "painted"] = "stored",
    own_motion: bool = False,
) -> Iterator[Pair]:
    """Looks at every ``stride``-th picture; between them the controller is led by the recorded line.

    ``own_motion`` as for ControlSteps.
    Raises SessionError, MotorError.
    """
    control = ControlSteps(drive.config, own_motion=own_motion)
    if pictures == "painted":
        assert drive.scene is not None
        source = painted_pictures(drive, drive.scene)
    else:
        source = stored_pictures(drive)
    waiting: deque[tuple[RecordedTick, Future[tuple[LineEstimate, float]] | None]] = deque()
    number = seen = 0
    while True:
        for recorded, picture in islice(source, eyes.ahead - len(waiting)):
            look = recorded.has_picture and seen % stride == 0
            seen += recorded.has_picture
            waiting.append((recorded, eyes.look(recorded, picture) if look else None))
        if not waiting:
            return
        recorded, future = waiting.popleft()
        if future is not None:
            estimate, see_s = future.result()
            replayed = control.step(recorded.tick, estimate, looked=True, see_s=see_s)
        else:
            known = recorded.tick.estimate if recorded.tick.frame_index >= 0 else None
            replayed = control.step(recorded.tick, known, looked=False)
        yield Pair(number=number, recorded=recorded, replayed=replayed)
        number += 1
