"""What every camera is: a source of stamped frames, newest first, that says so when it stalls."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from types import TracebackType
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Frame:
    """One picture. ``image`` is (height, width, 3) uint8 in B, G, R order, read-only by convention."""

    image: Image
    stamp_s: float
    """Monotonic time of arrival; the exposure lies the camera part of the calibrated latency before it."""
    index: int
    """Counts every frame the camera made, so that gaps show."""


class Device(Protocol):
    """What waits for pictures; ``LatestFrameCamera`` makes a camera of it."""

    def grab(self) -> Image:
        """Blocks until the next picture is there, for 250 ms at most where that is possible.

        Raises CameraError when there will be none.
        """
        ...

    def close(self) -> None: ...


class Camera(Protocol):
    """A context manager; ``close`` works twice."""

    def frames(self, *, timeout_s: float) -> Iterator[Frame]:
        """Yield the newest frame each time one is there; end with the recording.

        Raises CameraStalled when none arrived within ``timeout_s``, CameraLost, which is one, as soon as the device is
        known to be dead or frozen and is being opened again; any other CameraError is the end.
        """
        ...

    def close(self) -> None: ...

    def __enter__(self) -> Camera: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...
