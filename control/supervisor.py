"""The last word: what may reach the wheels, when to ramp down, when to stop and stay stopped.

Every value and every deadline is checked here again, whatever the pilot promised.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from math import inf, isfinite

from control.faults import Severity, SupervisorSettings, Watch, rules
from control.limits import clamp, slew, slew_speed
from control.messages import STAND_STILL, Cause, DriveCommand, Health, SafetyState, Verdict

_DRIVING = (SafetyState.ARMED, SafetyState.RAMPING)


class Request(Enum):
    NONE = "none"
    ARM = "arm"
    DISARM = "disarm"


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """All that the state depends on."""

    request: Request = Request.NONE
    ready: bool = False
    """Nothing speaks against arming."""
    emergency: bool = False
    immediate: bool = False
    soft: bool = False
    out_of_patience: bool = False
    """A soft cause has lasted too long to clear by itself."""


def next_state(state: SafetyState, inputs: Inputs) -> SafetyState:
    """Pure. Only an ARM request that is ready leaves DISARMED or STOPPED for ARMED."""
    if inputs.request is Request.DISARM:
        return SafetyState.DISARMED
    if state not in _DRIVING:
        if inputs.emergency:
            return SafetyState.STOPPED
        may_arm = inputs.request is Request.ARM and inputs.ready and not (inputs.immediate or inputs.soft)
        return SafetyState.ARMED if may_arm else state
    if inputs.emergency or inputs.immediate:
        return SafetyState.STOPPED
    if not inputs.soft:
        return SafetyState.ARMED
    return SafetyState.STOPPED if inputs.out_of_patience else SafetyState.RAMPING


class SafetySupervisor:
    """Call ``check`` on every pass of the loop; only its verdict may reach the mixer."""

    def __init__(self, settings: SupervisorSettings | None = None) -> None:
        self.settings = settings or SupervisorSettings()
        self.state = SafetyState.DISARMED
        self._watches = [Watch(rule) for rule in rules(self.settings)]
        self._last = STAND_STILL
        self._ceiling_mps = 0.0
        self._ramp_mps2 = 0.0
        self._standing_s = inf
        self._not_finite = 0
        self._latched: tuple[Cause, ...] = ()
        self._obstacles: tuple[Cause, ...] = (Cause.NOT_CHECKED,)

    def arm(self) -> tuple[Cause, ...]:
        """Arm on what the last ``check`` saw; returns what speaks against it, nothing when armed."""
        if self.state in _DRIVING:
            return ()
        self.state = next_state(self.state, Inputs(request=Request.ARM, ready=not self._obstacles))
        if self.state is SafetyState.ARMED:
            self._latched = ()
            return ()
        return self._obstacles

    def disarm(self) -> None:
        self.state = next_state(self.state, Inputs(request=Request.DISARM))
        self._latched = ()
        self._obstacles = (Cause.NOT_CHECKED,)

    def emergency_stop(self) -> None:
        """From whatever source, at any time, also before arming."""
        self.state = next_state(self.state, Inputs(emergency=True))
        self._latch((Cause.EMERGENCY_STOP,))
        self._obstacles = (Cause.NOT_CHECKED,)

    def check(self, command: DriveCommand, health: Health, *, dt_s: float) -> Verdict:
        """The command that may be driven; ``dt_s`` since the last check."""
        # A clock that says nothing must not stop a deadline from passing.
        elapsed_s = max(0.0, dt_s) if isfinite(dt_s) else self.settings.patience_s
        finite = isfinite(command.speed_mps) and isfinite(command.curvature_1pm)
        self._not_finite = 0 if finite else self._not_finite + 1
        for watch in self._watches:
            watch.update(health, elapsed_s=elapsed_s)
        immediate, soft = self._causes(finite=finite, dt_s=dt_s)
        self._note_obstacles(command, health, finite=finite)
        self._advance(immediate, soft)
        sent = self._limit(command, finite=finite, elapsed_s=elapsed_s, dt_s=dt_s)
        causes = self._shown(immediate, soft)
        limited = sent != command
        if limited and not causes:
            causes = (Cause.LIMITED,)
        return Verdict(command=sent, state=self.state, causes=causes, was_limited=limited)

    def _causes(self, *, finite: bool, dt_s: float) -> tuple[tuple[Cause, ...], tuple[Cause, ...]]:
        """(immediate, soft)"""
        immediate = [w.rule.cause for w in self._watches if w.active and w.rule.severity is Severity.IMMEDIATE]
        soft = [w.rule.cause for w in self._watches if w.active and w.rule.severity is Severity.SOFT]
        if not finite:
            soft.append(Cause.NOT_FINITE)
        if self._not_finite >= self.settings.not_finite_in_a_row:
            immediate.append(Cause.NOT_FINITE)
        if self.state in _DRIVING and not dt_s <= self.settings.loop_stall_s:
            immediate.append(Cause.LOOP_STALLED)
        return tuple(immediate), tuple(soft)

    def _note_obstacles(self, command: DriveCommand, health: Health, *, finite: bool) -> None:
        """What speaks against arming: here every reading counts at once, and what is active until it has cleared."""
        found = [w.rule.cause for w in self._watches if w.active or w.rule.holds(health)]
        if not finite:
            found.append(Cause.NOT_FINITE)
        elif command.speed_mps != 0:
            found.append(Cause.NOT_NEUTRAL)
        self._obstacles = tuple(dict.fromkeys(found))

    def _advance(self, immediate: tuple[Cause, ...], soft: tuple[Cause, ...]) -> None:
        before = self.state
        inputs = Inputs(
            emergency=Cause.EMERGENCY_STOP in immediate,
            immediate=bool(immediate),
            soft=bool(soft),
            out_of_patience=any(w.out_of_patience for w in self._watches),
        )
        self.state = next_state(before, inputs)
        if self.state is SafetyState.STOPPED:
            # What else comes up while stopped is shown as long as it lasts, but is not why we stopped.
            self._latch(tuple(c for c in immediate + soft if before in _DRIVING or c is Cause.EMERGENCY_STOP))
        if self.state is SafetyState.RAMPING and before is not SafetyState.RAMPING:
            self._ceiling_mps = abs(self._last.speed_mps)
            self._ramp_mps2 = self._ceiling_mps / self.settings.ramp_s

    def _latch(self, causes: tuple[Cause, ...]) -> None:
        self._latched = tuple(dict.fromkeys((*self._latched, *causes)))

    def _shown(self, immediate: tuple[Cause, ...], soft: tuple[Cause, ...]) -> tuple[Cause, ...]:
        first = (Cause.NOT_ARMED,) if self.state is SafetyState.DISARMED else self._latched
        return tuple(dict.fromkeys((*first, *immediate, *soft)))

    def _limit(self, command: DriveCommand, *, finite: bool, elapsed_s: float, dt_s: float) -> DriveCommand:
        s = self.settings
        if self.state not in _DRIVING:
            # How long it has stood decides when the steering centres.
            self._standing_s = elapsed_s + (0.0 if self._last.speed_mps != 0 else self._standing_s)
            held = self._standing_s < s.hold_steering_s
            wanted = DriveCommand(curvature_1pm=self._last.curvature_1pm if held else 0.0)
            speed = 0.0
        else:
            wanted = command if finite else DriveCommand(curvature_1pm=self._last.curvature_1pm)
            speed = self._limit_speed(wanted.speed_mps, elapsed_s=elapsed_s, dt_s=dt_s)
        curvature, _ = clamp(wanted.curvature_1pm, low=-s.max_curvature_1pm, high=s.max_curvature_1pm)
        curvature, _ = slew(
            curvature, previous=self._last.curvature_1pm, rate_per_s=s.max_curvature_rate_1pm_s, dt_s=dt_s
        )
        self._last = DriveCommand(curvature_1pm=curvature, speed_mps=speed)
        return self._last

    def _limit_speed(self, wanted_mps: float, *, elapsed_s: float, dt_s: float) -> float:
        s = self.settings
        speed, _ = clamp(wanted_mps, low=-s.max_speed_mps, high=s.max_speed_mps)
        speed, _ = slew_speed(
            speed, previous=self._last.speed_mps, faster_per_s=s.faster_mps2, slower_per_s=s.slower_mps2, dt_s=dt_s
        )
        if self.state is SafetyState.RAMPING:
            self._ceiling_mps = max(0.0, self._ceiling_mps - self._ramp_mps2 * elapsed_s)
            # The ramp is the promise: it also counts where a long step would not be slewed through.
            speed, _ = clamp(speed, low=-self._ceiling_mps, high=self._ceiling_mps)
        return speed
