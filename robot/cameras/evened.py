"""A camera whose pictures are made even by the flat field that was measured of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from calibration.flat_field import Evening
from calibration.profile import FlatField
from robot.cameras.source import Camera, Frame
from robot.cameras.wrapped import WrappedCamera


class EvenedCamera(WrappedCamera):
    """What drives, records and shows pictures then sees the even ones."""

    def __init__(self, camera: Camera, field: FlatField) -> None:
        super().__init__(camera)
        self._evening = Evening(field)

    def frames(self, *, timeout_s: float) -> Iterator[Frame]:
        for frame in self._camera.frames(timeout_s=timeout_s):
            yield replace(frame, image=self._evening.apply(frame.image))
