from math import exp, inf, nan

import pytest

from control.errors import ConfigError
from control.filters import Hysteresis, LowPass


def test_low_pass_takes_the_first_value_and_then_approaches_by_its_time_constant() -> None:
    low_pass = LowPass(time_constant_s=0.2)
    assert low_pass.value == 0.0
    assert low_pass.update(1.0, dt_s=0.1) == 1.0
    assert low_pass.update(0.0, dt_s=0.1) == pytest.approx(exp(-0.5))


def test_low_pass_does_not_depend_on_how_time_is_cut() -> None:
    whole, halves = LowPass(time_constant_s=0.2), LowPass(time_constant_s=0.2)
    for low_pass in (whole, halves):
        low_pass.update(1.0, dt_s=0.1)
    halves.update(3.0, dt_s=0.05)
    assert halves.update(3.0, dt_s=0.05) == pytest.approx(whole.update(3.0, dt_s=0.1))


@pytest.mark.parametrize("bad", [nan, inf, -inf])
def test_low_pass_ignores_what_is_no_number(bad: float) -> None:
    low_pass = LowPass(time_constant_s=0.2)
    assert low_pass.update(bad, dt_s=0.1) == 0.0
    low_pass.update(2.0, dt_s=0.1)
    assert low_pass.update(bad, dt_s=0.1) == 2.0
    assert low_pass.update(5.0, dt_s=nan) == 2.0


def test_low_pass_without_a_time_constant_passes_all_and_reset_forgets() -> None:
    low_pass = LowPass(time_constant_s=0.0)
    low_pass.update(2.0, dt_s=0.1)
    assert low_pass.update(5.0, dt_s=0.0) == 5.0
    low_pass.reset()
    assert low_pass.value == 0.0


def test_hysteresis_keeps_its_state_between_its_thresholds() -> None:
    gate = Hysteresis(low=0.3, high=0.5)
    assert [gate.update(v) for v in (0.4, 0.5, 0.4, 0.31, 0.3, 0.4, nan, 0.9, nan)] == [
        False, True, True, True, False, False, False, True, False,
    ]  # fmt: skip
    with pytest.raises(ConfigError, match=r"hysteresis\.low"):
        Hysteresis(low=0.6, high=0.5)
