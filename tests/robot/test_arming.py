"""Who arms a drive, and what an emergency stop does to it: the real loop, in a time that only the fakes move."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import pytest

from control.errors import CameraStalled
from control.messages import Cause, DifferentialCommand, SafetyState
from robot.drive.loop import Tick, drive
from robot.teleop.switch import Wish
from tests.robot.fakes import PERIOD_S, STANDING, Bench

START_S = 100.0


@dataclass
class Script:
    """A switch that wishes something at each of its moments; each is heard by the next pass."""

    bench: Bench
    moments: dict[float, Wish]
    name: str = "a scripted key"
    done: set[float] = field(default_factory=set)
    told: dict[float, bool] = field(default_factory=dict)
    """Whether it drives, as it was told at each moment."""
    wheels_at_exit: object = None

    def read(self, *, driving: bool) -> Wish:
        for moment, wish in self.moments.items():
            if moment not in self.done and self.bench.clock.time_s - START_S >= moment:
                self.told[moment] = driving
                self.done.add(moment)
                return wish
        return Wish.NOTHING

    def has_said_all_that_is_due(self) -> bool:
        return all(moment in self.done for moment in self.moments if self.bench.clock.time_s - START_S >= moment)

    def __enter__(self) -> Script:
        return self

    def __exit__(self, *_: object) -> None:
        self.wheels_at_exit = self.bench.motors.last


@dataclass
class Driven:
    ticks: list[Tick]
    causes: tuple[Cause, ...]
    said: list[str]
    script: Script

    def states(self, *, after_s: float, before_s: float = 1e9) -> set[SafetyState]:
        return {tick.verdict.state for tick in self.ticks if after_s <= tick.now_s - START_S < before_s}


def run(bench: Bench, moments: dict[float, Wish], *, seconds: float = 10.0, **how: bool) -> Driven:
    """A pass in which a moment comes waits until the watch has looked, so that no press is missed by a test."""
    script, ticks, said = Script(bench, moments), [], []

    def record(tick: Tick) -> bool:
        ticks.append(tick)
        assert _soon(script.has_said_all_that_is_due)
        return tick.now_s - START_S < seconds

    causes = drive(bench.rig(), record, timer=bench.timer, switches=[script], tell=said.append, **how)
    return Driven(ticks, causes, said, script)


def _soon(holds: Callable[[], bool]) -> bool:
    from threading import Event

    return any(holds() or Event().wait(0.002) for _ in range(2000))


def test_nothing_moves_until_somebody_arms() -> None:
    bench = Bench()
    driven = run(bench, {1.0: Wish.ARM}, seconds=2.0, auto_arm=False)
    assert driven.states(after_s=0.0, before_s=1.0) == {SafetyState.DISARMED}
    assert driven.states(after_s=1.1) == {SafetyState.ARMED}
    moved = [t - START_S for t, wheels in bench.motors.written if wheels != STANDING]
    assert moved
    assert min(moved) >= 1.0
    assert driven.said == ["ready: drives when it is armed", "armed"]


def test_an_emergency_stop_is_latched_until_somebody_arms_again() -> None:
    bench = Bench()
    moments = {0.5: Wish.ARM, 1.5: Wish.STOP, 3.0: Wish.ARM}
    driven = run(bench, moments, seconds=4.0, auto_arm=False)
    assert driven.causes == ()
    assert driven.states(after_s=1.6, before_s=3.0) == {SafetyState.STOPPED}
    assert driven.states(after_s=3.1) == {SafetyState.ARMED}
    stopped = [wheels for t, wheels in bench.motors.written if 1.6 <= t - START_S < 3.0]
    assert stopped
    assert set(stopped) == {STANDING}
    why = "stopped: emergency stop (a scripted key); arm it to go on, ^C ends"
    # Each once, not with every pass.
    assert driven.said == [
        "ready: drives when it is armed",
        "armed",
        why,
        "armed",
    ]


def test_a_press_is_written_to_the_motors_within_the_pass_that_it_came_in() -> None:
    bench = Bench()
    run(bench, {1.0: Wish.STOP}, seconds=3.0)
    # The watch itself wrote STOP, before the loop's next pass moved the clock.
    pressed_s = next(t for t, _ in bench.motors.written if t - START_S >= 1.0)
    at_once = [wheels for t, wheels in bench.motors.written if t == pressed_s]
    assert STANDING in at_once


def test_a_drive_that_armed_itself_ends_with_an_emergency_stop() -> None:
    driven = run(Bench(), {1.0: Wish.STOP}, seconds=5.0)
    assert driven.causes == (Cause.EMERGENCY_STOP,)
    assert driven.ticks[-1].now_s - START_S == pytest.approx(1.0, abs=3 * PERIOD_S)


def test_motors_that_are_not_there_do_not_go_on_after_an_emergency_stop() -> None:
    driven = run(Bench(), {1.0: Wish.STOP}, seconds=5.0, rearm=True)
    assert driven.causes == (Cause.EMERGENCY_STOP,)


def test_a_switch_that_is_pressed_from_the_start_keeps_a_drive_from_arming() -> None:
    driven = run(Bench(), {0.0: Wish.STOP}, seconds=10.0)
    assert driven.causes == (Cause.EMERGENCY_STOP,)
    assert driven.states(after_s=0.0) == {SafetyState.STOPPED}


def test_a_refused_wish_to_arm_says_why_and_is_forgotten() -> None:
    bench = Bench()
    dark = np.zeros((32, 32, 3), np.uint8)
    lit = bench.camera.image
    bench.camera.image = lambda number: dark if number < 60 else lit(number)
    driven = run(bench, {1.0: Wish.ARM}, seconds=4.0, auto_arm=False)
    assert driven.states(after_s=0.0) == {SafetyState.DISARMED}
    # Who was told why is not asked once more when there is light.
    first, why = driven.said
    assert first.startswith("ready: ")
    assert why.startswith("not armed: ")
    assert "frozen, black" in why


def test_switches_are_told_whether_it_drives() -> None:
    moments = {0.5: Wish.ARM, 1.5: Wish.STOP, 2.5: Wish.ARM, 3.5: Wish.STOP}
    driven = run(Bench(), moments, seconds=4.0, auto_arm=False)
    assert driven.script.told == {0.5: False, 1.5: True, 2.5: False, 3.5: True}


def test_a_wish_to_arm_what_drives_does_not_undo_the_next_stop() -> None:
    bench = Bench()
    bench.estimator.blind = lambda call: 60 < call <= 120
    driven = run(bench, {0.2: Wish.ARM, 1.0: Wish.ARM}, seconds=7.0, auto_arm=False)
    assert driven.states(after_s=6.0) == {SafetyState.STOPPED}
    assert not any(text.startswith("not armed") for text in driven.said)


def test_the_wheels_stand_before_a_switch_is_let_go() -> None:
    # A switch that hangs takes its time to be closed.
    assert run(Bench(), {}, seconds=1.0).script.wheels_at_exit == STANDING


def test_whoever_arms_may_put_the_robot_back_on_the_line_and_go_on() -> None:
    bench = Bench()
    bench.estimator.blind = lambda call: 30 < call <= 120
    driven = run(bench, {0.2: Wish.ARM, 6.0: Wish.ARM}, seconds=7.0, auto_arm=False)
    assert driven.causes == ()
    assert driven.states(after_s=5.0, before_s=6.0) == {SafetyState.STOPPED}
    assert driven.states(after_s=6.1) == {SafetyState.ARMED}
    assert "stopped: line lost; arm it to go on, ^C ends" in driven.said


def test_a_stop_while_waiting_is_no_reason_to_end() -> None:
    driven = run(Bench(), {0.5: Wish.STOP, 2.0: Wish.ARM}, seconds=3.0, auto_arm=False)
    assert driven.states(after_s=2.1) == {SafetyState.ARMED}


@pytest.mark.parametrize("moments", [{}, {0.1: Wish.ARM}])
def test_a_camera_that_stalls_ends_the_drive_whoever_waits(moments: dict[float, Wish]) -> None:
    bench = Bench()
    bench.camera.count, bench.camera.then = 20, "stall"
    with pytest.raises(CameraStalled):
        run(bench, moments, seconds=60.0, auto_arm=False)
    assert bench.motors.last == STANDING
    # It had its time to come back.
    assert 5.0 < bench.clock.time_s - START_S - 20 * PERIOD_S < 5.2


def test_a_camera_that_never_shows_anything_has_as_long() -> None:
    bench = Bench()
    bench.camera.count, bench.camera.then = 0, "stall"
    with pytest.raises(CameraStalled):
        run(bench, {}, seconds=60.0, auto_arm=False)
    assert 5.0 < bench.clock.time_s - START_S < 5.2


def test_without_anybody_at_a_switch_nothing_ever_moves() -> None:
    bench = Bench()
    driven = run(bench, {}, seconds=8.0, auto_arm=False)
    assert driven.states(after_s=0.0) == {SafetyState.DISARMED}
    assert all(wheels == DifferentialCommand() for _, wheels in bench.motors.written)
