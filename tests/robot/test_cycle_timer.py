from __future__ import annotations

from itertools import pairwise

import pytest

from robot.drive.cycle_timer import NETWORK, CycleTimer


class Watch:
    def __init__(self) -> None:
        self.time_s = 0.0

    def __call__(self) -> float:
        return self.time_s


def passes(timer: CycleTimer, watch: Watch, *, network_s: float, own_s: float) -> None:
    timer.begin()
    watch.time_s += network_s
    timer.mark(NETWORK)
    watch.time_s += own_s
    timer.mark("write")
    timer.end()
    watch.time_s += 1.0


def test_tells_the_network_from_the_rest_and_leaves_the_wait_out() -> None:
    watch = Watch()
    timer = CycleTimer(period_s=0.033, now_s=watch)
    for _ in range(10):
        passes(timer, watch, network_s=0.020, own_s=0.001)
    summary = timer.summary()
    assert summary.loop_p50_ms == pytest.approx(21)
    assert summary.estimate_p50_ms == pytest.approx(20)
    assert summary.overhead_p99_ms == pytest.approx(1)
    assert summary.sections_p99_ms == pytest.approx({NETWORK: 20, "write": 1})
    assert summary.overruns == 0


def test_counts_the_passes_that_took_longer_than_a_period() -> None:
    watch = Watch()
    timer = CycleTimer(period_s=0.033, now_s=watch)
    for network_s in (0.010, 0.040, 0.010, 0.050):
        passes(timer, watch, network_s=network_s, own_s=0.001)
    assert timer.summary().overruns == 2
    assert timer.summary().passes == 4


def test_one_slow_pass_in_a_hundred_shows_in_p99_only() -> None:
    watch = Watch()
    timer = CycleTimer(period_s=0.033, now_s=watch)
    for number in range(100):
        passes(timer, watch, network_s=0.2 if number == 50 else 0.01, own_s=0.0)
    summary = timer.summary()
    assert summary.loop_p50_ms == pytest.approx(10)
    assert summary.loop_p99_ms == pytest.approx(200)


def test_a_drive_that_never_began_has_a_summary_too() -> None:
    summary = CycleTimer(period_s=0.033).summary()
    assert (summary.passes, summary.loop_p99_ms, summary.overruns) == (0, 0.0, 0)


def test_a_pass_without_a_frame_has_no_network_time() -> None:
    watch = Watch()
    timer = CycleTimer(period_s=0.033, now_s=watch)
    passes(timer, watch, network_s=0.02, own_s=0.001)
    timer.begin()
    watch.time_s += 0.002
    timer.mark("write")
    timer.end()
    assert timer.summary().overhead_p99_ms == pytest.approx(2)


def test_by_default_it_measures_real_time_that_only_grows() -> None:
    timer = CycleTimer(period_s=1.0)
    for _ in range(3):
        timer.begin()
        timer.mark("a")
        timer.end()
    assert timer.summary().loop_p99_ms >= 0
    assert all(a <= b for a, b in pairwise([timer.summary().loop_p50_ms, timer.summary().loop_p99_ms]))
