"""What a session keeps of one pass of the loop, on its way to the file and back from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from control.messages import Decision, DriveCommand, Health, LineEstimate, Verdict, WheelCommand

Image = NDArray[np.uint8]


@dataclass(frozen=True, slots=True, kw_only=True)
class Jpeg:
    """A picture that is encoded already, and is stored as it is."""

    data: bytes
    width: int
    height: int


Picture: TypeAlias = Image | Jpeg


class Truth(Protocol):
    """What only a simulator knows: where the vehicle's origin really is. Frames and signs as in ``sim/world.py``."""

    @property
    def x(self) -> float: ...
    @property
    def y(self) -> float: ...
    @property
    def heading_rad(self) -> float: ...
    @property
    def speed_mps(self) -> float: ...
    @property
    def lateral_error_m(self) -> float: ...
    @property
    def heading_error_rad(self) -> float: ...
    @property
    def along_m(self) -> float: ...
    @property
    def distance_m(self) -> float: ...
    @property
    def off_line(self) -> bool: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedTruth:
    """A Truth that was read back."""

    x: float
    y: float
    heading_rad: float
    speed_mps: float
    lateral_error_m: float
    heading_error_rad: float
    along_m: float
    distance_m: float
    off_line: bool


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SessionTick:
    """Times are those of the drive's own clock, monotonic seconds."""

    now_s: float
    """When the wheels were commanded."""
    exposed_s: float
    picture: Picture | None
    """None when no frame came in time."""
    frame_index: int
    """The camera's own count; -1 without a picture."""
    frame_stamp_s: float
    """When the frame arrived; 0 without a picture."""
    estimate: LineEstimate
    decision: Decision
    health: Health
    verdict: Verdict
    wheels: WheelCommand
    by_hand: DriveCommand | None = None
    """What a person at the stick wanted in place of ``decision``."""
    hand_over: str = ""
    """Who took or gave back the stick, and why."""
    sections_s: Mapping[str, float] = field(default_factory=dict)
    """How long each section of the pass took, in computer time."""
    truth: Truth | None = None
