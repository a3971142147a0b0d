"""The laws that are compared: what is tuned of each, and how widely."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from benchmarks.search import Range, Settings

_NO_LIMITS = (
    "supervisor.max_speed_mps=100", "supervisor.max_curvature_1pm=1000", "supervisor.max_curvature_rate_1pm_s=1000000",
    "supervisor.faster_mps2=10000", "supervisor.slower_mps2=10000", "supervisor.min_confidence=0",
)  # fmt: skip
"""The peers have no supervisor: their wheels get what their law says, and an unsure line does not slow them."""
_BRISK = (
    "supervisor.max_speed_mps=3", "supervisor.faster_mps2=6", "supervisor.slower_mps2=6",
    "follower.speed.faster_mps2=5", "follower.speed.slower_mps2=5",
)  # fmt: skip
"""Robots that are fast may also change their speed quickly: the peers' wheels get every change at once."""
_ROW = Range(low=-0.5, high=0.4, default=0.0)
"""Nearer than y = 0.5 JetBot's angle turns over."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TunedLaw:
    name: str
    fixed: tuple[str, ...]
    space: Mapping[str, Range]

    def settings(self, chosen: Settings) -> tuple[str, ...]:
        """As on the command line."""
        return (*self.fixed, *(f"{name}={value:.6f}" for name, value in chosen.items()))


def _ours(name: str, *, top_speed_mps: float, fixed: tuple[str, ...]) -> TunedLaw:
    return TunedLaw(
        name=name, fixed=fixed,
        space={
            "follower.speed.max_speed_mps": Range(low=0.15, high=top_speed_mps, default=0.7),
            "follower.speed.lateral_acceleration_mps2": Range(low=0.4, high=6.0, default=2.5, log=True),
            "follower.look_ahead_time_s": Range(low=0.0, high=0.25, default=0.06),
            "follower.steering.kp": Range(low=0.0, high=6.0, default=2.0),
            "follower.steering.kd": Range(low=0.0, high=0.4, default=0.1),
        },
    )  # fmt: skip


OURS_ON_JETBOT = _ours("linepilot", top_speed_mps=0.9, fixed=("law=linepilot",))
OURS_ON_JETRACER = _ours(
    "linepilot on a JetRacer", top_speed_mps=2.5,
    fixed=("law=linepilot", "motors.vehicle=ackermann", *_BRISK),
)  # fmt: skip

# The dead zone is the vehicle's, so that the duties of the law reach the wheels as they are.
JETBOT = TunedLaw(
    name="jetbot", fixed=("law=jetbot", "jetbot.dead_zone=0.04", *_NO_LIMITS),
    space={
        "jetbot.speed_gain": Range(low=0.15, high=1.0, default=0.2),
        "jetbot.kp": Range(low=0.01, high=1.0, default=0.2, log=True),
        "jetbot.kd": Range(low=0.0, high=1.0, default=0.0),
        "jetbot.target_row": _ROW,
    },
)  # fmt: skip
# At 0.9 m/s a JetBot's motors, not the law, end what can be compared: the same robot with faster ones.
_FAST = ("calibration.drive.top_speed_mps=3",)
OURS_ON_FAST_JETBOT = _ours(
    "linepilot on a fast JetBot", top_speed_mps=2.5, fixed=("law=linepilot", *_BRISK, *_FAST)
)
FAST_JETBOT = TunedLaw(
    name="jetbot on a fast JetBot", fixed=(*JETBOT.fixed, *_FAST),
    space={
        **JETBOT.space,
        # The same wheel speeds as before belong to smaller duties, so the gains reach lower, too.
        "jetbot.speed_gain": Range(low=0.06, high=0.9, default=0.15),
        "jetbot.kp": Range(low=0.003, high=1.0, default=0.06, log=True),
    },
)  # fmt: skip
JETRACER = TunedLaw(
    name="jetracer", fixed=("law=jetracer", "motors.vehicle=ackermann", *_NO_LIMITS),
    space={
        "jetracer.throttle": Range(low=0.12, high=0.9, default=0.15),
        "jetracer.gain": Range(low=0.1, high=4.0, default=0.75, log=True),
        "jetracer.target_row": _ROW,
    },
)  # fmt: skip
