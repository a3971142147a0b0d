"""From a target on the floor to a curvature: pure pursuit as feed-forward, simple-pid as feedback."""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite

from simple_pid import PID

from control.checks import require_between, require_not_negative, require_positive
from control.filters import LowPass
from control.limits import LONGEST_STEP_S, RateLimiter, clamp
from control.messages import GroundPoint, SteeringTerms

_SHORTEST_STEP_S = 1e-3
_NEAREST_M = 0.01


@dataclass(frozen=True, slots=True, kw_only=True)
class SteeringSettings:
    """Gains give curvature (1/m) for an error (rad); tuned in closed loop for a JetBot with 120 ms delay."""

    kp: float = 2.0
    ki: float = 6.0
    kd: float = 0.1
    feed_forward: float = 1.0
    """Weight of the pure-pursuit curvature."""
    max_curvature_1pm: float = 15.0
    max_rate_1pm_s: float = 150.0
    """How fast the curvature may change, also when steering takes over from somebody else."""
    max_integral_1pm: float = 2.0
    derivative_filter_s: float = 0.05
    full_gain_speed_mps: float = 0.6
    """Above this speed the gains fall as 1 / speed, since the delay then weighs more."""

    def __post_init__(self) -> None:
        require_not_negative("steering", kp=self.kp, ki=self.ki, kd=self.kd, max_integral_1pm=self.max_integral_1pm)
        require_between("steering", "feed_forward", value=self.feed_forward, high=2.0)
        require_positive(
            "steering", max_curvature_1pm=self.max_curvature_1pm, max_rate_1pm_s=self.max_rate_1pm_s,
            full_gain_speed_mps=self.full_gain_speed_mps,
        )  # fmt: skip
        require_between("steering", "derivative_filter_s", value=self.derivative_filter_s, high=1.0)


def pure_pursuit_curvature(target: GroundPoint) -> float:
    """The arc through the origin and the target: kappa = 2 y / (x^2 + y^2) (Coulter, CMU-RI-TR-92-01, 1992)."""
    return 2.0 * target.y / max(target.x * target.x + target.y * target.y, _NEAREST_M * _NEAREST_M)


class Steering:
    """Feed-forward plus PID, limited in size and rate; the integrator rests while anybody limits the command."""

    def __init__(self, settings: SteeringSettings | None = None) -> None:
        self.settings = s = settings or SteeringSettings()
        # sample_time must be None: by default simple-pid answers with its last output below 10 ms.
        # Its output limits bound the integral; the terms are summed here, so that they do not bound the rest.
        self._pid = PID(
            s.kp, s.ki, s.kd, setpoint=0.0, sample_time=None, output_limits=(-s.max_integral_1pm, s.max_integral_1pm)
        )
        self._derivative = LowPass(time_constant_s=s.derivative_filter_s)
        self._limiter = RateLimiter(rate_per_s=s.max_rate_1pm_s)
        self._frozen = False

    @property
    def curvature_1pm(self) -> float:
        return self._limiter.value

    @property
    def trim_1pm(self) -> float:
        """What the integrator adds: in the long run the pull of unequal wheels, negated."""
        return float(self._pid.components[1])

    def retune(self, settings: SteeringSettings) -> None:
        """Gains and the limit of the curvature; rates, filter and the limit of the integral stay as they were made."""
        self.settings = settings

    def hand_over(self, curvature_1pm: float) -> None:
        """Somebody else steered until now: forget the past and move on from their curvature, within the rate limit.

        simple-pid's own set_auto_mode(last_output=...) would leave that curvature as a constant bias when ki = 0.
        """
        self._pid.reset()
        self._derivative.reset()
        self._limiter.restart(clamp(curvature_1pm, low=-self._limit, high=self._limit)[0])
        self._frozen = False

    def applied(self, curvature_1pm: float, *, was_limited: bool) -> None:
        """Fed back by whoever had the last word: an integrator must not wind up against a limit.

        A limited curvature, or that of a human who drives, is where the rate limit goes on from.
        """
        self._frozen = was_limited
        if was_limited:
            self._limiter.restart(clamp(curvature_1pm, low=-self._limit, high=self._limit)[0])

    @property
    def _limit(self) -> float:
        return self.settings.max_curvature_1pm

    def update(
        self, target: GroundPoint, error_rad: float, *, speed_mps: float, dt_s: float
    ) -> tuple[float, SteeringTerms, bool]:
        """(curvature, its terms, was_limited). A non-finite input repeats the last curvature and says limited."""
        if not all(isfinite(v) for v in (target.x, target.y, error_rad, speed_mps, dt_s)):
            return self.curvature_1pm, SteeringTerms(), True
        step_s = max(_SHORTEST_STEP_S, min(LONGEST_STEP_S, dt_s))
        proportional, integral, derivative = self._feedback(error_rad, speed_mps=speed_mps, step_s=step_s)
        feed_forward = self.settings.feed_forward * pure_pursuit_curvature(target)
        wanted = feed_forward + proportional + integral + derivative
        inside, size_limited = clamp(wanted, low=-self._limit, high=self._limit)
        curvature, rate_limited = self._limiter.update(inside, dt_s=dt_s)
        terms = SteeringTerms(
            error=error_rad, proportional=proportional, integral=integral, derivative=derivative,
            feed_forward=feed_forward,
        )  # fmt: skip
        return curvature, terms, size_limited or rate_limited

    def _feedback(self, error_rad: float, *, speed_mps: float, step_s: float) -> tuple[float, float, float]:
        s = self.settings
        gain = min(1.0, s.full_gain_speed_mps / max(abs(speed_mps), 1e-6))
        frozen = self._frozen or speed_mps == 0
        self._pid.tunings = (gain * s.kp, 0.0 if frozen else gain * s.ki, gain * s.kd)
        # The setpoint is 0 and the measurement is the line seen from the vehicle, so the error enters negated.
        self._pid(-error_rad, dt=step_s)
        proportional, integral, derivative = self._pid.components
        return float(proportional), float(integral), self._derivative.update(float(derivative), dt_s=step_s)
