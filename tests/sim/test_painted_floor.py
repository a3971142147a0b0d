"""The painted floor: a line is as wide as it was meant to be, wherever it lies between pixels."""

from __future__ import annotations

import numpy as np
import pytest

from sim.render.ground import Ground, Mark, strip


@pytest.mark.parametrize("width_m", [0.012, 0.025, 0.05])
@pytest.mark.parametrize("aside_m", [0.0, 0.0013, 0.0031])
def test_a_line_is_as_wide_as_meant(width_m: float, aside_m: float) -> None:
    ground = Ground(image=np.zeros((200, 400, 3), np.uint8), metres_per_pixel=0.005, origin_xy=(-1.0, -0.5))
    path = np.stack([np.arange(-0.9, 0.9, 0.01), np.full(180, aside_m)], axis=1)
    mark = Mark(polygons=tuple(strip(path, width_m=width_m)), color=(255.0, 255.0, 255.0))
    ground.paint(mark, rng=np.random.default_rng(0))
    painted_m = ground.image[:, 200, 0].sum() / 255 * 0.005
    assert painted_m == pytest.approx(width_m, abs=0.001)


def test_what_lies_off_the_floor_is_passed_over() -> None:
    ground = Ground(image=np.zeros((20, 20, 3), np.uint8), metres_per_pixel=0.005, origin_xy=(0.0, 0.0))
    away = np.array([[5.0, 5.0], [6.0, 5.0], [6.0, 6.0]])
    assert not ground.covered([away, -away]).any()
