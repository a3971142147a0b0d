"""A world that is its own eyes: nothing is painted, and the line is seen as a network would tell it, noise included."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from calibration.profile import Calibration
from control.messages import LineEstimate, LinePoint
from sim.render.ground import Image
from sim.render.scenery import Scenery
from sim.tracks.geometry import Track
from sim.vehicle.params import VehicleParams
from sim.world import World

_ROWS = tuple((1 - i / 6) * 0.93 for i in range(12))
"""Near to far, about as the shipped model has them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EyeNoise:
    """Standard deviations in image x, where 2 is the picture's width.

    As the shipped model erred on three simulated tracks: 0.004 to 0.008 of all rows together, 0.006 to 0.017 of each.
    """

    common: float = 0.006
    """Of all rows together; goes by as a first-order process ..."""
    remembered: float = 0.8
    """... of which this share is left at the next picture."""
    each: float = 0.007
    """Of each row alone."""


NOISY = EyeNoise()
EXACT = EyeNoise(common=0.0, each=0.0)


class LabelledWorld(World):
    """World and Estimator in one. A picture is noise, so that none is black, frozen or like another."""

    runs_on = "the simulator's labels"

    def __init__(
        self, track: Track, *, vehicle: VehicleParams | None = None, calibration: Calibration | None = None,
        noise: EyeNoise = NOISY,
    ) -> None:  # fmt: skip
        self._noise = noise
        super().__init__(track, vehicle=vehicle, calibration=calibration)

    def _paint(self, rng: np.random.Generator, clutter_rng: np.random.Generator) -> None:  # noqa: ARG002 - as of a World
        self._scenery = Scenery(self.projection, (), lamp=np.array([1.0, 0.0]))
        self._labels: dict[bytes, tuple[NDArray[np.float64], NDArray[np.bool_]]] = {}
        self._common = 0.0

    def image(self) -> Image:
        picture = self._rng.integers(64, 192, (16, 16, 3), dtype=np.uint8)
        x, seen = self.labels(_ROWS)
        noise, rng = self._noise, self._rng
        fresh = (1 - noise.remembered**2) ** 0.5 * noise.common
        self._common = noise.remembered * self._common + fresh * float(rng.standard_normal())
        self._labels[picture.tobytes()] = (x + self._common + noise.each * rng.standard_normal(len(x)), seen)
        return picture

    def estimate(self, image: Image) -> LineEstimate:
        x, seen = self._labels.pop(image.tobytes())
        points = tuple(LinePoint(x=float(a), y=y, visible=float(v)) for a, y, v in zip(x, _ROWS, seen, strict=True))
        return LineEstimate(points=points, confidence=float(seen.any()))

    def close(self) -> None:
        """Nothing is open."""
