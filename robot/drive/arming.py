"""Who arms, when, and what ends a drive that is not armed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from control.messages import Cause, SafetyState
from control.supervisor import SafetySupervisor
from robot.drive.tick import Tick
from robot.teleop.emergency import EmergencyStop

DRIVING = (SafetyState.ARMED, SafetyState.RAMPING)
_WITHIN_S = 5.0
"""Longer than this nobody wants to look at a robot that does not start, or at a camera that shows nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Words:
    ready: str
    armed: str
    again: str


_KEYS = _Words(ready="ready: Enter drives, any key stops", armed="armed: any key stops", again="Enter goes on")
_NO_KEYS = _Words(ready="ready: drives when it is armed", armed="armed", again="arm it to go on")
"""Nobody sits at a terminal: the page and a gamepad say themselves what arms and what stops."""


class Arming:
    """``auto`` arms by itself, once; otherwise somebody at a switch arms, and again after each stop.

    ``rearm`` goes on by itself after a stop, but never after an emergency stop.
    """

    def __init__(
        self, supervisor: SafetySupervisor, emergency: EmergencyStop, *, auto: bool, rearm: bool, began_s: float,
        tell: Callable[[str], None],
    ) -> None:  # fmt: skip
        self._supervisor, self._emergency, self._tell = supervisor, emergency, tell
        self._auto, self._rearm, self._began_s = auto, rearm, began_s
        self._words = _KEYS if emergency.has_keys else _NO_KEYS
        self._told = ""

    def after(self, tick: Tick) -> tuple[Cause, ...]:
        """Arm when that is wanted and nothing speaks against it; what ends the drive, if anything does."""
        supervisor = self._supervisor
        if supervisor.state not in DRIVING:
            ended = self._by_itself(tick) if self._auto else self._on_request(tick)
            if ended:
                return ended
        else:
            # A wish to arm what drives means nothing; kept, it would undo the next stop.
            self._emergency.take_arming()
        self._emergency.driving = supervisor.state in DRIVING
        return ()

    def _by_itself(self, tick: Tick) -> tuple[Cause, ...]:
        causes = tick.verdict.causes
        if self._supervisor.state is SafetyState.STOPPED:
            if not self._rearm or Cause.EMERGENCY_STOP in causes:
                return causes
            self._supervisor.disarm()
            return ()
        obstacles = self._supervisor.arm()
        late = tick.now_s - self._began_s > _WITHIN_S
        return obstacles if late and not self._rearm else ()

    def _on_request(self, tick: Tick) -> tuple[Cause, ...]:
        """The drive goes on disarmed or stopped until somebody asks, unless there is nothing more to see."""
        causes = tick.verdict.causes
        stopped = self._supervisor.state is SafetyState.STOPPED
        dark_s = min(tick.health.frame_age_s, tick.now_s - self._began_s)
        # A camera that is being opened again may yet come back, to a robot that stands until somebody arms it.
        if Cause.CAMERA_STALLED in causes and tick.health.camera_ok and dark_s > _WITHIN_S:
            return causes
        # A wish that this pass did not yet know of is asked again after the next; until then nothing is to be said.
        if not tick.health.emergency_stop and self._emergency.take_arming():
            obstacles = self._supervisor.arm()
            self._say(f"not armed: {_said(obstacles)}" if obstacles else self._words.armed)
        elif stopped and not (tick.health.emergency_stop and not self._emergency.pressed):
            by = f" ({self._emergency.by})" if self._emergency.by else ""
            self._say(f"stopped: {_said(causes)}{by}; {self._words.again}, ^C ends")
        elif causes == (Cause.NOT_ARMED,) and not self._told:
            self._say(self._words.ready)
        return ()

    def _say(self, text: str) -> None:
        if text != self._told:
            self._told = text
            self._tell(text)


def _said(causes: tuple[Cause, ...]) -> str:
    return ", ".join(cause.value for cause in causes)
