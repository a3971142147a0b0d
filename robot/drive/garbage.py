"""Python's garbage collector, kept out of the passes: it would stop them where nobody expects it."""

from __future__ import annotations

import gc
from types import TracebackType

_SECOND_EVERY, _ALL_EVERY = 30, 300
"""Passes between two looks at what is older than a pass, and, while the vehicle stands, at everything."""


class GarbageBetweenPasses:
    """While entered, garbage is collected only where the loop says that it has time.

    Left to itself, Python looks through all objects every half minute or so: 40 to 50 ms on a desktop, in which no
    command is written. What was there before the drive is not looked through until it ends.
    """

    def __init__(self) -> None:
        self._passes = 0
        self._was_enabled = False

    def __enter__(self) -> GarbageBetweenPasses:
        self._was_enabled = gc.isenabled()
        gc.disable()
        gc.freeze()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        gc.unfreeze()
        if self._was_enabled:
            gc.enable()

    def collect(self, *, driving: bool) -> None:
        """Between two passes: the youngest objects, at times older ones, all of them only while the vehicle stands."""
        self._passes += 1
        if not driving and self._passes % _ALL_EVERY == 0:
            gc.collect()
        else:
            gc.collect(1 if self._passes % _SECOND_EVERY == 0 else 0)
