"""A drive whose camera dies or freezes: the wheels stop, and only somebody who arms sets them going again."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from time import monotonic

import pytest

from control.errors import CameraLost
from control.messages import Cause, SafetyState
from robot.cameras.gst_launch import GstLaunch
from robot.cameras.latest import LatestFrameCamera
from robot.cameras.source import Device, Frame
from robot.drive.clock import MonotonicClock
from robot.drive.loop import Rig, Tick, drive
from robot.teleop.switch import Wish
from tests.robot.fakes import STANDING, Bench, FakeCamera, Kept
from tests.robot.gst_tool import needs_gst_launch

LIVE = (
    "videotestsrc is-live=true ! video/x-raw,width=64,height=48,framerate=30/1 ! videoconvert ! video/x-raw,format=BGR"
)
PATIENCE_S = 30.0


@dataclass
class CameraThatComesBack(FakeCamera):
    """After ``count`` frames it is lost for ``lost_s``."""

    lost_s: float = 1.0
    lost_since_s: float | None = None

    def frames(self, *, timeout_s: float) -> Iterator[Frame]:
        while True:
            if self.given >= self.count:
                told = self.lost_since_s is not None
                self.lost_since_s = self.lost_since_s or self.clock.time_s
                if self.clock.time_s - self.lost_since_s < self.lost_s:
                    self.clock.time_s += timeout_s if told else 0.0
                    raise CameraLost("the fake camera is being opened again")
            self.clock.time_s += self.period_s
            self.given += 1
            yield Frame(image=self.image(self.given), stamp_s=self.clock.time_s, index=self.given)


@dataclass
class Operator:
    """A switch that wishes to arm as long as ``wants`` says so."""

    wants: Callable[[], bool]
    name: str = "a test"

    def read(self, *, driving: bool) -> Wish:
        return Wish.ARM if not driving and self.wants() else Wish.NOTHING

    def __enter__(self) -> Operator:
        return self

    def __exit__(self, *_: object) -> None: ...


def lost_bench(*, lost_s: float) -> Bench:
    bench = Bench()
    bench.camera = CameraThatComesBack(bench.clock, count=30, lost_s=lost_s)
    return bench


def test_the_wheels_stop_in_the_very_pass_that_learns_of_the_loss() -> None:
    bench, kept = lost_bench(lost_s=1.0), Kept()
    with pytest.raises(CameraLost, match="opened again"):
        drive(bench.rig(), kept, timer=bench.timer)
    last = kept.ticks[-1]
    assert (last.frame, last.verdict.state, last.wheels) == (None, SafetyState.STOPPED, STANDING)
    assert last.verdict.causes[0] is Cause.CAMERA_DEAD
    assert kept.ticks[-2].verdict.command.speed_mps > 0
    assert last.now_s == kept.ticks[-2].now_s


@pytest.mark.parametrize("lost_s", [0.02, 0.2, 3.0, 60.0])
def test_a_camera_that_comes_back_finds_the_robot_standing(lost_s: float) -> None:
    bench, ticks = lost_bench(lost_s=lost_s), []

    def record(tick: Tick) -> bool:
        ticks.append(tick)
        if len(ticks) == 5:
            bench.supervisor.arm()
        return bench.camera.given < 120

    assert drive(bench.rig(), record, timer=bench.timer, auto_arm=False) == ()
    lost = next(number for number, tick in enumerate(ticks) if tick.frame is None)
    assert ticks[lost - 1].verdict.command.speed_mps > 0
    after = ticks[lost:]
    assert sum(tick.frame is not None for tick in after) > 80
    assert all(tick.verdict.state is SafetyState.STOPPED and tick.wheels == STANDING for tick in after)


def test_once_it_is_back_somebody_may_arm_again() -> None:
    bench, ticks = lost_bench(lost_s=3.0), []

    def record(tick: Tick) -> bool:
        ticks.append(tick)
        if len(ticks) == 5 or bench.camera.given == 60:
            assert bench.supervisor.arm() == ()
        return bench.camera.given < 90

    drive(bench.rig(), record, timer=bench.timer, auto_arm=False)
    assert ticks[-1].verdict.state is SafetyState.ARMED
    assert ticks[-1].verdict.command.speed_mps > 0


def test_nobody_can_arm_while_it_is_gone() -> None:
    bench, refused = lost_bench(lost_s=3.0), []

    def record(tick: Tick) -> bool:
        if tick.frame is None:
            refused.append(bench.supervisor.arm())
        elif tick.frame.index == 5:
            bench.supervisor.arm()
        return bench.camera.given < 60

    drive(bench.rig(), record, timer=bench.timer, auto_arm=False)
    assert len(refused) > 50
    assert all(Cause.CAMERA_DEAD in causes for causes in refused)


@dataclass
class LiveBench(Bench):
    """The real loop in real time with a real child that makes the pictures; only the motors are not there."""

    children: list[GstLaunch] = field(default_factory=list)

    def live_rig(self) -> Rig:
        def opened(given_up: Callable[[], bool]) -> Device:
            self.children.append(GstLaunch(LIVE, name="test", given_up=given_up))
            return self.children[-1]

        rig = self.rig(camera_delay_s=0.0)
        camera = LatestFrameCamera(opened(lambda: False), name="test", reopen=opened, back_off_s=(0.0, 0.1))
        return Rig(
            camera=camera, motors=rig.motors, clock=MonotonicClock(), estimator=rig.estimator, pilot=rig.pilot,
            supervisor=rig.supervisor, mixer=rig.mixer, camera_delay_s=0.0, period_s=rig.period_s,
        )  # fmt: skip


@needs_gst_launch
@pytest.mark.parametrize("fault", [signal.SIGKILL, signal.SIGSTOP], ids=lambda fault: fault.name)
def test_a_child_that_is_killed_or_frozen_stops_the_wheels_until_somebody_arms(fault: signal.Signals) -> None:
    bench, ended_s = LiveBench(), monotonic() + PATIENCE_S
    states: list[SafetyState] = []
    wants_to_drive, faulty, stopped, seen_again = True, False, False, 0

    def record(tick: Tick) -> bool:
        nonlocal wants_to_drive, faulty, stopped, seen_again
        states.append(tick.verdict.state)
        if not faulty and states.count(SafetyState.ARMED) == 10:
            bench.children[-1].process.send_signal(fault)
            faulty, wants_to_drive = True, False
        stopped = stopped or (faulty and states[-1] is SafetyState.STOPPED)
        if stopped and not wants_to_drive:
            assert states[-1] is SafetyState.STOPPED
            assert tick.wheels == STANDING
            seen_again += tick.frame is not None
            wants_to_drive = seen_again >= 5
        return not (wants_to_drive and stopped and states[-1] is SafetyState.ARMED) and monotonic() < ended_s

    operator = Operator(lambda: wants_to_drive)
    drive(bench.live_rig(), record, timer=bench.timer, auto_arm=False, switches=[operator])
    assert len(bench.children) >= 2
    assert seen_again >= 5
    assert states[-1] is SafetyState.ARMED
    assert bench.motors.last == STANDING
