"""Today's pilot, supervisor and mixer, led along a recorded drive tick by tick."""

from __future__ import annotations

from dataclasses import dataclass, replace

from control.messages import (
    NO_LINE,
    STAND_STILL,
    Decision,
    DriveCommand,
    Health,
    LineEstimate,
    SafetyState,
    Verdict,
    WheelCommand,
)
from control.supervisor import SafetySupervisor
from robot.config import RobotConfig
from robot.drive.arming import DRIVING
from robot.drive.pilots import make_mixer, make_pilot
from robot.sessions.session_tick import SessionTick


@dataclass(frozen=True, slots=True, kw_only=True)
class Replayed:
    """What today's code answers where the recorded drive was."""

    estimate: LineEstimate
    looked: bool
    """Whether the picture was looked at anew; else ``estimate`` is the recorded one."""
    see_s: float
    """Computer time of that look."""
    decision: Decision
    health: Health
    verdict: Verdict
    wheels: WheelCommand


class ControlSteps:
    """The vehicle moved as it was recorded, so that is what the pilot is told; the rest of its state is its own.

    Arming and disarming happen when they did in the recording; a stop of its own lasts until then.
    With ``own_motion`` the pilot is told that it moved as it commanded, as in a drive on a video.
    """

    def __init__(self, config: RobotConfig, *, own_motion: bool = False) -> None:
        self._own_motion = own_motion
        self._pilot, self._mixer = make_pilot(config), make_mixer(config)
        self._supervisor = SafetySupervisor(config.supervisor)
        self._pilot.reset()
        self._period_s = 1.0 / config.fps
        self._decision = Decision(command=STAND_STILL)
        self._estimate = NO_LINE
        self._last: SessionTick | None = None
        self._last_stamp_s: float | None = None
        self._trim_then = self._trim_now = 0.0

    def step(self, tick: SessionTick, estimate: LineEstimate | None, *, looked: bool, see_s: float = 0.0) -> Replayed:
        """``estimate`` is None when no frame came in time."""
        self._follow_arming(tick)
        health = self._decide(tick, estimate)
        driving = self._supervisor.state in DRIVING
        wanted = tick.by_hand or (self._decision.command if driving else STAND_STILL)
        verdict = self._supervisor.check(wanted, health, dt_s=self._since_last(tick))
        wheels, mixer_limited = self._mixer.wheels(verdict.command)
        limited = verdict.was_limited or mixer_limited or tick.by_hand is not None
        driven = verdict.command if self._own_motion else self._driven(tick)
        self._pilot.applied(driven, now_s=tick.now_s, was_limited=limited)
        self._last = tick
        return Replayed(
            estimate=self._estimate, looked=looked, see_s=see_s, decision=self._decision, health=health,
            verdict=verdict, wheels=wheels,
        )  # fmt: skip

    def _driven(self, tick: SessionTick) -> DriveCommand:
        """The recorded command, with this pilot's own trim in place of the recorded one.

        A pilot takes its trim off to know how the vehicle turned. With the recorded trim in, a small difference
        between the two would seem to turn the vehicle, and the integrator would run away.
        """
        command = tick.verdict.command
        if tick.decision.target is not None:
            self._trim_then = tick.decision.terms.integral
        if self._decision.target is not None:
            self._trim_now = self._decision.terms.integral
        if self._trim_now == self._trim_then:
            return command
        return replace(command, curvature_1pm=command.curvature_1pm - self._trim_then + self._trim_now)

    def _since_last(self, tick: SessionTick) -> float:
        return tick.now_s - self._last.now_s if self._last is not None else self._period_s

    def _follow_arming(self, tick: SessionTick) -> None:
        before = self._last.verdict.state if self._last is not None else SafetyState.DISARMED
        after, own = tick.verdict.state, self._supervisor
        if self._last is None and after in DRIVING:
            # A piece of a drive: it was armed before the file begins.
            own.check(STAND_STILL, replace(tick.health, frame_age_s=0.0), dt_s=0.0)
        if before is SafetyState.STOPPED and after is not SafetyState.STOPPED:
            own.disarm()
            # As in the loop: what speaks against arming is what the last pass saw.
            own.check(STAND_STILL, self._last.health if self._last is not None else tick.health, dt_s=0.0)
        stopped_at_once = after is SafetyState.STOPPED and not tick.health.emergency_stop
        armed = before not in DRIVING and (after in DRIVING or (before is SafetyState.DISARMED and stopped_at_once))
        if armed:
            own.arm()
        elif after is SafetyState.DISARMED and own.state is not SafetyState.DISARMED:
            own.disarm()

    def _decide(self, tick: SessionTick, estimate: LineEstimate | None) -> Health:
        if estimate is None:
            return tick.health
        dt_s = self._period_s if self._last_stamp_s is None else tick.frame_stamp_s - self._last_stamp_s
        self._last_stamp_s = tick.frame_stamp_s
        self._estimate = estimate
        self._decision = decision = self._pilot.decide(estimate, exposed_s=tick.exposed_s, now_s=tick.now_s, dt_s=dt_s)
        given_up = decision.target is None and decision.command.speed_mps == 0
        return replace(tick.health, line_confidence=0.0 if given_up else estimate.confidence)
