from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from control.errors import ModelError
from perception.decode import Decoder
from perception.metadata import xy_metadata
from tests.perception.red_line import METADATA, ROWS

BINS = METADATA.bins
CENTRES = np.linspace(-METADATA.x_range, METADATA.x_range, BINS)
BIN_WIDTH = CENTRES[1] - CENTRES[0]


def answer(*peaks: tuple[float, float], seen: float = 4.0) -> NDArray[np.float32]:
    """(targets, rows, bins + 1) with bell-shaped peaks (x, weight), the same in every row and target."""
    probability = np.full(BINS, 1e-6)
    for x, weight in peaks:
        bell = np.exp(-0.5 * np.square((CENTRES - x) / (0.8 * BIN_WIDTH)))
        probability += weight * bell / bell.sum()
    row = np.append(np.log(probability), seen)
    return np.broadcast_to(row, METADATA.output_shape()).astype(np.float32)


@given(x=st.floats(-0.8, 0.8))
def test_a_peak_is_found_to_a_fraction_of_a_bin(x: float) -> None:
    estimate = Decoder(METADATA, target="line")(answer((x, 1.0)))
    assert [p.y for p in estimate.points] == list(ROWS)
    assert all(abs(p.x - x) < 0.1 * BIN_WIDTH for p in estimate.points)


@given(x=st.floats(-0.8, -0.2), other=st.floats(0.2, 0.8))
def test_of_two_lines_the_stronger_is_answered_and_not_the_middle(x: float, other: float) -> None:
    point = Decoder(METADATA, target="line")(answer((x, 0.6), (other, 0.4))).points[0]
    assert abs(point.x - x) < 0.2 * BIN_WIDTH
    assert point.spread > 0.15


@pytest.mark.parametrize(("stronger", "visible"), [(0.5, 0.24), (0.6, 0.49), (0.75, 0.85), (1.0, 0.98)])
def test_a_row_that_wavers_between_two_places_sees_neither(stronger: float, visible: float) -> None:
    point = Decoder(METADATA, target="line")(answer((-0.5, stronger), (0.5, 1 - stronger))).points[0]
    assert point.visible == pytest.approx(visible, abs=0.06)


def rows_of(*peaks: tuple[float, ...], weights: tuple[float, ...], seen: float = 5.0) -> NDArray[np.float32]:
    """One set of places a row, from near to far."""
    rows = [answer(*zip(places, weights, strict=True), seen=seen)[0, 0] for places in peaks]
    return np.broadcast_to(np.array(rows), METADATA.output_shape()).astype(np.float32)


def test_a_row_in_doubt_goes_on_with_its_neighbours() -> None:
    along = np.linspace(-0.3, 0.1, len(ROWS))
    sure = rows_of(*[(float(x),) for x in along], weights=(1.0,)).copy()
    k = len(ROWS) // 2
    sure[:, k] = answer((float(along[k]), 0.45), (0.8, 0.55), seen=5.0)[0, 0]
    points = Decoder(METADATA, target="line")(sure).points
    assert points[k].x == pytest.approx(along[k], abs=0.3 * BIN_WIDTH)
    assert points[k].visible < 0.5


def test_rows_that_agree_in_their_doubt_are_no_surer() -> None:
    alone = answer((-0.5, 0.6), (0.5, 0.4), seen=-6.0).copy()
    alone[:, 0, -1] = 5.0
    among = answer((-0.5, 0.6), (0.5, 0.4), seen=5.0)
    see = Decoder(METADATA, target="line")
    assert see(among).points[0].visible == pytest.approx(see(alone).points[0].visible, abs=0.01)


def test_a_row_whose_neighbour_contradicts_it_is_less_sure() -> None:
    k = len(ROWS) // 2
    alone = answer((-0.5, 0.65), (0.5, 0.35), seen=-12.0).copy()
    alone[:, k, -1] = 5.0
    beside = alone.copy()
    beside[:, k + 1] = answer((-0.5, 0.4), (0.5, 0.6), seen=5.0)[0, 0]
    see = Decoder(METADATA, target="line")
    assert see(alone).points[k].visible > 0.5
    assert see(beside).points[k].x < 0
    assert see(beside).points[k].visible < 0.45


def test_rows_without_a_line_have_no_say() -> None:
    k = len(ROWS) // 2
    output = answer((-0.8, 1.0), seen=-12.0).copy()
    output[:, k] = answer((0.4, 0.5), (-0.8, 0.5), seen=5.0)[0, 0]
    output[:, k + 1] = answer((0.4, 1.0), seen=5.0)[0, 0]
    assert Decoder(METADATA, target="line")(output).points[k].x == pytest.approx(0.4, abs=0.3 * BIN_WIDTH)


def test_neighbours_hardly_pull_a_bend_straight() -> None:
    k = len(ROWS) // 2
    bend = answer((0.0, 1.0), seen=5.0).copy()
    bend[:, k] = answer((0.13, 0.5), (0.13 + BIN_WIDTH, 0.5), seen=5.0)[0, 0]
    alone = bend.copy()
    alone[:, [j for j in range(len(ROWS)) if j != k], -1] = -12.0
    see = Decoder(METADATA, target="line")
    assert see(bend).points[k].x == pytest.approx(see(alone).points[k].x, abs=0.3 * BIN_WIDTH)


def test_a_sharp_corner_of_sure_rows_stays_one() -> None:
    k = len(ROWS) // 2
    places = [(-0.6,)] * k + [(0.7,)] * (len(ROWS) - k)
    points = Decoder(METADATA, target="line")(rows_of(*places, weights=(1.0,))).points
    assert [p.x for p in points] == pytest.approx([x for (x,) in places], abs=0.3 * BIN_WIDTH)


@given(seed=st.integers(0, 10_000), x=st.floats(-0.8, 0.8), wide=st.floats(0.5, 2.0))
def test_a_rounding_error_of_the_network_moves_x_as_little(seed: int, x: float, wide: float) -> None:
    bell = -0.5 * np.square((CENTRES - x) / (wide * BIN_WIDTH))
    output = np.broadcast_to(np.append(np.maximum(bell, -14.0), 5.0), METADATA.output_shape()).astype(np.float32)
    noise = np.random.default_rng(seed).uniform(-0.02, 0.02, output.shape).astype(np.float32)
    see = Decoder(METADATA, target="line")
    off = [abs(a.x - b.x) for a, b in zip(see(output).points, see(output + noise).points, strict=True)]
    assert max(off) < 0.2 * BIN_WIDTH


def test_visibility_is_the_sigmoid_of_the_last_number() -> None:
    points = Decoder(METADATA, target="line")(answer((0.0, 1.0), seen=-1.0)).points
    assert points[0].visible == pytest.approx(1 / (1 + np.e), abs=1e-4)


def test_no_visible_row_means_no_confidence() -> None:
    assert Decoder(METADATA, target="line")(answer((0.0, 1.0), seen=-6.0)).confidence < 0.01


def test_a_sharp_visible_line_means_confidence() -> None:
    assert Decoder(METADATA, target="line")(answer((0.0, 1.0), seen=5.0)).confidence > 0.95


def test_an_answer_spread_over_the_picture_lowers_the_confidence() -> None:
    flat = answer((-0.9, 0.5), (0.9, 0.5), seen=5.0)
    assert Decoder(METADATA, target="line")(flat).confidence < 0.2


def test_four_seen_rows_are_enough_for_confidence() -> None:
    output = answer((0.0, 1.0), seen=-6.0).copy()
    output[:, :4, -1] = 6.0
    assert Decoder(METADATA, target="line")(output).confidence > 0.95


def test_the_target_chooses_its_own_answer() -> None:
    output = np.concatenate([answer((-0.5, 1.0))[:1], answer((0.5, 1.0))[1:]])
    assert (
        Decoder(METADATA, target="line")(output).points[0].x < 0 < Decoder(METADATA, target="lane")(output).points[0].x
    )


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_an_answer_that_is_not_finite_is_an_error(value: float) -> None:
    output = answer((0.0, 1.0)).copy()
    output[0, 3, 5] = value
    with pytest.raises(ModelError, match="finite"):
        Decoder(METADATA, target="line")(output)


def test_an_answer_of_another_shape_is_an_error() -> None:
    with pytest.raises(ModelError, match="shape"):
        Decoder(METADATA, target="line")(np.zeros((1, 2), dtype=np.float32))


def test_a_network_of_one_point_is_the_case_of_one_row() -> None:
    estimate = Decoder(xy_metadata(categories=1, channel_order="bgr"), target="line")(
        np.array([[0.25, -0.5]], np.float32)
    )
    (point,) = estimate.points
    assert (point.x, point.y, point.visible, estimate.confidence) == (0.25, -0.5, 1.0, 1.0)


def test_a_category_is_its_own_pair_of_outputs() -> None:
    output = np.array([[0.1, 0.2, 0.3, 0.4]], dtype=np.float32)
    (point,) = Decoder(xy_metadata(categories=2, channel_order="bgr"), target="1")(output).points
    assert (point.x, point.y) == pytest.approx((0.3, 0.4))
