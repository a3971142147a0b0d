"""The stick: who holds it, what silence means, and what the loop makes of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from math import nan

import pytest
from fakes import STANDING, Bench, Kept

from control.errors import InputError
from control.messages import STAND_STILL, Cause, DifferentialCommand, DriveCommand, SafetyState
from robot.drive.loop import Tick, drive
from robot.teleop.helm import Helm, StickPosition
from robot.teleop.settings import TeleopSettings
from robot.teleop.switch import Wish

AHEAD = StickPosition(throttle=1.0)
CENTRE = StickPosition()


@dataclass
class Clock:
    time_s: float = 10.0

    def __call__(self) -> float:
        return self.time_s


@pytest.fixture
def clock() -> Clock:
    return Clock()


def helm(clock: Clock, *, autopilot: bool) -> Helm:
    return Helm(TeleopSettings(max_speed_mps=0.5, max_curvature_1pm=4.0), autopilot=autopilot, now_s=clock)


@pytest.mark.parametrize("bad", [{"steering": nan}, {"throttle": 1.5}, {"steering": -1.01}, {"throttle": float("inf")}])
def test_a_position_off_the_stick_is_refused(bad: dict[str, float]) -> None:
    with pytest.raises(InputError, match="must be a number from -1 to 1"):
        StickPosition(**bad)


def test_nobody_at_the_stick_is_a_lost_link_only_where_nothing_else_drives(clock: Clock) -> None:
    alone = helm(clock, autopilot=False).read(driving=True)
    assert (alone.command, alone.link_ok) == (STAND_STILL, False)
    shared = helm(clock, autopilot=True).read(driving=True)
    assert (shared.command, shared.link_ok) == (None, True)


def test_the_stick_means_speed_and_curvature_and_less_backwards(clock: Clock) -> None:
    stick = helm(clock, autopilot=False)
    assert stick.claim("a")
    assert stick.hold("a", StickPosition(steering=0.5, throttle=1.0))
    assert stick.read(driving=True).command == DriveCommand(curvature_1pm=2.0, speed_mps=0.5)
    stick.hold("a", StickPosition(throttle=-1.0))
    assert stick.read(driving=True).command == DriveCommand(speed_mps=-0.3)


def test_silence_is_a_lost_link_after_300_ms_with_the_wheels_still_turned(clock: Clock) -> None:
    stick = helm(clock, autopilot=False)
    stick.claim("a")
    stick.hold("a", StickPosition(steering=1.0, throttle=1.0))
    clock.time_s += 0.29
    assert stick.read(driving=True).link_ok
    clock.time_s += 0.02
    lost = stick.read(driving=True)
    assert not lost.link_ok
    assert lost.command == DriveCommand(curvature_1pm=4.0)


def test_a_position_that_was_heard_long_ago_does_not_count_from_now(clock: Clock) -> None:
    stick = helm(clock, autopilot=False)
    stick.claim("a")
    stick.hold("a", AHEAD, heard_s=clock.time_s - 1.0)
    assert not stick.read(driving=True).link_ok


def test_who_asks_late_was_not_heard_just_now(clock: Clock) -> None:
    stick = helm(clock, autopilot=False)
    stick.claim("a", heard_s=clock.time_s - 0.4)
    assert not stick.read(driving=True).link_ok
    stick.claim("a", heard_s=clock.time_s + 5)
    clock.time_s += 0.4
    assert not stick.read(driving=True).link_ok, "nobody was heard in the future"


def test_one_driver_at_a_time(clock: Clock) -> None:
    stick = helm(clock, autopilot=False)
    assert stick.claim("a")
    assert not stick.claim("b")
    assert not stick.hold("b", AHEAD)
    stick.hold("a", CENTRE)
    assert stick.read(driving=True).driver == "a"
    clock.time_s += 0.5
    assert not stick.claim("b"), "not while it drives, however silent a is"
    stick.read(driving=False)
    assert stick.claim("b")
    assert not stick.hold("a", AHEAD)
    stick.leave("a")
    assert stick.read(driving=False).driver == "b"


def test_a_driver_who_vanished_is_forgotten_once_the_robot_stands(clock: Clock) -> None:
    stick = helm(clock, autopilot=True)
    stick.claim("a")
    clock.time_s += 2.0
    assert not stick.read(driving=True).link_ok
    assert stick.read(driving=False).link_ok


def test_touching_the_stick_takes_over_and_leaving_it_alone_gives_back(clock: Clock) -> None:
    stick = helm(clock, autopilot=True)
    stick.claim("a")
    stick.hold("a", StickPosition(steering=0.05))
    assert stick.read(driving=True).command is None
    stick.hold("a", StickPosition(steering=0.5))
    assert stick.read(driving=True).command == DriveCommand(curvature_1pm=2.0)
    for _ in range(6):
        clock.time_s += 0.1
        stick.hold("a", CENTRE)
        assert stick.read(driving=True).command == STAND_STILL
    for _ in range(2):
        clock.time_s += 0.1
        stick.hold("a", CENTRE)
    assert stick.read(driving=True).command is None


@dataclass
class ArmOnce:
    """A switch that asks for arming at its first round."""

    name: str = "the test"
    asked: bool = field(default=False)

    def read(self, *, driving: bool) -> Wish:
        wish, self.asked = (Wish.NOTHING if self.asked else Wish.ARM), True
        return wish

    def __enter__(self) -> ArmOnce:
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing is open."""


@dataclass
class Drive:
    """A loop of fakes in which ``person`` acts before each pass."""

    autopilot: bool
    person: Callable[[int, Helm], None]
    passes: int = 60
    bench: Bench = field(default_factory=Bench)

    def run(self) -> list[Tick]:
        kept, bench = Kept(), self.bench
        self.helm = helm = Helm(TeleopSettings(), autopilot=self.autopilot, now_s=bench.clock.now_s)
        helm.claim("a")
        bench.estimator.took = lambda: self.person(bench.estimator.calls, helm)
        bench.camera.count = self.passes
        rig = replace(bench.rig(), helm=helm)
        drive(rig, kept, timer=bench.timer, auto_arm=False, switches=[ArmOnce()])
        return kept.ticks


def test_a_person_drives_without_a_line_and_the_autopilot_is_not_heard() -> None:
    ticks = Drive(autopilot=False, person=lambda n, stick: stick.hold("a", AHEAD if n > 20 else CENTRE) and None,
                  bench=Bench()).run()  # fmt: skip
    assert ticks[-1].verdict.state is SafetyState.ARMED
    assert ticks[-1].by_hand == DriveCommand(speed_mps=0.4)
    assert ticks[-1].verdict.command == DriveCommand(speed_mps=0.4)
    assert not ticks[-1].health.needs_line
    assert all(tick.wheels == STANDING for tick in ticks[:20])


def test_a_stick_that_is_not_at_rest_does_not_arm() -> None:
    ticks = Drive(autopilot=False, person=lambda _, stick: stick.hold("a", AHEAD) and None).run()
    assert {tick.verdict.state for tick in ticks} == {SafetyState.DISARMED}
    assert {tick.wheels for tick in ticks} == {STANDING}


@pytest.mark.parametrize("autopilot", [False, True])
def test_a_driver_who_vanishes_stops_the_robot(autopilot: bool) -> None:
    def person(number: int, stick: Helm) -> None:
        if number <= 30:
            stick.hold("a", AHEAD if number > 10 else CENTRE)

    run = Drive(autopilot=autopilot, person=person, passes=100)
    ticks = run.run()
    moving = [tick for tick in ticks if tick.wheels != STANDING]
    # 300 ms of silence, then 300 ms of ramp, and a pass.
    assert moving[-1].now_s <= ticks[29].now_s + 0.65
    assert ticks[-1].verdict.state is SafetyState.STOPPED
    assert Cause.LINK_LOST in ticks[-1].verdict.causes


def test_shared_control_is_recorded_as_a_correction_and_the_pilot_learns_what_was_driven() -> None:
    left = StickPosition(steering=1.0, throttle=0.5)

    def person(number: int, stick: Helm) -> None:
        stick.hold("a", left if 30 <= number < 40 else CENTRE)

    run = Drive(autopilot=True, person=person, passes=90)
    ticks = run.run()
    corrected = [index for index, tick in enumerate(ticks) if tick.by_hand is not None]
    assert corrected[0] == 29
    assert corrected == list(range(29, corrected[-1] + 1))
    assert ticks[35].by_hand == DriveCommand(curvature_1pm=8.0, speed_mps=0.2)
    assert ticks[35].decision.command == run.bench.pilot.command, "what the autopilot wanted is kept beside it"
    assert isinstance(ticks[35].wheels, DifferentialCommand)
    assert ticks[35].wheels.left < ticks[35].wheels.right
    assert all(was_limited for _, was_limited in run.bench.pilot.told[29 : corrected[-1]])
    assert ticks[-1].verdict.command == run.bench.pilot.command


def test_every_hand_over_is_told_once_with_its_reason(clock: Clock) -> None:
    stick = helm(clock, autopilot=True)

    def news() -> str:
        return stick.read(driving=True).hand_over

    assert news() == ""
    stick.claim("page 1")
    assert (news(), news()) == ("page 1 has the stick", "")
    stick.hold("page 1", AHEAD)
    assert (news(), news()) == ("page 1 moved the stick", "")
    for _ in range(5):
        clock.time_s += 0.2
        stick.hold("page 1", CENTRE)
    assert news() == "page 1 let go for 0.7 s"
    clock.time_s += 0.4
    assert (news(), news()) == ("page 1 is not heard any more", "")
    stick.hold("page 1", CENTRE)
    assert news() == "page 1 is heard again"
    stick.leave("page 1")
    assert (news(), news()) == ("page 1 left the stick", "")
