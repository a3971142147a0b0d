"""Ground truth for the network: where a path crosses the look-ahead rows of a picture."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]


def row_crossings(path: Array, rows: ArrayLike) -> tuple[Array, NDArray[np.bool_]]:
    """Where a path first crosses each row inside the picture.

    ``path`` is (N, 2) image points ordered along travel, NaN where they cannot be seen; ``rows`` are K image y.
    Gives x (K,) and visible (K,). When every crossing lies outside the picture x is that of the first one,
    and 0 when the path never crosses the row; neither is visible.
    """
    wanted: Array = np.asarray(rows, dtype=np.float64).reshape(-1, 1)
    if len(path) < 2:
        return np.zeros(len(wanted)), np.zeros(len(wanted), dtype=np.bool_)
    start, end = path[:-1], path[1:]
    usable = np.isfinite(start.sum(axis=1) + end.sum(axis=1))
    start, end = np.where(usable[:, None], start, 0.0), np.where(usable[:, None], end, 0.0)
    begins_below, ends_below = np.greater_equal(start[:, 1], wanted), np.greater_equal(end[:, 1], wanted)
    crosses = np.logical_and(usable, begins_below != ends_below)
    rise = end[:, 1] - start[:, 1]
    # Where a step does not reach the row its rise may be next to nothing; where it does, the share is at most 1.
    share = (wanted - start[:, 1]) / np.where(crosses, rise, 1.0)
    across = start[:, 0] + np.where(crosses, share, 0.0) * (end[:, 0] - start[:, 0])
    inside = crosses & (np.abs(across) <= 1.0)
    visible = inside.any(axis=1)
    first = np.where(visible, inside.argmax(axis=1), crosses.argmax(axis=1))
    picked = across[np.arange(len(wanted)), first]
    return np.where(crosses.any(axis=1), picked, 0.0), visible
