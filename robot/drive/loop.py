"""The loop: read, decide, check, write, record. The simulator runs this very loop."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from control.errors import CameraStalled, MotorError
from control.messages import STAND_STILL, Cause, Decision, Health, LineEstimate, SafetyState, Verdict, WheelCommand
from control.mixing import Mixer
from control.pilot import Pilot
from control.supervisor import SafetySupervisor
from perception.estimator import Estimator
from robot.cameras.source import Camera, Frame
from robot.drive.clock import Clock
from robot.drive.cycle_timer import CycleTimer
from robot.drive.health import HealthMonitor
from robot.motors.driver import Motors

_STALL_S = 0.25


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Tick:
    """All that one pass saw and did."""

    frame: Frame
    now_s: float
    exposed_s: float
    estimate: LineEstimate
    decision: Decision
    verdict: Verdict
    wheels: WheelCommand


@dataclass(frozen=True, slots=True, kw_only=True)
class Rig:
    """The parts of one robot, real or simulated."""

    camera: Camera
    motors: Motors
    clock: Clock
    estimator: Estimator
    pilot: Pilot
    supervisor: SafetySupervisor
    mixer: Mixer
    camera_delay_s: float
    """From exposure to arrival of a frame."""
    period_s: float = 1 / 30


Recorder = Callable[[Tick], bool]
"""Is given each tick; answers whether to go on."""


def drive(rig: Rig, record: Recorder, *, timer: CycleTimer, auto_arm: bool = True) -> tuple[Cause, ...]:
    """Drive until the recorder says no or the camera ends. Always ends with the motors stopped.

    Returns the causes when the supervisor stopped the drive. Raises CameraError, MotorError.
    """
    rig.pilot.reset()
    with rig.camera as camera, rig.motors:
        try:
            return _passes(rig, camera, record, timer=timer, auto_arm=auto_arm)
        finally:
            rig.supervisor.disarm()
            rig.motors.stop()


def _passes(rig: Rig, camera: Camera, record: Recorder, *, timer: CycleTimer, auto_arm: bool) -> tuple[Cause, ...]:
    monitor = HealthMonitor()
    last_s: float | None = None
    try:
        for frame in camera.frames(timeout_s=_STALL_S):
            timer.begin()
            now_s = rig.clock.now_s()
            dt_s = rig.period_s if last_s is None else now_s - last_s
            last_s = now_s
            tick = _one_pass(rig, frame, monitor, timer=timer, now_s=now_s, dt_s=dt_s)
            timer.end()
            if auto_arm and rig.supervisor.state is SafetyState.DISARMED:
                rig.supervisor.arm()
            go_on = record(tick)
            if rig.supervisor.state is SafetyState.STOPPED:
                return tick.verdict.causes
            if not go_on:
                return ()
    except CameraStalled:
        rig.motors.stop()
        raise
    return ()


def _one_pass(rig: Rig, frame: Frame, monitor: HealthMonitor, *, timer: CycleTimer, now_s: float, dt_s: float) -> Tick:
    exposed_s = frame.stamp_s - rig.camera_delay_s
    started_s = timer.now_s()
    estimate = rig.estimator.estimate(frame.image)
    timer.estimated(started_s=started_s)
    decision = rig.pilot.decide(estimate, exposed_s=exposed_s, now_s=now_s, dt_s=dt_s)
    health = monitor.read(frame, now_s=now_s, exposed_s=exposed_s, confidence=estimate.confidence)
    verdict = _checked(rig.supervisor, decision, health, dt_s=dt_s)
    wheels, mixer_limited = rig.mixer.wheels(verdict.command)
    _write(rig.motors, wheels)
    rig.pilot.applied(verdict.command, now_s=now_s, was_limited=verdict.was_limited or mixer_limited)
    return Tick(
        frame=frame, now_s=now_s, exposed_s=exposed_s, estimate=estimate, decision=decision, verdict=verdict, wheels=wheels
    )


def _checked(supervisor: SafetySupervisor, decision: Decision, health: Health, *, dt_s: float) -> Verdict:
    """Before arming the pilot's wish is not a command yet: arming wants to see neutral."""
    driving = supervisor.state in (SafetyState.ARMED, SafetyState.RAMPING)
    return supervisor.check(decision.command if driving else STAND_STILL, health, dt_s=dt_s)


def _write(motors: Motors, wheels: WheelCommand) -> None:
    """One retry in the same pass; then it is the motors that failed."""
    try:
        motors.apply(wheels)
    except MotorError:
        motors.apply(wheels)
