from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator
from dataclasses import dataclass, field, fields, replace
from threading import Event

import numpy as np
import pytest

from control.errors import CameraError, CameraStalled, MotorError
from control.messages import STAND_STILL, Cause, DifferentialCommand, DriveCommand, SafetyState, WheelCommand
from control.mixing import DifferentialMixer
from robot.cameras.source import Frame
from robot.drive.cycle_timer import CycleTimer
from robot.drive.loop import Rig, Tick, drive
from robot.teleop.switch import Wish
from tests.robot.fakes import PERIOD_S, STANDING, Bench, FakeCamera, FakeMotors, Kept


def run(bench: Bench, *, until: int = 10**9, **how: object) -> tuple[list[Tick], tuple[Cause, ...]]:
    ticks: list[Tick] = []

    def record(tick: Tick) -> bool:
        ticks.append(tick)
        return len(ticks) < until

    causes = drive(bench.rig(), record, timer=bench.timer, **how)  # type: ignore[arg-type]
    return ticks, causes


def speeds(bench: Bench) -> list[float]:
    return [w.left + w.right for _, w in bench.motors.written if isinstance(w, DifferentialCommand)]


def test_drives_and_ends_with_the_recording_and_the_motors_stopped_and_closed() -> None:
    bench = Bench()
    bench.camera.count = 30
    ticks, causes = run(bench)
    assert len(ticks) == 30
    assert causes == ()
    assert max(speeds(bench)) > 0.5
    assert bench.motors.last == STANDING
    assert bench.motors.closed
    assert bench.camera.closed
    assert bench.supervisor.state is SafetyState.DISARMED


def test_nothing_but_standing_is_written_before_it_is_armed() -> None:
    bench = Bench()
    ticks, _ = run(bench, until=2)
    assert bench.motors.written[0][1] == STANDING
    assert ticks[0].wheels == STANDING
    assert ticks[0].verdict.state is SafetyState.DISARMED
    assert ticks[1].verdict.state is SafetyState.ARMED


def test_never_arms_by_itself_when_told_not_to() -> None:
    bench = Bench()
    run(bench, until=20, auto_arm=False)
    assert not any(speeds(bench))


def test_ends_when_the_recorder_says_so() -> None:
    ticks, _ = run(Bench(), until=7)
    assert len(ticks) == 7


def test_ends_when_interrupted_and_stops() -> None:
    bench = Bench()
    ticks, causes = run(bench, interrupted=lambda: bench.estimator.calls >= 5)
    assert len(ticks) == 5
    assert causes == ()
    assert bench.motors.last == STANDING


def test_the_pilot_forgets_the_last_drive_first() -> None:
    bench = Bench()
    run(bench, until=1)
    assert bench.pilot.resets == 1


def test_stops_when_the_recorder_fails() -> None:
    bench = Bench()

    def fail(tick: Tick) -> bool:
        if tick.verdict.command.speed_mps > 0.2:
            raise OSError("disk full")
        return True

    with pytest.raises(OSError, match="disk full"):
        drive(bench.rig(), fail, timer=bench.timer)
    assert max(speeds(bench)) > 0
    assert bench.motors.last == STANDING


def test_stops_when_the_network_fails() -> None:
    bench = Bench()

    def fail() -> None:
        if bench.estimator.calls == 10:
            raise RuntimeError("broken network")

    bench.estimator.took = fail
    with pytest.raises(RuntimeError, match="broken network"):
        run(bench)
    assert bench.motors.last == STANDING
    assert bench.supervisor.state is SafetyState.DISARMED


def test_one_refused_write_is_tried_again_in_the_same_pass() -> None:
    bench = Bench()
    bench.motors.refused = (10,)
    ticks, causes = run(bench, until=20)
    assert len(ticks) == 20
    assert causes == ()
    assert bench.motors.writes == 21


def test_two_refused_writes_end_the_drive_with_a_stop() -> None:
    bench = Bench()
    bench.motors.refused = (10, 11)
    with pytest.raises(MotorError):
        run(bench)
    assert bench.motors.last == STANDING
    assert bench.motors.closed


def test_a_dead_camera_stops_the_motors_at_once() -> None:
    bench = Bench()
    bench.camera.count, bench.camera.then = 20, "die"
    with pytest.raises(CameraError, match="died"):
        run(bench)
    died_s = bench.clock.time_s
    assert bench.motors.last == STANDING
    assert bench.motors.written[-1][0] == died_s


def test_a_stalled_camera_is_slowed_down_and_then_stopped_within_a_quarter_second() -> None:
    bench = Bench()
    bench.camera.count, bench.camera.then = 30, "stall"
    kept = Kept()
    with pytest.raises(CameraStalled):
        drive(bench.rig(), kept, timer=bench.timer)
    ticks = kept.ticks
    last_frame_s = 100.0 + 30 * PERIOD_S
    blind = [tick for tick in ticks if tick.frame is None]
    assert 0.1 < blind[0].now_s - last_frame_s < 0.11
    assert blind[0].verdict.state is SafetyState.RAMPING
    assert blind[1].verdict.command.speed_mps < ticks[29].verdict.command.speed_mps
    assert blind[-1].verdict.state is SafetyState.STOPPED
    stopped_s = next(t for t, w in bench.motors.written if t > last_frame_s and w == STANDING)
    assert stopped_s - last_frame_s < 0.255
    asked = [tick.verdict.command.speed_mps for tick in blind]
    assert asked == sorted(asked, reverse=True)


def test_a_short_stall_is_survived() -> None:
    bench = Bench()
    bench.camera.count, bench.camera.then = 20, "stall"
    ticks: list[Tick] = []

    def record(tick: Tick) -> bool:
        ticks.append(tick)
        if tick.frame is None:
            bench.camera.count, bench.camera.then = 60, "end"
        return True

    assert drive(bench.rig(), record, timer=bench.timer) == ()
    assert sum(tick.frame is None for tick in ticks) == 1
    assert ticks[-1].verdict.state is SafetyState.ARMED


@dataclass
class AskedCamera(FakeCamera):
    """Keeps how long it was given for a frame."""

    asked_s: list[float] = field(default_factory=list)

    def frames(self, *, timeout_s: float) -> Iterator[Frame]:
        self.asked_s.append(timeout_s)
        yield from super().frames(timeout_s=timeout_s)


def test_after_a_stall_a_frame_has_its_usual_time_again() -> None:
    bench = Bench()
    bench.camera = camera = AskedCamera(bench.clock, count=20, then="stall")

    def record(tick: Tick) -> bool:
        if tick.frame is None:
            camera.count, camera.then = 60, "end"
        return True

    assert drive(bench.rig(), record, timer=bench.timer) == ()
    usual_s, stalled_s, again_s = camera.asked_s
    assert usual_s == again_s == pytest.approx(0.101)
    assert stalled_s == pytest.approx(0.025)


@dataclass
class FastCamera(FakeCamera):
    """Of which the loop gets every other frame that it wanted."""

    def frames(self, *, timeout_s: float) -> Iterator[Frame]:
        for frame in super().frames(timeout_s=timeout_s):
            yield replace(frame, index=2 * frame.index)


def test_frames_that_were_wanted_and_missed_are_known_to_the_supervisor() -> None:
    bench = Bench()
    bench.camera = FastCamera(bench.clock, count=60, period_s=2 * PERIOD_S)
    ticks, causes = run(bench)
    assert ticks[-1].health.dropped_fraction == pytest.approx(0.5, abs=0.02)
    assert causes == (Cause.FRAMES_DROPPED,)


def test_a_rig_decides_thirty_times_a_second_unless_told_otherwise() -> None:
    rig = Bench().rig()
    parts = {part.name: getattr(rig, part.name) for part in fields(rig) if part.name != "period_s"}
    assert Rig(**parts).period_s == pytest.approx(1 / 30)


def test_a_pass_is_timed_without_the_wait_for_its_frame() -> None:
    bench = Bench()
    bench.timer = CycleTimer(period_s=PERIOD_S, now_s=bench.clock.now_s)
    bench.camera.count = 25
    run(bench)
    assert bench.timer.summary().sections_p99_ms["see"] == 0.0


def test_a_camera_that_never_starts_is_an_error_not_an_endless_wait() -> None:
    bench = Bench()
    bench.camera.count, bench.camera.then = 0, "stall"
    with pytest.raises(CameraStalled):
        run(bench)
    assert not any(speeds(bench))


def test_a_lost_line_ends_the_drive_with_its_cause() -> None:
    bench = Bench()
    bench.estimator.blind = lambda call: call > 30
    ticks, causes = run(bench)
    assert Cause.LINE_LOST in causes
    assert ticks[-1].verdict.state is SafetyState.STOPPED
    lost_s = ticks[30].now_s
    still = next(tick for tick in ticks[30:] if tick.wheels == STANDING)
    assert still.now_s - lost_s <= 0.5


def test_motors_that_are_not_there_go_on_after_a_lost_line() -> None:
    bench = Bench()
    bench.camera.count = 300
    bench.estimator.blind = lambda call: 30 < call <= 100
    ticks, causes = run(bench, rearm=True)
    assert causes == ()
    assert len(ticks) == 300
    states = [tick.verdict.state for tick in ticks]
    assert SafetyState.STOPPED in states
    assert states[-1] is SafetyState.ARMED


def test_a_line_that_the_pilot_cannot_use_counts_as_lost() -> None:
    bench = Bench()
    bench.pilot.command = STAND_STILL
    ticks, causes = run(bench)
    assert ticks[0].estimate.confidence == 1.0
    assert causes == (Cause.LINE_LOST,)


def test_tells_why_it_does_not_start() -> None:
    bench = Bench()
    bench.camera.image = lambda _: np.zeros((32, 32, 3), np.uint8)
    ticks, causes = run(bench)
    assert Cause.PICTURE_BAD in causes
    assert 4.9 < ticks[-1].now_s - ticks[0].now_s < 5.2
    assert not any(speeds(bench))


def test_a_command_that_is_no_number_never_reaches_the_wheels() -> None:
    bench = Bench()
    bench.pilot.command = DriveCommand(curvature_1pm=float("nan"), speed_mps=0.4)
    _, causes = run(bench)
    assert Cause.NOT_FINITE in causes
    assert all(np.isfinite(speeds(bench)))


def test_the_pilot_is_told_what_was_really_driven_and_whether_it_was_limited() -> None:
    bench = Bench()
    ticks, _ = run(bench, until=60)
    assert [command for command, _ in bench.pilot.told] == [tick.verdict.command for tick in ticks]
    # Starts limited by the supervisor's acceleration, ends free.
    assert bench.pilot.told[1][1]
    assert not bench.pilot.told[-1][1]


def test_the_pilot_is_told_when_the_mixer_limits() -> None:
    bench = Bench()
    # The outer wheel would have to turn faster than its top speed of 0.9 m/s.
    bench.pilot.command = DriveCommand(curvature_1pm=10.0, speed_mps=0.7)
    ticks, _ = run(bench, until=90)
    assert not ticks[-1].verdict.was_limited
    assert bench.pilot.told[-1][1]


def test_the_pilot_learns_when_the_picture_was_taken_and_what_time_it_is_after_the_network() -> None:
    bench = Bench()

    def think() -> None:
        bench.clock.time_s += 0.010

    bench.estimator.took = think
    ticks, _ = run(bench, until=3)
    exposed_s, now_s, _ = bench.pilot.asked[0]
    assert exposed_s == pytest.approx(100.0 + PERIOD_S - 0.04)
    assert now_s == pytest.approx(100.0 + PERIOD_S + 0.010)
    assert ticks[0].exposed_s == exposed_s
    assert ticks[0].now_s == now_s
    assert ticks[0].health.frame_age_s == pytest.approx(0.010)


def test_of_a_camera_at_60_a_second_every_other_frame_is_used() -> None:
    bench = Bench()
    bench.camera.period_s, bench.camera.count = PERIOD_S / 2, 120
    ticks, causes = run(bench)
    assert causes == ()
    assert len(ticks) == pytest.approx(60, abs=1)
    assert ticks[-1].health.dropped_fraction == 0.0
    assert [dt for *_, dt in bench.pilot.asked[1:]] == pytest.approx([PERIOD_S] * (len(ticks) - 1))


def test_ticks_can_be_kept_without_their_pictures() -> None:
    ticks, _ = run(Bench(), until=1)
    assert ticks[0].frame is not None
    assert ticks[0].without_picture().frame is None
    assert replace(ticks[0].without_picture(), frame=ticks[0].frame).now_s == ticks[0].now_s


def test_each_pass_is_timed() -> None:
    bench = Bench()
    bench.camera.count = 25
    run(bench)
    summary = bench.timer.summary()
    assert summary.passes == 25
    assert set(summary.sections_p99_ms) == {"see", "decide", "check", "write", "record"}


@dataclass
class PressedAt:
    """A switch that is let go until the bench's clock is there; then it is pressed, once."""

    now: Event = field(default_factory=Event)
    told: Event = field(default_factory=Event)
    name: str = "a button"

    def read(self, *, driving: bool) -> Wish:
        if self.now.is_set():
            self.told.set()
            return Wish.STOP
        return Wish.NOTHING

    def __enter__(self) -> PressedAt:
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing is open."""


class SlowMixer:
    """Somebody presses stop while it works for the tenth time: after the supervisor's look, before the write."""

    def __init__(self, motors: FakeMotors, button: PressedAt) -> None:
        self._mixer = DifferentialMixer()
        self._motors, self._button, self._calls = motors, button, 0

    def wheels(self, command: DriveCommand) -> tuple[WheelCommand, bool]:
        self._calls += 1
        if self._calls == 10:
            written = len(self._motors.written)
            self._button.now.set()
            assert self._button.told.wait(5.0)
            assert any(len(self._motors.written) > written or Event().wait(0.01) for _ in range(500))
        return self._mixer.wheels(command)


def test_a_press_just_before_a_write_is_the_last_word() -> None:
    bench, button = Bench(), PressedAt()
    bench.camera.count = 30
    ticks: list[Tick] = []
    rig = replace(bench.rig(), mixer=SlowMixer(bench.motors, button))
    causes = drive(rig, Kept(ticks), timer=bench.timer, switches=[button])
    assert causes == (Cause.EMERGENCY_STOP,)
    assert ticks[8].wheels != STANDING
    assert ticks[9].verdict.command.speed_mps > 0
    assert ticks[9].wheels == STANDING
    assert bench.motors.written[-1][1] == STANDING


class Loop:
    """Only the collector frees it."""

    def __init__(self) -> None:
        self.itself = self


def test_what_a_pass_dropped_is_freed_before_the_next_and_nothing_is_collected_within_one() -> None:
    bench = Bench()
    dropped: list[weakref.ref[Loop]] = []
    alive: list[int] = []

    def record(tick: Tick) -> bool:
        alive.append(sum(one() is not None for one in dropped))
        dropped.append(weakref.ref(Loop()))
        assert dropped[-1]() is not None
        return len(dropped) < 20

    drive(bench.rig(), record, timer=bench.timer)
    assert len(alive) == 20
    assert not any(alive)
    assert gc.isenabled()
