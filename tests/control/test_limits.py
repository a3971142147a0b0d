from math import inf, isfinite, nan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from control.errors import ConfigError
from control.limits import LONGEST_STEP_S, RateLimiter, clamp, slew, slew_speed, usable_step

ANY = st.floats() | st.sampled_from([0.0, 0.033, 5.0, -1.0, nan, inf, -inf])
SANE = st.floats(-100, 100)


@pytest.mark.parametrize(
    ("value", "expected"),
    [(0.5, (0.5, False)), (2.0, (2.0, False)), (2.1, (2.0, True)), (-1.0, (-1.0, False)), (-1.1, (-1.0, True))],
)
def test_clamp_says_when_it_bit(value: float, expected: tuple[float, bool]) -> None:
    assert clamp(value, low=-1.0, high=2.0) == expected


@pytest.mark.parametrize("bad", [nan, inf, -inf])
def test_clamp_turns_what_is_no_number_into_the_safe_value_within_its_range(bad: float) -> None:
    assert clamp(bad, low=-1.0, high=2.0) == (0.0, True)
    assert clamp(bad, low=-1.0, high=2.0, safe=5.0) == (2.0, True)
    assert clamp(bad, low=-1.0, high=2.0, safe=-5.0) == (-1.0, True)
    assert clamp(bad, low=1.0, high=2.0) == (1.0, True)


@pytest.mark.parametrize(
    ("step", "usable"), [(0.03, 0.03), (0.0, 0.0), (-1.0, 0.0), (0.1, 0.1), (5.0, 0.1), (nan, 0.0), (inf, 0.0)]
)
def test_a_step_is_never_negative_nor_long(step: float, usable: float) -> None:
    assert usable_step(step) == usable


@pytest.mark.parametrize(
    ("value", "expected"),
    [(1.05, (1.05, False)), (9.0, (1.2, True)), (-9.0, (0.8, True)), (nan, (1.0, True)), (inf, (1.0, True))],
)
def test_slew_moves_at_most_its_rate(value: float, expected: tuple[float, bool]) -> None:
    got, limited = slew(value, previous=1.0, rate_per_s=2.0, dt_s=0.1)
    assert (got, limited) == pytest.approx(expected)


@given(value=ANY, previous=SANE, rate=st.floats(0.001, 1000), dt=ANY)
def test_slew_is_finite_and_bounded_for_any_input(value: float, previous: float, rate: float, dt: float) -> None:
    got, limited = slew(value, previous=previous, rate_per_s=rate, dt_s=dt)
    assert isfinite(got)
    assert abs(got - previous) <= rate * LONGEST_STEP_S + 1e-9
    assert limited == (got != value)


def brake(value: float, *, previous: float, dt_s: float = 0.1) -> tuple[float, bool]:
    return slew_speed(value, previous=previous, faster_per_s=1.0, slower_per_s=4.0, dt_s=dt_s)


@pytest.mark.parametrize(
    ("value", "previous", "expected", "limited"),
    [
        (2.0, 1.0, 1.1, True), (0.0, 1.0, 0.6, True), (0.8, 1.0, 0.8, False), (1.05, 1.0, 1.05, False),
        (-2.0, -1.0, -1.1, True), (0.0, -1.0, -0.6, True), (-0.8, -1.0, -0.8, False),
        (-1.0, 0.3, 0.0, True), (1.0, -0.3, 0.0, True), (-1.0, 0.0, -0.1, True), (1.0, 0.0, 0.1, True),
        (0.0, 0.3, 0.0, False), (0.0, -0.3, 0.0, False), (nan, 1.0, 0.6, True), (inf, -1.0, -0.6, True),
        (nan, 0.0, 0.0, True), (nan, -0.1, 0.0, True),
    ],
)  # fmt: skip
def test_speed_brakes_faster_than_it_gains_and_rests_before_it_reverses(
    value: float, previous: float, expected: float, limited: bool
) -> None:
    got = brake(value, previous=previous)
    assert got == pytest.approx((expected, limited))


def test_speed_at_rest_is_plus_zero_after_reversing() -> None:
    assert str(brake(0.0, previous=-0.3)[0]) == "0.0"


@given(values=st.lists(st.tuples(ANY, ANY), max_size=30))
def test_speed_never_jumps_nor_changes_sign_without_zero(values: list[tuple[float, float]]) -> None:
    speed = 0.0
    for value, dt in values:
        following, _ = brake(value, previous=speed, dt_s=dt)
        assert isfinite(following)
        assert speed * following >= 0
        assert abs(following - speed) <= 4.0 * LONGEST_STEP_S + 1e-9
        assert abs(following) - abs(speed) <= 1.0 * LONGEST_STEP_S + 1e-9
        speed = following


def test_no_time_means_no_change() -> None:
    assert slew(9.0, previous=1.0, rate_per_s=2.0, dt_s=0.0) == (1.0, True)
    assert brake(9.0, previous=1.0, dt_s=0.0) == (1.0, True)


def test_a_rate_limiter_remembers_and_restarts() -> None:
    limiter = RateLimiter(rate_per_s=1.0, start=3.0)
    assert limiter.value == 3.0
    assert limiter.update(9.0, dt_s=0.1) == pytest.approx((3.1, True))
    assert limiter.update(3.15, dt_s=0.1) == (3.15, False)
    assert limiter.value == 3.15
    limiter.restart(-2.0)
    assert limiter.update(-2.0, dt_s=0.1) == (-2.0, False)
    limiter.restart(nan)
    assert limiter.value == 0.0


def test_a_rate_limiter_starts_at_rest() -> None:
    assert RateLimiter(rate_per_s=1.0).value == 0.0


@pytest.mark.parametrize("rate", [0.0, -1.0, nan, inf])
def test_a_rate_limiter_refuses_a_rate_that_is_none(rate: float) -> None:
    with pytest.raises(ConfigError, match=r"rate_limiter\.rate_per_s"):
        RateLimiter(rate_per_s=rate)
