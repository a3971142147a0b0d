"""The loop: read, decide, check, write, record. The simulator runs this very loop."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from control.errors import CameraLost, CameraStalled, MotorError
from control.messages import NO_LINE, STAND_STILL, Cause, Decision, Health, LineEstimate
from control.mixing import Mixer
from control.pilot import Pilot
from control.supervisor import SafetySupervisor
from perception.estimator import Estimator
from robot.cameras.source import Camera, Frame
from robot.drive.arming import DRIVING, Arming
from robot.drive.clock import Clock
from robot.drive.cycle_timer import CycleTimer
from robot.drive.garbage import GarbageBetweenPasses
from robot.drive.health import Gauge, HealthMonitor, not_measured
from robot.drive.pacer import Pacer
from robot.drive.tick import Recorder, Tick
from robot.motors.driver import Motors
from robot.teleop.emergency import EmergencyStop
from robot.teleop.helm import NOBODY, Helm
from robot.teleop.switch import Switch

__all__ = ["Recorder", "Rig", "Tick", "drive"]

_STALLED_PASS_S = 0.025
"""While no frame comes, the ramp goes down and the wheels are written this often."""
_JUST_PAST_S = 0.001
"""Wakes up when the frame is too old, not when it is about to be."""


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
    temperature_c: Gauge = not_measured
    cell_voltage_v: Gauge = not_measured
    helm: Helm | None = None
    """Where a person may take over, or drives alone."""


def drive(
    rig: Rig,
    record: Recorder,
    *,
    timer: CycleTimer,
    auto_arm: bool = True,
    rearm: bool = False,
    interrupted: Callable[[], bool] = lambda: False,
    switches: Sequence[Switch] = (),
    tell: Callable[[str], None] = lambda _: None,
) -> tuple[Cause, ...]:
    """Drive until the recorder says no, the camera ends or ``interrupted``. Always ends with the motors stopped.

    With ``auto_arm`` it arms by itself, once, and returns why the supervisor stopped the drive or never let it begin.
    Without, somebody at one of the ``switches`` arms, and again after each stop; ``tell`` is given what to say to them.
    ``rearm`` goes on after a stop as soon as nothing speaks against it, but never after an emergency stop: for motors
    that are not there. Raises CameraError, CameraStalled, MotorError.
    """
    rig.pilot.reset()
    with (
        rig.camera, rig.motors, EmergencyStop(switches, stop=rig.motors.stop) as emergency,
        GarbageBetweenPasses() as garbage,
    ):  # fmt: skip
        try:
            arming = Arming(rig.supervisor, emergency, auto=auto_arm, rearm=rearm, began_s=rig.clock.now_s(), tell=tell)
            loop = _Loop(rig, record, timer=timer, emergency=emergency, garbage=garbage)
            return loop.run(arming, interrupted=interrupted)
        finally:
            rig.supervisor.disarm()
            rig.motors.stop()


class _Loop:
    """The state between two passes."""

    def __init__(
        self, rig: Rig, record: Recorder, *, timer: CycleTimer, emergency: EmergencyStop, garbage: GarbageBetweenPasses
    ) -> None:
        self._rig, self._record, self._timer = rig, record, timer
        self._emergency, self._garbage = emergency, garbage
        self._monitor = HealthMonitor(
            fps=1.0 / rig.period_s, temperature_c=rig.temperature_c, cell_voltage_v=rig.cell_voltage_v,
            emergency_stop=lambda: emergency.pressed,
        )  # fmt: skip
        self._pacer = Pacer(period_s=rig.period_s)
        self._decision = Decision(command=STAND_STILL)
        self._estimate = NO_LINE
        self._exposed_s = self._checked_s = rig.clock.now_s()
        self._stall: CameraStalled | None = None

    def run(self, arming: Arming, *, interrupted: Callable[[], bool]) -> tuple[Cause, ...]:
        for frame in self._arrivals():
            if interrupted():
                return ()
            if frame is not None and not self._pacer.is_due(frame.stamp_s):
                continue
            tick = self._one_pass(frame)
            go_on = self._record(tick)
            self._timer.mark("record")
            self._timer.end()
            self._garbage.collect(driving=self._rig.supervisor.state in DRIVING)
            stopped_by = arming.after(tick)
            if stopped_by and self._stall is not None:
                # A camera that stalls is an error, with the camera's own words.
                raise self._stall
            if stopped_by or not go_on:
                return stopped_by
        return ()

    def _arrivals(self) -> Iterator[Frame | None]:
        """Frames; None stands for one that did not come in time, so that the supervisor sees time pass."""
        patience_s = self._rig.supervisor.settings.frame_age_soft_s + _JUST_PAST_S
        while True:
            timeout_s = patience_s if self._stall is None else _STALLED_PASS_S
            try:
                for frame in self._rig.camera.frames(timeout_s=timeout_s):
                    recovered, self._stall = self._stall is not None, None
                    yield frame
                    if recovered:
                        break
                else:
                    return
            except CameraStalled as stall:
                self._stall = stall
                yield None

    def _one_pass(self, frame: Frame | None) -> Tick:
        rig, timer = self._rig, self._timer
        timer.begin()
        if frame is not None:
            self._exposed_s = frame.stamp_s - rig.camera_delay_s
            self._estimate = rig.estimator.estimate(frame.image)
            timer.mark("see")
        # After the network: what is commanded now acts that much later.
        now_s = rig.clock.now_s()
        health = self._decide(frame, self._estimate, now_s=now_s)
        timer.mark("decide")
        driving = rig.supervisor.state in DRIVING
        helm = NOBODY if rig.helm is None else rig.helm.read(driving=driving)
        health = replace(health, needs_line=helm.command is None, link_ok=helm.link_ok)
        # Before arming the pilot's wish is not a command yet: arming wants to see neutral, also of a stick.
        wanted = helm.command or (self._decision.command if driving else STAND_STILL)
        verdict = rig.supervisor.check(wanted, health, dt_s=now_s - self._checked_s)
        self._checked_s = now_s
        wheels, mixer_limited = rig.mixer.wheels(verdict.command)
        # Where a person drives, the pilot's integrator rests, and its rates go on from what was driven.
        limited = verdict.was_limited or mixer_limited or helm.command is not None
        rig.pilot.applied(verdict.command, now_s=now_s, was_limited=limited)
        timer.mark("check")
        with self._emergency.writing() as pressed:
            if pressed:
                # Since the supervisor looked. It latches that in the next pass.
                wheels, _ = rig.mixer.wheels(STAND_STILL)
            try:
                rig.motors.apply(wheels)
            except MotorError:
                # One retry in the same pass; then it is the motors that failed.
                rig.motors.apply(wheels)
        timer.mark("write")
        return Tick(
            frame=frame, now_s=now_s, exposed_s=self._exposed_s, estimate=self._estimate, decision=self._decision,
            health=health, verdict=verdict, wheels=wheels, by_hand=helm.command,
            hand_over=helm.hand_over,
        )  # fmt: skip

    def _decide(self, frame: Frame | None, estimate: LineEstimate, *, now_s: float) -> Health:
        if frame is None:
            # The last decision holds; the supervisor ramps it down.
            return self._monitor.without_frame(now_s=now_s, camera_ok=not isinstance(self._stall, CameraLost))
        self._decision = decision = self._rig.pilot.decide(
            estimate, exposed_s=self._exposed_s, now_s=now_s, dt_s=self._pacer.dt_s
        )
        # A line that the pilot cannot use, such as one above the horizon, is as lost as one that is not seen.
        given_up = decision.target is None and decision.command.speed_mps == 0
        return self._monitor.read(frame, confidence=0.0 if given_up else estimate.confidence, now_s=now_s)
