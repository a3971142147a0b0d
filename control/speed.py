"""How fast: as curves, sight and confidence allow."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import sqrt

from control.checks import require_not_negative, require_positive
from control.errors import ConfigError
from control.limits import clamp, slew_speed
from control.path import Bend

_STRAIGHT_1PM = 1e-6


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeedSettings:
    max_speed_mps: float = 0.7
    min_speed_mps: float = 0.12
    """Slower than this nothing slows us but a lost line: small motors stall."""
    lateral_acceleration_mps2: float = 2.5
    faster_mps2: float = 1.0
    slower_mps2: float = 2.0
    sure_confidence: float = 0.6
    """From this confidence up full speed is allowed; below it speed falls in proportion."""
    lost_stop_s: float = 0.3
    """A lost line ramps from full speed to rest in this time."""

    def __post_init__(self) -> None:
        require_positive(
            "speed", max_speed_mps=self.max_speed_mps, lateral_acceleration_mps2=self.lateral_acceleration_mps2,
            faster_mps2=self.faster_mps2, slower_mps2=self.slower_mps2, sure_confidence=self.sure_confidence,
            lost_stop_s=self.lost_stop_s,
        )  # fmt: skip
        require_not_negative("speed", min_speed_mps=self.min_speed_mps)
        if self.min_speed_mps > self.max_speed_mps:
            raise ConfigError(
                f"speed.min_speed_mps is {self.min_speed_mps!r}; it must not be above max_speed_mps "
                f"({self.max_speed_mps!r})"
            )


def curve_speed(curvature_1pm: float, *, lateral_acceleration_mps2: float) -> float:
    """v = sqrt(a / |kappa|)."""
    return sqrt(lateral_acceleration_mps2 / max(abs(curvature_1pm), _STRAIGHT_1PM))


class SpeedPlanner:
    """Remembers the speed asked for, so that it changes within the acceleration limits."""

    def __init__(self, settings: SpeedSettings | None = None) -> None:
        self.settings = settings or SpeedSettings()
        self.speed_mps = 0.0

    def restart(self, speed_mps: float) -> None:
        """The vehicle really drives this fast: plan from there."""
        self.speed_mps, _ = clamp(speed_mps, low=0.0, high=self.settings.max_speed_mps)

    def update(
        self, bends: Iterable[Bend], *, curvature_1pm: float, sight_m: float, confidence: float, dt_s: float
    ) -> tuple[float, bool]:
        """(speed, was_limited) for the bends ahead, the curvature steered now and the distance seen."""
        s = self.settings
        wanted = min(
            s.max_speed_mps,
            self._through(Bend(distance_m=0.0, curvature_1pm=curvature_1pm)),
            # Beyond what is seen anything may come: be able to brake to a crawl before it.
            self._braking(sight_m, to_mps=s.min_speed_mps),
            *(self._through(bend) for bend in bends),
        )
        sure, _ = clamp(confidence / s.sure_confidence, low=0.0, high=1.0)
        return self._slew(max(s.min_speed_mps, wanted * sure), slower_mps2=s.slower_mps2, dt_s=dt_s)

    def lose(self, *, dt_s: float) -> tuple[float, bool]:
        """The line is lost: ramp to rest."""
        s = self.settings
        return self._slew(0.0, slower_mps2=s.max_speed_mps / s.lost_stop_s, dt_s=dt_s)

    def _through(self, bend: Bend) -> float:
        slow = curve_speed(bend.curvature_1pm, lateral_acceleration_mps2=self.settings.lateral_acceleration_mps2)
        return self._braking(bend.distance_m, to_mps=slow)

    def _braking(self, distance_m: float, *, to_mps: float) -> float:
        """The speed from which braking over that distance ends at ``to_mps``."""
        return sqrt(to_mps * to_mps + 2.0 * self.settings.slower_mps2 * max(0.0, distance_m))

    def _slew(self, wanted_mps: float, *, slower_mps2: float, dt_s: float) -> tuple[float, bool]:
        s = self.settings
        self.speed_mps, limited = slew_speed(
            wanted_mps, previous=self.speed_mps, faster_per_s=s.faster_mps2, slower_per_s=slower_mps2, dt_s=dt_s
        )
        return self.speed_mps, limited
