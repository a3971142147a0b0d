"""The frozen records that flow from camera to wheels; frames, signs and units are said here, once.

Vehicle frame (REP-103): x forward, y left, origin on the ground under the middle of the driven axle;
metres, radians, seconds; positive yaw and curvature turn left.
Image points: x right, y down, both in [-1, 1] from the image centre, so y = +1 is the bottom (near) edge.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import Literal, TypeAlias

Target: TypeAlias = Literal["line", "lane"]


@dataclass(frozen=True, slots=True, kw_only=True)
class LinePoint:
    """Where the line crosses one look-ahead row of the image."""

    x: float
    y: float
    visible: float
    """Probability in [0, 1] that the line crosses this row inside the image."""
    spread: float = 0.0
    """Standard deviation of x, in image units."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LineEstimate:
    """What one frame says about the line: K points, ordered near (large y) to far."""

    points: tuple[LinePoint, ...]
    confidence: float
    """In [0, 1]; 0 means "no line", and then nobody may steer by the points."""


NO_LINE = LineEstimate(points=(), confidence=0.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class GroundPoint:
    """A point on the floor in the vehicle frame, metres."""

    x: float
    y: float


@dataclass(frozen=True, slots=True, kw_only=True)
class DriveCommand:
    """What a pilot (follower or human) wants the vehicle to do."""

    curvature_1pm: float = 0.0
    """Path curvature, 1/m, positive to the left."""
    speed_mps: float = 0.0
    """Speed of the vehicle's origin, m/s, positive forward."""


STAND_STILL = DriveCommand()


class SafetyState(Enum):
    """DISARMED -> ARMED <-> RAMPING -> STOPPED (latched until armed again)."""

    DISARMED = "disarmed"
    ARMED = "armed"
    RAMPING = "ramping"
    STOPPED = "stopped"


class Cause(Enum):
    """Why the supervisor limited or stopped; the text is shown to the user."""

    NOT_ARMED = "not armed"
    LINE_LOST = "line lost"
    FRAME_STALE = "frame older than its budget"
    FRAMES_DROPPED = "too many frames dropped"
    PICTURE_BAD = "picture frozen, black or over-exposed"
    CAMERA_STALLED = "no frame from the camera"
    CAMERA_DEAD = "camera died"
    NOT_FINITE = "command is not a finite number"
    EMERGENCY_STOP = "emergency stop"
    MOTORS_FAILED = "motors refused a command"
    LINK_LOST = "operator link lost"
    TOO_HOT = "over temperature"
    BATTERY_LOW = "battery low"
    LIMITED = "command limited"
    LOOP_STALLED = "control loop stalled"
    NOT_NEUTRAL = "command is not neutral"
    NOT_CHECKED = "not checked yet"


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """What the loop knows about itself when it asks the supervisor."""

    frame_age_s: float = 0.0
    """Since the newest frame arrived (not since its exposure)."""
    line_confidence: float = 1.0
    needs_line: bool = True
    """False while a human drives: then a lost line is no reason to stop."""
    camera_ok: bool = True
    picture_ok: bool = True
    """Of the newest frame alone; the supervisor counts bad ones in a row."""
    motors_ok: bool = True
    emergency_stop: bool = False
    link_ok: bool = True
    temperature_c: float | None = None
    cell_voltage_v: float | None = None
    dropped_fraction: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The supervisor's last word: the command that really goes to the mixer."""

    command: DriveCommand
    state: SafetyState
    causes: tuple[Cause, ...] = ()
    was_limited: bool = False
    """True when the command differs from what was asked: freezes the integrator."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DifferentialCommand:
    """Signed duty of the two wheels, each in [-1, 1], positive forward."""

    left: float = 0.0
    right: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class AckermannCommand:
    """Servo and throttle, each in [-1, 1]; positive steering turns left, positive throttle drives forward."""

    steering: float = 0.0
    throttle: float = 0.0


WheelCommand: TypeAlias = DifferentialCommand | AckermannCommand


@dataclass(frozen=True, slots=True, kw_only=True)
class SteeringTerms:
    """How the steering came about, for logs and plots; all in 1/m but the error."""

    error: float = 0.0
    """What the PID regulates, rad: bearing of the target in the vehicle frame, positive left."""
    proportional: float = 0.0
    integral: float = 0.0
    derivative: float = 0.0
    feed_forward: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """A pilot's answer to one frame."""

    command: DriveCommand
    target: LinePoint | None = None
    """The image point that was followed."""
    ground: GroundPoint | None = None
    """The same point on the floor, after latency compensation."""
    terms: SteeringTerms = field(default_factory=SteeringTerms)
    confidence: float = 0.0
