"""What every way of seeing the line offers to the loop."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from control.messages import LineEstimate


class Estimator(Protocol):
    """Image in, line out. Pure: the same image gives the same answer."""

    @property
    def runs_on(self) -> str:
        """The runtime, its version and the device, as they say themselves: never what was merely asked for."""
        ...

    def estimate(self, image: NDArray[np.uint8]) -> LineEstimate:
        """``image`` is (height, width, 3) uint8 BGR of any size; it is resized (squashed) to the model's."""
        ...

    def close(self) -> None: ...
