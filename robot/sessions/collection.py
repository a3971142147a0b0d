"""Which pictures of a drive are worth keeping to learn from, and how they are spread; said while one still drives."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from robot.sessions.overlay import SEEN
from robot.sessions.session_tick import Image, SessionTick

_THUMB = (24, 18)
_SHARPNESS_WIDTH = 224
_BEND_1PM = 0.8
"""Straighter counts as straight."""
_ENOUGH = 60
"""So many kept pictures tell whether a side is missing, and a side needs this share of them."""
_LEAST_SHARE = 0.1
X_BINS, BENDS, LIGHTS = ("far left", "left", "middle", "right", "far right"), ("left", "straight", "right"), (
    "dark", "middle", "bright",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class CollectionRule:
    """A picture is due after ``every_m`` or after ``every_s``, whichever comes first; 0 is never by that."""

    every_m: float = 0.03
    """Of the way that was commanded: a robot that stands collects nothing."""
    every_s: float = 0.0
    correction_s: float = 0.1
    """While a person corrects the autopilot, so often at least: what it got wrong is what it has to learn.
    0 where there is no autopilot."""
    least_change: float = 3.0
    """Mean difference from the last kept picture, grey levels of 255, at 24 x 18; below is the same picture again."""
    least_sharpness: float = 0.4
    """Of the running middle of the drive's own pictures: a floor without texture is not blurred."""


@dataclass(slots=True)
class Spread:
    """How the kept pictures are spread."""

    kept: int = 0
    same: int = 0
    blurred: int = 0
    corrections: int = 0
    x: Counter[str] = field(default_factory=Counter)
    bend: Counter[str] = field(default_factory=Counter)
    light: Counter[str] = field(default_factory=Counter)

    @property
    def advice(self) -> str:
        """What is missing; empty when nothing is, or when it is too early to tell."""
        if self.kept < _ENOUGH:
            return ""
        missing = [side for side in ("left", "right") if self.bend[side] < _LEAST_SHARE * self.kept]
        if len(missing) == 2:
            return "hardly a bend yet: drive some, to both sides"
        return f"hardly a bend to the {missing[0]}: drive the other way round" if missing else ""

    def told(self) -> dict[str, Any]:
        """For the page, of JSON."""
        return {
            "kept": self.kept, "same": self.same, "blurred": self.blurred, "corrections": self.corrections,
            "x": _ordered(self.x, X_BINS), "bend": _ordered(self.bend, BENDS), "light": _ordered(self.light, LIGHTS),
            "advice": self.advice,
        }  # fmt: skip


class Collection:
    """``choose`` is called for every tick, in the recorder's thread."""

    def __init__(self, rule: CollectionRule) -> None:
        self._rule = rule
        self.spread = Spread()
        self._last: SessionTick | None = None
        self._way_m = self._kept_s = 0.0
        self._thumb: NDArray[np.float32] | None = None
        self._sharpness = 0.0

    def choose(self, tick: SessionTick) -> SessionTick:
        """The tick, without its picture when that one is not worth keeping."""
        if self._last is not None:
            # A gap, as of a stall, is no way that was driven.
            passed_s = min(0.5, tick.now_s - self._last.now_s)
            self._way_m += abs(self._last.verdict.command.speed_mps) * passed_s
        picture = tick.picture
        kept = isinstance(picture, np.ndarray) and self._is_due(tick) and self._is_good(picture)
        self._last = tick
        if not kept or not isinstance(picture, np.ndarray):
            return replace(tick, picture=None)
        self._count(tick, picture)
        self._way_m, self._kept_s = 0.0, tick.now_s
        return tick

    def _is_due(self, tick: SessionTick) -> bool:
        rule, since_s = self._rule, tick.now_s - self._kept_s
        if not self.spread.kept or tick.hand_over:
            return True
        if self._corrects(tick) and since_s >= rule.correction_s:
            return True
        return bool((rule.every_m and self._way_m >= rule.every_m) or (rule.every_s and since_s >= rule.every_s))

    def _corrects(self, tick: SessionTick) -> bool:
        return tick.by_hand is not None and self._rule.correction_s > 0

    def _is_good(self, picture: Image) -> bool:
        grey = cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY)
        thumb = cv2.resize(grey, _THUMB, interpolation=cv2.INTER_AREA).astype(np.float32)
        if self._thumb is not None and float(np.abs(thumb - self._thumb).mean()) < self._rule.least_change:
            self.spread.same += 1
            return False
        sharpness = _sharpness(grey)
        usual, self._sharpness = (
            self._sharpness,
            0.9 * self._sharpness + 0.1 * sharpness if self._sharpness else sharpness,
        )
        if sharpness < self._rule.least_sharpness * usual:
            self.spread.blurred += 1
            return False
        self._thumb = thumb
        return True

    def _count(self, tick: SessionTick, picture: Image) -> None:
        spread = self.spread
        spread.kept += 1
        spread.corrections += self._corrects(tick)
        near = next((point.x for point in tick.estimate.points if point.visible >= SEEN), None)
        if near is not None:
            spread.x[X_BINS[min(4, max(0, int((near + 1.0) / 0.4)))]] += 1
        bend = tick.verdict.command.curvature_1pm
        spread.bend["straight" if abs(bend) < _BEND_1PM else "left" if bend > 0 else "right"] += 1
        light = float(picture[::8, ::8].mean())
        spread.light[LIGHTS[min(2, int(light / 85.01))]] += 1


def _sharpness(grey: NDArray[Any]) -> float:
    """Variance of the Laplacian (Pech-Pacheco et al. 2000), at one width for all cameras."""
    height, width = grey.shape
    if width > _SHARPNESS_WIDTH:
        grey = cv2.resize(
            grey, (_SHARPNESS_WIDTH, round(height * _SHARPNESS_WIDTH / width)), interpolation=cv2.INTER_AREA
        )
    return float(cv2.Laplacian(grey, cv2.CV_32F).var())


def _ordered(counts: Counter[str], names: Sequence[str]) -> dict[str, int]:
    return {name: counts[name] for name in names}
