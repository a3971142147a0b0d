from __future__ import annotations

import itertools

import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st

from sim.labels import row_crossings


def test_a_straight_path_is_crossed_where_it_is() -> None:
    path = np.array([[0.5, 1.2], [-0.5, -0.8]])
    x, visible = row_crossings(path, [1.0, 0.2])
    np.testing.assert_allclose(x, [0.4, 0.0], atol=1e-12)
    assert visible.all()


def test_the_first_crossing_along_the_path_wins() -> None:
    there_and_back = np.array([[0.0, 1.0], [0.1, 0.0], [0.5, -0.1], [0.9, 0.5]])
    x, visible = row_crossings(there_and_back, [0.5])
    np.testing.assert_allclose(x, [0.05])
    assert visible[0]


def test_a_crossing_beside_the_picture_is_not_visible_but_told() -> None:
    x, visible = row_crossings(np.array([[1.5, 1.0], [1.5, 0.0]]), [0.5, -0.5])
    np.testing.assert_allclose(x, [1.5, 0.0])
    assert not visible.any()


def test_a_crossing_inside_is_preferred_to_an_earlier_one_outside() -> None:
    path = np.array([[2.0, 1.0], [2.0, 0.0], [0.0, 0.0], [0.2, 1.0]])
    x, visible = row_crossings(path, [0.5])
    assert visible[0]
    np.testing.assert_allclose(x, [0.1])


def test_unseen_points_break_the_path() -> None:
    x, visible = row_crossings(np.array([[0.0, 1.0], [np.nan, np.nan], [0.0, -1.0]]), [0.0])
    assert not visible[0]
    assert x[0] == 0.0


def test_short_paths_cross_nothing() -> None:
    assert not row_crossings(np.zeros((1, 2)), [0.0, 0.5])[1].any()


@given(st.lists(st.tuples(st.floats(-3, 3), st.floats(-3, 3)), min_size=2, max_size=30), st.floats(-1, 1))
@example(points=[(0.0, 0.0), (0.0, 2.225073858507203e-309)], row=1.0)
def test_what_is_visible_lies_on_the_path_and_in_the_picture(points: list[tuple[float, float]], row: float) -> None:
    path = np.asarray(points, dtype=np.float64)
    x, visible = row_crossings(path, [row])
    if visible[0]:
        assert -1 <= x[0] <= 1
        spans = [sorted((a[1], b[1])) for a, b in itertools.pairwise(path)]
        assert any(low <= row <= high for low, high in spans)
