"""A camera whose pictures are made even by the flat field that was measured of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from types import TracebackType

from calibration.flat_field import Evening
from calibration.profile import FlatField
from robot.cameras.source import Camera, Frame


class EvenedCamera:
    """Owns ``camera``. What drives, records and shows pictures then sees the even ones."""

    def __init__(self, camera: Camera, field: FlatField) -> None:
        self._camera, self._evening = camera, Evening(field)

    def frames(self, *, timeout_s: float) -> Iterator[Frame]:
        for frame in self._camera.frames(timeout_s=timeout_s):
            yield replace(frame, image=self._evening.apply(frame.image))

    def close(self) -> None:
        self._camera.close()

    def __enter__(self) -> EvenedCamera:
        self._camera.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._camera.__exit__(kind, error, trace)
