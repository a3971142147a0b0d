from __future__ import annotations

from itertools import pairwise
from statistics import median

import pytest

from benchmarks.search import Outcome, Range, Settings, Tried, fastest_within, front, search

SPACE = {"speed": Range(low=0.1, high=1.0, default=0.2, log=True), "gain": Range(low=0.0, high=4.0, default=1.0)}
BARS_M = (0.01, 0.02)
BEST_GAIN = 2.5


def toy(settings: Settings) -> Outcome:
    """The error is 0.02 x speed, more away from the best gain; too far away the robot gets lost."""
    away = (settings["gain"] - BEST_GAIN) ** 2
    return Outcome(completed=away < 4.0, error_m=0.02 * settings["speed"] * (1 + away), speed_mps=settings["speed"])


def tried_by(budget: int, *, seed: int = 0, starts: tuple[Settings, ...] = ()) -> list[Tried]:
    return search(
        SPACE, lambda batch: [toy(s) for s in batch], bars_m=BARS_M, budget=budget, seed=seed, starts=starts
    )


def outcome(error_m: float, speed_mps: float, *, completed: bool = True) -> Tried:
    return Tried(settings={}, outcome=Outcome(completed=completed, error_m=error_m, speed_mps=speed_mps))


@pytest.mark.parametrize("seed", range(5))
def test_it_finds_the_fastest_for_each_bar(seed: int) -> None:
    tried = tried_by(100, seed=seed)
    # By the best gain the bars allow 0.5 and 1 m/s.
    for bar_m, possible in zip(BARS_M, (0.5, 1.0), strict=True):
        found = fastest_within(tried, bar_m)
        assert found is not None
        assert possible * 0.85 < found.outcome.speed_mps <= possible
        assert found.settings["gain"] == pytest.approx(BEST_GAIN, abs=0.35)


def test_steps_from_the_best_beat_chance() -> None:
    def fastest(tried: list[Tried]) -> float:
        found = fastest_within(tried, BARS_M[0])
        return found.outcome.speed_mps if found else 0.0

    def by_chance(seed: int) -> list[Tried]:
        # The first third of a search three times as long is a Latin hypercube.
        return tried_by(180, seed=seed)[:60]

    searched = median(fastest(tried_by(60, seed=seed)) for seed in range(9))
    chance = median(fastest(by_chance(seed)) for seed in range(9))
    assert searched > 1.1 * chance


@pytest.mark.parametrize("budget", [1, 2, 7, 24, 33])
def test_exactly_the_budget_is_tried_within_the_ranges_from_the_defaults_on(budget: int) -> None:
    tried = tried_by(budget)
    assert len(tried) == budget
    assert tried[0].settings == {"speed": 0.2, "gain": 1.0}
    for one in tried:
        assert 0.1 * 0.999 <= one.settings["speed"] <= 1.0 * 1.001
        assert 0.0 <= one.settings["gain"] <= 4.0


def test_the_same_seed_tries_the_same() -> None:
    assert tried_by(40, seed=3) == tried_by(40, seed=3)
    assert tried_by(40, seed=3) != tried_by(40, seed=4)


def test_starts_are_tried_next_and_gone_on_from() -> None:
    start = {"speed": 0.45, "gain": BEST_GAIN}
    tried = tried_by(10, starts=(start,))
    assert tried[1].settings == start
    assert sum(abs(t.settings["gain"] - BEST_GAIN) < 1.6 for t in tried[2:]) >= 6


def test_more_starts_than_budget_stay_within_it() -> None:
    assert len(tried_by(3, starts=tuple({"speed": 0.5, "gain": float(n)} for n in range(5)))) == 3


def test_the_first_half_covers_each_range_evenly() -> None:
    sampled = tried_by(60)[1:21]
    for name, range_ in SPACE.items():
        parts = sorted(int(range_.share(t.settings[name]) * 20) for t in sampled)
        assert parts == list(range(20))


def test_where_nothing_is_ever_completed_it_goes_on_looking() -> None:
    lost = Outcome(completed=False, error_m=0.0, speed_mps=0.0)
    tried = search(SPACE, lambda batch: [lost] * len(batch), bars_m=BARS_M, budget=30, seed=0)
    assert len({t.settings["gain"] for t in tried}) == 30
    assert front(tried, most=5) == []


def test_a_range_and_its_share_are_inverse() -> None:
    for range_ in SPACE.values():
        assert range_.at(range_.share(0.7)) == pytest.approx(0.7)
        assert range_.at(0.0) == pytest.approx(range_.low)
        assert range_.at(1.0) == pytest.approx(range_.high)
    assert SPACE["speed"].at(0.5) == pytest.approx((0.1 * 1.0) ** 0.5)


def test_the_front_holds_what_nothing_beats() -> None:
    slow, middle, fast = outcome(0.001, 0.2), outcome(0.005, 0.4), outcome(0.02, 0.8)
    beaten, lost = outcome(0.01, 0.3), outcome(0.0, 0.9, completed=False)
    assert front([fast, beaten, slow, lost, middle], most=5) == [slow, middle, fast]


def test_a_thinned_front_keeps_its_ends_and_spreads_the_rest() -> None:
    steps = [outcome(0.001 * n, speed) for n, speed in enumerate((0.1, 0.2, 0.21, 0.4, 0.41, 0.8), start=1)]
    speeds = [t.outcome.speed_mps for t in front(steps, most=4)]
    assert (speeds[0], speeds[-1]) == (0.1, 0.8)
    assert all(1.8 < b / a < 2.3 for a, b in pairwise(speeds))


def test_the_fastest_within_a_bar_was_completed() -> None:
    tried = [outcome(0.001, 0.9, completed=False), outcome(0.01, 0.3), outcome(0.02, 0.8)]
    found = fastest_within(tried, 0.01)
    assert found is tried[1]
    assert fastest_within(tried, 0.009) is None
