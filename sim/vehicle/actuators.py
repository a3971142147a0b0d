"""From a command to turning wheels: transport delay, ramp, dead zone, mismatch, battery sag, first-order lag."""

from __future__ import annotations

from collections import deque
from math import exp, inf

from control.messages import AckermannCommand, DifferentialCommand, WheelCommand
from sim.vehicle.params import VehicleParams


class DelayLine:
    """Commands on their way; each acts exactly ``delay_s`` after it was given."""

    def __init__(self, delay_s: float) -> None:
        self._delay_s = delay_s
        self._waiting: deque[tuple[float, WheelCommand]] = deque()

    def push(self, now_s: float, command: WheelCommand) -> None:
        self._waiting.append((now_s + self._delay_s, command))

    @property
    def next_s(self) -> float:
        """When the next command acts; infinity when none is on its way."""
        return self._waiting[0][0] if self._waiting else inf

    def due(self, now_s: float) -> WheelCommand | None:
        """The newest command that has come to act by now."""
        newest = None
        while self._waiting and self._waiting[0][0] <= now_s + 1e-12:
            newest = self._waiting.popleft()[1]
        return newest


def ramp(value: float, target: float, largest_step: float) -> float:
    return max(value - largest_step, min(value + largest_step, target))


class Lag:
    """A first-order lag, solved exactly for a constant target."""

    def __init__(self, time_constant_s: float) -> None:
        self._time_constant_s = time_constant_s
        self.value = 0.0

    def advance(self, target: float, dt: float) -> float:
        """The integral of the value over ``dt``."""
        tau = self._time_constant_s
        if tau <= 0.0:
            self.value = target
            return target * dt
        gap = self.value - target
        left = gap * exp(-dt / tau)
        self.value = target + left
        return target * dt + tau * (gap - left)


class Motor:
    """One driven side: duty in, wheel travel out."""

    def __init__(self, params: VehicleParams, *, gain: float) -> None:
        self._params = params
        self._gain = gain
        self._lag = Lag(params.lag_s)
        self.duty = 0.0

    @property
    def speed_mps(self) -> float:
        return self._lag.value

    def advance(self, wanted_duty: float, *, battery: float, dt: float) -> float:
        """Metres the wheel rolls within ``dt``; ``battery`` is its share of full voltage."""
        self.duty = ramp(self.duty, wanted_duty, self._params.duty_rate_per_s * dt)
        return self._lag.advance(self._steady_speed(battery), dt)

    def _steady_speed(self, battery: float) -> float:
        dead = self._params.dead_zone
        beyond = abs(self.duty) - dead
        if beyond <= 0.0:
            return 0.0
        speed = self._params.top_speed_mps * self._gain * battery * beyond / (1.0 - dead)
        return speed if self.duty > 0 else -speed


class Servo:
    """The steering: command in, front wheel angle out."""

    def __init__(self, params: VehicleParams) -> None:
        self._params = params
        self._lag = Lag(params.lag_s / 2)
        self._angle_rad = 0.0

    @property
    def angle_rad(self) -> float:
        return self._lag.value

    def advance(self, steering: float, *, dt: float) -> float:
        """The mean angle over ``dt``."""
        params = self._params
        wanted = limited(limited(steering) - params.steering_center) * params.max_steering_rad
        wanted = max(-params.right_stop_rad, min(params.left_stop_rad, wanted))
        self._angle_rad = ramp(self._angle_rad, wanted, params.servo_rate_radps * dt)
        return self._lag.advance(self._angle_rad, dt) / dt


def limited(duty: float) -> float:
    return max(-1.0, min(1.0, duty))


def duties(command: WheelCommand) -> tuple[float, float]:
    """What each side's motor is asked for; the throttle drives both sides of an Ackermann vehicle."""
    if isinstance(command, DifferentialCommand):
        return limited(command.left), limited(command.right)
    return limited(command.throttle), limited(command.throttle)


def standing(params: VehicleParams) -> WheelCommand:
    """The command of a vehicle that has been given none."""
    if params.drive == "differential":
        return DifferentialCommand()
    return AckermannCommand(steering=params.steering_center)
