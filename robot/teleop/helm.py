"""Who steers by hand, and where the stick is: one latest value, read by the loop and written by whoever listens."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from math import isfinite
from threading import Lock

from control.errors import InputError
from control.limits import clamp
from control.messages import STAND_STILL, DriveCommand
from robot.teleop.settings import TeleopSettings

_CENTRE = 0.1
"""A stick that is moved less than this is not touched."""
_HAND_BACK_S = 0.7
"""A stick that rests at the centre for so long gives the wheel back to the autopilot."""
_MOST_NEWS = 8
_FORGET_S = 1.0
"""A driver who is silent for longer is gone, once the robot stands."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StickPosition:
    """Both in [-1, 1]: positive steers left, positive drives forward. Raises InputError for anything else."""

    steering: float = 0.0
    throttle: float = 0.0

    def __post_init__(self) -> None:
        for name, value in (("steering", self.steering), ("throttle", self.throttle)):
            if not (isfinite(value) and -1.0 <= value <= 1.0):
                raise InputError(f"{name} is {value!r}; it must be a number from -1 to 1")

    @property
    def is_centred(self) -> bool:
        return max(abs(self.steering), abs(self.throttle)) < _CENTRE


@dataclass(frozen=True, slots=True, kw_only=True)
class HelmReading:
    command: DriveCommand | None
    """What the person wants; None while the autopilot drives."""
    link_ok: bool
    """False when there is nobody who could drive, or the one who does went silent."""
    driver: str
    """For messages; empty when there is none."""
    hand_over: str = ""
    """Who drives since the last reading, and why; empty when that did not change."""


NOBODY = HelmReading(command=None, link_ok=True, driver="")


class Helm:
    """One driver at a time. Without ``autopilot`` nothing moves but by hand; with it, touching the stick takes over.

    Safe from any thread; nothing here waits.
    """

    def __init__(
        self, settings: TeleopSettings | None = None, *, autopilot: bool, now_s: Callable[[], float] = time.monotonic
    ) -> None:
        self._settings, self._autopilot, self._now_s = settings or TeleopSettings(), autopilot, now_s
        self._lock = Lock()
        self._driver = ""
        self._position = StickPosition()
        self._heard_s = self._touched_s = 0.0
        self._by_hand = False
        self._driving = False
        self._was_heard = True
        self._news: list[str] = []

    @property
    def driver(self) -> str:
        """For messages; empty when nobody holds the stick."""
        return self._driver

    def claim(self, driver: str, *, heard_s: float | None = None) -> bool:
        """Ask for the stick, heard at ``heard_s``.

        Refused while somebody else holds it: at any time while the robot drives.
        """
        with self._lock:
            now_s = self._now_s()
            taken = self._driver not in ("", driver)
            if taken and (self._driving or now_s - self._heard_s <= self._settings.link_lost_s):
                return False
            if self._driver != driver:
                self._driver, self._position, self._by_hand, self._was_heard = driver, StickPosition(), False, True
                self._news.append(f"{driver} has the stick")
            self._heard_s = now_s if heard_s is None else min(heard_s, now_s)
            return True

    def hold(self, driver: str, position: StickPosition, *, heard_s: float | None = None) -> bool:
        """The stick of ``driver`` now, heard at ``heard_s``; False when somebody else drives."""
        with self._lock:
            if driver != self._driver:
                return False
            self._position = position
            self._heard_s = self._now_s() if heard_s is None else min(heard_s, self._now_s())
            if not position.is_centred:
                if not self._by_hand:
                    self._news.append(f"{driver} moved the stick")
                self._by_hand, self._touched_s = True, self._heard_s
            elif self._by_hand and self._heard_s - self._touched_s > _HAND_BACK_S:
                self._by_hand = False
                self._news.append(f"{driver} let go for {_HAND_BACK_S:g} s")
            return True

    def leave(self, driver: str) -> None:
        """On purpose; a driver who vanishes just says no more."""
        with self._lock:
            if driver == self._driver:
                self._forget("left the stick")

    def read(self, *, driving: bool) -> HelmReading:
        """For one pass of the loop, which says whether the robot is armed."""
        with self._lock:
            self._driving = driving
            silent_s = self._now_s() - self._heard_s
            if self._driver and not driving and silent_s > _FORGET_S:
                self._forget(f"was silent for {_FORGET_S:g} s")
            if not self._driver:
                nobody = NOBODY if self._autopilot else HelmReading(command=STAND_STILL, link_ok=False, driver="")
                return replace(nobody, hand_over=self._take_news()) if self._news else nobody
            heard = silent_s <= self._settings.link_lost_s
            if heard != self._was_heard:
                self._was_heard = heard
                self._news.append(
                    f"{self._driver} is heard again" if heard else f"{self._driver} is not heard any more"
                )
            by_hand = self._by_hand or not self._autopilot
            command = self._command(moving=heard) if by_hand else None
            return HelmReading(command=command, link_ok=heard, driver=self._driver, hand_over=self._take_news())

    def _take_news(self) -> str:
        news, self._news = "; ".join(self._news[:_MOST_NEWS]), []
        return news

    def _forget(self, why: str) -> None:
        self._news.append(f"{self._driver} {why}")
        self._driver, self._position, self._by_hand, self._was_heard = "", StickPosition(), False, True

    def _command(self, *, moving: bool) -> DriveCommand:
        """Whoever went silent wants to stand; the wheels stay turned until the robot does."""
        s, position = self._settings, self._position
        throttle, _ = clamp(position.throttle, low=-s.max_reverse, high=1.0)
        command = DriveCommand(
            curvature_1pm=position.steering * s.max_curvature_1pm, speed_mps=throttle * s.max_speed_mps
        )
        return command if moving else replace(command, speed_mps=0.0)
