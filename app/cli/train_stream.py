"""Made-up pictures as the trainings draw them; runs in worker processes, so it imports little."""

from __future__ import annotations

from collections.abc import Iterator

import cv2

from perception.training.pool import Sample
from sim.synthetic import frames


def stream(seed: int, *, rows: tuple[float, ...], size: int, jetbots: float) -> Iterator[Sample]:
    """OpenCV's own threads would only fight the network for the cores."""
    cv2.setNumThreads(1)
    return frames(rows, seed=seed, size=size, jetbots=jetbots)
