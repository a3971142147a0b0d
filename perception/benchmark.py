"""Measuring engines side by side: interleaved, so that what disturbs one disturbs all."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from threading import Event
from time import perf_counter, process_time

import numpy as np
from numpy.typing import NDArray

from perception.estimator import Estimator
from perception.manifest import PIXELS_PER_UNIT

Image = NDArray[np.uint8]
See = Callable[[Image], object]
_SETTLE_S = 0.004
"""Threads of the last engine still spin for a while and would slow the next one down."""
_WARM_UP = 5
_VISIBLE = 0.5


def interleave(engines: Mapping[str, See], frames: Sequence[Image], *, rounds: int) -> dict[str, NDArray[np.float64]]:
    """Seconds of each call, (rounds,) for each engine; every engine sees the same frames in turn."""
    seconds: dict[str, list[float]] = {name: [] for name in engines}
    pause = Event()
    for number in range(rounds + _WARM_UP):
        frame = frames[number % len(frames)]
        for name, see in engines.items():
            pause.wait(_SETTLE_S)
            start = perf_counter()
            see(frame)
            if number >= _WARM_UP:
                seconds[name].append(perf_counter() - start)
    return {name: np.array(values) for name, values in seconds.items()}


def core_share(see: See, frames: Sequence[Image], *, rate_hz: float, seconds: float) -> float:
    """CPU time of the whole process over wall time, 1.0 being one core, while frames come at ``rate_hz``."""
    pause = Event()
    see(frames[0])
    start, used = perf_counter(), process_time()
    for number in range(int(rate_hz * seconds)):
        pause.wait(max(0.0, start + number / rate_hz - perf_counter()))
        see(frames[number % len(frames)])
    pause.wait(max(0.0, start + seconds - perf_counter()))
    return (process_time() - used) / (perf_counter() - start)


@dataclass(frozen=True, slots=True, kw_only=True)
class Disagreement:
    """Between one engine and the exact one, over many rows."""

    x_px: NDArray[np.float64]
    """Distances of x in pixels of a 224 px picture, over the rows that the exact engine sees as visible."""
    spread: NDArray[np.float64]
    """The exact engine's spread in the same rows, image units."""
    visible: NDArray[np.float64]
    """Distances of the visibility, over all rows."""


def disagreement(tried: Estimator, exact: Estimator, frames: Iterable[Image]) -> Disagreement:
    far: list[float] = []
    spread: list[float] = []
    seen: list[float] = []
    for frame in frames:
        pairs = list(zip(tried.estimate(frame).points, exact.estimate(frame).points, strict=True))
        far += [abs(a.x - b.x) * PIXELS_PER_UNIT for a, b in pairs if b.visible >= _VISIBLE]
        spread += [b.spread for _, b in pairs if b.visible >= _VISIBLE]
        seen += [abs(a.visible - b.visible) for a, b in pairs]
    return Disagreement(x_px=np.array(far), spread=np.array(spread), visible=np.array(seen))
