"""The search for gains: what it may change, and when its answer counts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

import pytest

from robot.config import load_config
from sim.tuning.courses import Course, Driven, Together, cost, drive_course, together
from sim.tuning.gains import gains_of, space_for, with_gains
from sim.tuning.robots import likely_robots
from sim.tuning.search import Judged, Tuned, tune
from sim.vehicle.params import JETBOT

CONFIG = load_config(None)
COURSE = Course(track="random:3", robot=JETBOT, seed=3, metres=1.0)
KP = "follower.steering.kp"


def bowl(drive: Callable[[Course], Driven], courses: Sequence[Course]) -> list[Driven]:
    """Drives nothing: the error is smallest at kp = 3, and grows with the delay."""
    assert isinstance(drive, partial)
    kp = drive.keywords["config"].follower.steering.kp
    return [
        Driven(completed=True, error_m=0.001 + 0.001 * (kp - 3) ** 2 + c.extra_delay_s / 50, seconds=2.0, metres=1.0)
        for c in courses
    ]


def judged(
    *, error_m: float = 0.001, speed_mps: float = 0.6, completed: bool = True, kp: float = 2.0, late: float = 1.0
) -> Judged:
    return Judged(
        gains={KP: kp}, drives=Together(completed=completed, error_m=error_m, speed_mps=speed_mps), errors_m=(error_m,),
        by_delay_m=((0.0, error_m), (0.02, error_m * late), (0.04, error_m * late)),
    )  # fmt: skip


def test_a_course_is_driven_the_same_way_each_time() -> None:
    first, again = drive_course(COURSE, CONFIG), drive_course(COURSE, CONFIG)
    assert first == again
    assert first.completed
    assert 0 < first.error_m < 0.01


def test_who_leaves_the_line_counts_as_far_from_it() -> None:
    lost = drive_course(replace(COURSE, extra_delay_s=0.5), CONFIG)
    assert not lost.completed
    assert lost.error_m > 0.1


def test_slower_drives_cost_more() -> None:
    usual = Together(completed=True, error_m=0.002, speed_mps=0.6)
    assert cost(usual, usual_mps=0.6) == 0.002
    assert cost(replace(usual, speed_mps=0.5), usual_mps=0.6) > 0.004
    assert cost(replace(usual, speed_mps=0.7), usual_mps=0.6) == 0.002


def test_one_drive_that_failed_fails_all() -> None:
    fine, lost = (Driven(completed=ok, error_m=0.001, seconds=2.0, metres=1.0) for ok in (True, False))
    assert not together([fine, lost]).completed


def test_gains_are_read_and_written_by_their_names() -> None:
    changed = with_gains(CONFIG, {KP: 3.5, "follower.lag_lead": 0.2})
    assert (changed.follower.steering.kp, changed.follower.lag_lead) == (3.5, 0.2)
    assert gains_of(changed)[KP] == 3.5
    assert changed.follower.steering.ki == CONFIG.follower.steering.ki


def test_the_top_speed_is_never_raised_and_what_stands_lies_inside() -> None:
    config = load_config(None, ["follower.speed.max_speed_mps=0.3", f"{KP}=20"])
    space = space_for(config)
    assert space["follower.speed.max_speed_mps"].high == 0.3
    assert space[KP].high == 20


def test_robots_scatter_as_the_calibration_says() -> None:
    import numpy as np

    measured = load_config(
        None, ["calibration.measured.drive.date='2026-01-31'", "calibration.measured.drive.delay_s=0.002"]
    )
    exact = likely_robots(measured, 30, rng=np.random.default_rng(0))
    usual = likely_robots(CONFIG, 30, rng=np.random.default_rng(0))
    assert {robot.lag_s for robot in exact} == {CONFIG.calibration.latency.motor_lag_s}
    assert len({robot.lag_s for robot in usual}) == 30
    delays = [robot.total_delay_s for robot in exact]
    assert 0.001 < np.std(delays) < 0.008


def test_a_search_finds_the_best_is_repeated_by_its_seed_and_begins_with_what_stands_there() -> None:
    first, again = (tune(CONFIG, trials=40, seed=1, run=bowl) for _ in range(2))
    assert first == again
    assert first.trials[0].gains == gains_of(CONFIG)
    assert len(first.trials) == 40
    assert first.after.gains[KP] == pytest.approx(3, abs=0.2)
    assert not first.why_not


def test_no_search_is_longer_than_asked() -> None:
    assert len(tune(CONFIG, trials=2, seed=1, run=bowl).trials) == 2


@pytest.mark.parametrize(
    ("after", "told"),
    [
        (judged(), "nothing better"),
        (judged(kp=3, error_m=0.0005), ""),
        (judged(kp=3, completed=False), "left"),
        (judged(kp=3, error_m=0.00099), "not better"),
        (judged(kp=3, error_m=0.0005, speed_mps=0.5), "slower"),
        (judged(kp=3, error_m=0.0005, late=9.0), "delay"),
    ],
)
def test_new_gains_count_only_where_they_are_better(after: Judged, told: str) -> None:
    why = Tuned(before=judged(), after=after, trials=()).why_not
    assert told in why
    assert bool(why) == bool(told)
