"""Pictures for tests of training: an upright white bar. Without torch, so that the processes that paint start fast."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from perception.look_ahead import ROWS

SIDE = 32


@dataclass(frozen=True)
class Toy:
    image: NDArray[np.uint8]
    x: NDArray[np.float32]
    visible: NDArray[np.float32]
    defined: NDArray[np.float32]


def toy_stream(seed: int, *, side: int = SIDE) -> Iterator[Toy]:
    """A white bar at a random column, in three of four pictures."""
    rng = np.random.default_rng(seed)
    while True:
        centre = float(rng.uniform(0.15, 0.85)) * side
        there = bool(rng.random() < 0.75)
        image = np.full((side, side, 3), 30, np.uint8)
        if there:
            image[:, round(centre - side / 20) : round(centre + side / 20)] = 255
        x = np.full((2, len(ROWS)), 2 * centre / side - 1, np.float32)
        yield Toy(image=image, x=x, visible=np.full_like(x, there), defined=np.ones(2, np.float32))


def dying_stream(seed: int) -> Iterator[Toy]:
    """Fine for validation; as soon as a process of its own paints, that is killed as a system short of memory does."""
    if seed < 2**31:
        os.kill(os.getpid(), signal.SIGKILL)
    return toy_stream(seed)
