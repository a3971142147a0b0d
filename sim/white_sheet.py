"""Pictures of a white sheet before a camera with a falloff: what a flat field is measured from, and the truth."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from sim.render.sensor import Sensor, SensorSettings, random_settings

Image = NDArray[np.uint8]
_SHEET = 130.0
_UNEVEN = 0.12
"""The lamp's side of the sheet is up to so much brighter than its middle; the sheet is turned between pictures."""


class WhiteSheetCamera:
    """One seed is one camera: falloff and tint as measured on cheap ones, noise, blur, JPEG."""

    def __init__(self, *, width: int, height: int, seed: int) -> None:
        self._rng = np.random.default_rng(seed)
        drawn = random_settings(self._rng)
        # A camera measures light before it makes a picture pretty: of the drawn tone curve only gamma is a factor.
        self._settings = replace(
            drawn, exposure=1.0, contrast=1.0, saturation=1.0, veil=0.0, glare=(), center_cast=(1.0, 1.0, 1.0),
            motion_px=0.0, gamma=1.0, flicker=0.02,
        )  # fmt: skip
        self._size = width, height
        self._sensor = Sensor(self._settings, width=width, height=height, rng=self._rng)

    def look(self, count: int) -> Iterator[Image]:
        """(height, width, 3) of the sheet, its light from another side each time."""
        width, height = self._size
        x, y = np.meshgrid(np.linspace(-1, 1, width), np.linspace(-1, 1, height))
        begin = float(self._rng.uniform(0, 2 * np.pi))
        slope = float(self._rng.uniform(0.3, 1.0)) * _UNEVEN
        for number in range(count):
            # A hand does not turn it by exactly the same angle.
            angle = begin + 2 * np.pi * number / count + float(self._rng.normal(0, 0.15))
            light = _SHEET * (1 + slope * (np.cos(angle) * x + np.sin(angle) * y))
            sheet = np.repeat(np.clip(light, 0, 255).astype(np.uint8)[..., None], 3, axis=2)
            yield self._sensor.apply(sheet, self._rng)

    def truth(self) -> NDArray[np.float64]:
        """(height, width, 3): how much of the light each colour gets, 1 in the middle."""
        width, height = self._size
        clean = SensorSettings(corner_cast=self._settings.corner_cast)
        seen = Sensor(clean, width=width, height=height, rng=self._rng).gain.astype(np.float64)
        return np.asarray(seen / seen[height // 2, width // 2], np.float64)
