"""Simulated time against a wall clock that only the test moves."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import pytest

from robot.cameras.source import Frame
from sim.real_time import RealTimeCamera


@dataclass
class Wall:
    time_s: float = 500.0
    pauses: list[float] = field(default_factory=list)

    def now_s(self) -> float:
        return self.time_s

    def pause(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.time_s += seconds


@dataclass
class Recorded:
    """Frames with these stamps; making each takes so long on the wall."""

    stamps: list[float]
    wall: Wall
    takes_s: float
    entered: bool = False

    def frames(self, *, timeout_s: float) -> Iterator[Frame]:
        for index, stamp_s in enumerate(self.stamps):
            self.wall.time_s += self.takes_s
            yield Frame(image=np.zeros((2, 2, 3), np.uint8), stamp_s=stamp_s, index=index)

    def close(self) -> None:
        self.entered = False

    def __enter__(self) -> Recorded:
        self.entered = True
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def arrivals(takes_s: float, stamps: list[float]) -> tuple[list[float], Wall]:
    wall = Wall()
    inner = Recorded(stamps, wall, takes_s)
    with RealTimeCamera(inner, now_s=wall.now_s, pause=wall.pause) as camera:
        assert inner.entered
        times = [wall.time_s for _ in camera.frames(timeout_s=1.0)]
    assert not inner.entered
    return times, wall


def test_a_world_that_is_faster_than_life_waits() -> None:
    times, wall = arrivals(0.01, [0.1 * n for n in range(6)])
    assert np.diff(times) == pytest.approx([0.1] * 5)
    assert sum(wall.pauses) == pytest.approx(0.45)


def test_a_world_that_is_slower_never_waits_and_never_hurries() -> None:
    times, wall = arrivals(0.15, [0.1 * n for n in range(20)])
    assert np.diff(times) == pytest.approx([0.15] * 19)
    assert wall.pauses == []


def test_a_short_delay_is_made_up_for() -> None:
    wall = Wall()
    camera = RealTimeCamera(Recorded([0.0, 0.1, 0.2, 0.3], wall, 0.0), now_s=wall.now_s, pause=wall.pause)
    times = []
    for frame in camera.frames(timeout_s=1.0):
        times.append(wall.time_s - 500.0)
        # The loop takes too long once.
        wall.time_s += 0.15 if frame.index == 1 else 0.0
    assert times == pytest.approx([0.0, 0.1, 0.25, 0.3])
