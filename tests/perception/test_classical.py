from __future__ import annotations

from itertools import pairwise

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from perception.engines.classical import ColourEstimator

Image = NDArray[np.uint8]


def floor(seed: int = 0) -> Image:
    """Grey-brown, noisy, darker to the corners."""
    rng = np.random.default_rng(seed)
    side = np.linspace(-1, 1, 224)
    shade = 1.0 - 0.35 * (side[None, :] ** 2 + side[:, None] ** 2)
    base = np.array([120.0, 130.0, 140.0]) * shade[..., None]
    return np.clip(base + rng.normal(0, 4, (224, 224, 3)), 0, 255).astype(np.uint8)


def taped(image: Image, *, bottom: float, top: float, colour: tuple[int, int, int]) -> Image:
    ends = [(round((x + 1) * 112), y) for x, y in ((bottom, 223), (top, 60))]
    return np.asarray(cv2.line(image.copy(), ends[0], ends[1], colour, 12), dtype=np.uint8)


@pytest.mark.parametrize("colour", [(0, 220, 240), (20, 20, 20), (250, 250, 250), (200, 60, 20)])
@pytest.mark.parametrize(("bottom", "top"), [(0.0, 0.0), (-0.5, 0.2), (0.4, -0.3)])
def test_tape_of_any_colour_is_found(colour: tuple[int, int, int], bottom: float, top: float) -> None:
    estimate = ColourEstimator().estimate(taped(floor(), bottom=bottom, top=top, colour=colour))
    for point in estimate.points:
        along = (1 - point.y) / (1 - (60 / 112 - 1))
        assert abs(point.x - (bottom + (top - bottom) * along)) < 0.08
    assert estimate.confidence > 0.8


def test_a_bare_floor_has_no_line() -> None:
    assert ColourEstimator().estimate(floor()).confidence < 0.1


def test_the_lane_is_the_middle_between_two_lines() -> None:
    image = taped(floor(), bottom=-0.6, top=-0.3, colour=(0, 120, 240))
    image = taped(image, bottom=0.4, top=0.1, colour=(0, 120, 240))
    estimate = ColourEstimator(target="lane").estimate(image)
    assert all(abs(p.x + 0.1) < 0.08 for p in estimate.points)


def test_points_run_from_near_to_far_inside_the_picture() -> None:
    points = ColourEstimator().estimate(floor()).points
    assert all(a.y > b.y for a, b in pairwise(points))
    assert all(-1 <= p.x <= 1 and 0 <= p.visible <= 1 for p in points)
