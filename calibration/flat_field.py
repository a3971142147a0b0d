"""How evenly lit a camera shows an even sheet: fitted to pictures of one, and taken out of every later picture.

The falloff of a lens and the tint of a cheap sensor's edges are factors on each colour that change slowly over the
picture. Their logarithms are polynomials of the image point, zero in the middle.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from calibration.profile import FALLOFF_TERMS, FlatField
from control.errors import CalibrationError

Array = NDArray[np.float64]
Image = NDArray[np.uint8]
_CELLS = (48, 36)
"""Columns and rows into which a picture is averaged: small against a falloff, large against noise."""
_DARKEST, _BRIGHTEST = 12.0, 248.0
"""Grey levels outside of which a sensor no longer tells how much light there was."""
_LEAST_USABLE = 0.8
"""Share of the cells."""
_STRAY_TIMES, _STRAY_LEAST = 4.0, 0.02
_TEXTURED = 0.05
"""Scatter about the fit, as a share, from which on it is no even sheet."""
_LARGEST_GAIN, _SMALLEST_GAIN = 4.0, 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class FlatFieldFit:
    field: FlatField
    before: float
    """How far apart the brightest and the darkest colour of a part of the even sheet are, as a share."""
    after: float
    """The same once corrected: what is left in the pictures that were fitted."""
    disagreement: float
    """Root mean square share by which the pictures contradict their mean: uneven light. 0 for one picture alone."""
    pictures: int


def fit_flat_field(pictures: Sequence[tuple[str, Image]]) -> FlatFieldFit:
    """Names and pictures (H, W, 3) BGR of an evenly lit sheet that fills them. Raises CalibrationError."""
    if not pictures:
        raise CalibrationError("no picture of a white sheet was given")
    first = pictures[0][1].shape
    cells = []
    for name, picture in pictures:
        if picture.shape != first:
            raise CalibrationError(f"{name}: is of another size than the others; give pictures of one camera only")
        cells.append(_logarithms(picture, name=name))
    terms = _terms(*_grid(_CELLS))
    each = np.stack([_fitted(terms, one, name=name) for one, (name, _) in zip(cells, pictures, strict=True)])
    mean = each.mean(axis=0)
    field = FlatField(blue=_plain(mean[0]), green=_plain(mean[1]), red=_plain(mean[2]))
    apart = (each - mean) @ terms.T
    stacked = np.stack(cells)
    known = np.all(np.any(np.isfinite(stacked), axis=0), axis=1)
    even = np.nanmean(stacked[:, known], axis=0)
    return FlatFieldFit(
        field=field, before=_spread(even), after=_spread(even - terms[known] @ mean.T),
        disagreement=float(np.sqrt(np.mean(apart**2))), pictures=len(pictures),
    )  # fmt: skip


def gains(field: FlatField, *, width: int, height: int) -> NDArray[np.float32]:
    """(height, width, 3) factors that make an even sheet even; 1 in the middle."""
    terms = _terms(*_grid((width, height)))
    falloff = terms @ np.array([field.blue, field.green, field.red]).T
    factors = np.clip(np.exp(-falloff), _SMALLEST_GAIN, _LARGEST_GAIN)
    return np.asarray(factors.reshape(height, width, 3), np.float32)


class Evening:
    """Takes a flat field out of pictures; prepared for one size at a time."""

    def __init__(self, field: FlatField) -> None:
        self._field = field
        self._gains: NDArray[np.float32] | None = None

    def apply(self, image: Image) -> Image:
        """(H, W, 3) in and out, any size of the same view; the input stays as it was."""
        height, width = image.shape[:2]
        if self._gains is None or self._gains.shape[:2] != (height, width):
            self._gains = gains(self._field, width=width, height=height)
        return np.asarray(cv2.multiply(image, self._gains, dtype=cv2.CV_8U), np.uint8)


def _logarithms(picture: Image, *, name: str) -> Array:
    """(cells, 3); NaN where too bright or too dark to tell. Raises CalibrationError."""
    small = cv2.resize(picture.astype(np.float32), _CELLS, interpolation=cv2.INTER_AREA).reshape(-1, 3)
    bright, dark = (small > _BRIGHTEST).any(axis=1), (small < _DARKEST).any(axis=1)
    if (~(bright | dark)).mean() < _LEAST_USABLE:
        why = "too bright; less light, or a shorter exposure" if bright.sum() > dark.sum() else "too dark; more light"
        raise CalibrationError(f"{name}: the sheet is {why}")
    logarithms = np.log(np.maximum(small, 1.0).astype(np.float64))
    logarithms[bright | dark] = np.nan
    return logarithms


def _fitted(terms: Array, logarithms: Array, *, name: str) -> Array:
    """(3, FALLOFF_TERMS); specks and glare are left out. Raises CalibrationError."""
    found = []
    with_level = np.column_stack([terms, np.ones(len(terms))])
    for values in logarithms.T:
        kept = np.isfinite(values)
        for _ in range(3):
            answer = np.linalg.lstsq(with_level[kept], values[kept], rcond=None)[0]
            away = np.abs(with_level @ answer - values)
            limit = max(_STRAY_TIMES * float(np.median(away[kept])), _STRAY_LEAST)
            kept = np.isfinite(values) & (away <= limit)
        scatter = float(np.sqrt(np.mean(away[kept] ** 2)))
        if scatter > _TEXTURED or kept.mean() < _LEAST_USABLE:
            raise CalibrationError(
                f"{name}: is no even sheet, or lies in a shadow; hold plain white paper close before the lens"
            )
        found.append(answer[:-1])
    return np.stack(found)


def _grid(size: tuple[int, int]) -> tuple[Array, Array]:
    """Image points of the middles of columns and rows, flattened."""
    width, height = size
    x, y = np.meshgrid((np.arange(width) + 0.5) / width * 2 - 1, (np.arange(height) + 0.5) / height * 2 - 1)
    return x.ravel(), y.ravel()


def _terms(x: Array, y: Array) -> Array:
    """(N, FALLOFF_TERMS): x^i y^j of degree 1 to 4, by degree, then by the power of y."""
    terms = np.stack([x ** (degree - j) * y**j for degree in range(1, 5) for j in range(degree + 1)], axis=1)
    assert terms.shape[1] == FALLOFF_TERMS
    return terms


def _spread(logarithms: Array) -> float:
    """From the 1st to the 99th hundredth of all cells and colours, each colour by its own mean."""
    relative = logarithms - logarithms.mean(axis=0)
    low, high = np.percentile(relative, (1, 99))
    return float(np.exp(high - low) - 1)


def _plain(values: Array) -> tuple[float, ...]:
    return tuple(float(value) for value in values)
