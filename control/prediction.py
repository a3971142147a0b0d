"""Latency compensation: where the vehicle will be when the wheels answer to what a frame showed."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from itertools import pairwise
from math import cos, exp, inf, isfinite, sin
from typing import NamedTuple

from control.checks import require_between
from control.messages import DriveCommand, GroundPoint

_STEP_S = 0.01
_LAGS_TO_SETTLE = 6.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Motion:
    """A pose in the vehicle frame at exposure (m, m, rad) and how the vehicle moves there."""

    x: float = 0.0
    y: float = 0.0
    heading: float = 0.0
    speed_mps: float = 0.0
    yaw_rate_rps: float = 0.0

    def see(self, point: GroundPoint) -> GroundPoint:
        """A floor point of the exposure's frame, seen from this pose."""
        ahead, left = point.x - self.x, point.y - self.y
        c, s = cos(self.heading), sin(self.heading)
        return GroundPoint(x=c * ahead + s * left, y=c * left - s * ahead)


class _Order(NamedTuple):
    # Not a dataclass: some forty are made and read in every pass.
    stamp_s: float
    speed_mps: float
    yaw_rate_rps: float


class MotionHistory:
    """Remembers commanded motion and integrates it over [exposure, the moment the wheels answer].

    ``delay_s`` runs from the middle of the exposure until the wheels answer, so that a command given at ``now``
    acts at ``exposed + delay``; ``motor_lag_s`` is the first-order time constant of the wheels behind a command.
    """

    def __init__(self, *, delay_s: float, motor_lag_s: float) -> None:
        require_between("latency", "delay_s", value=delay_s, high=2.0)
        require_between("latency", "motor_lag_s", value=motor_lag_s, high=2.0)
        self.delay_s = delay_s
        self.motor_lag_s = motor_lag_s
        self._keep_s = 2.0 * delay_s + _LAGS_TO_SETTLE * motor_lag_s + 0.5
        self._orders: deque[_Order] = deque(maxlen=1024)

    def clear(self) -> None:
        self._orders.clear()

    def record(self, command: DriveCommand, *, now_s: float) -> None:
        """A command that really went to the mixer. Non-finite values and a clock that runs backwards are ignored."""
        yaw_rate = command.speed_mps * command.curvature_1pm
        if not (isfinite(now_s) and isfinite(command.speed_mps) and isfinite(yaw_rate)):
            return
        if self._orders and now_s < self._orders[-1].stamp_s:
            return
        self._orders.append(_Order(now_s, command.speed_mps, yaw_rate))
        while len(self._orders) > 1 and self._orders[1].stamp_s < now_s - self._keep_s:
            self._orders.popleft()

    def predict(self, *, exposed_s: float, now_s: float, lead_s: float = 0.0) -> Motion:
        """The pose at ``exposed + delay + lead`` (never before now) in the frame at exposure; a unicycle."""
        if not (isfinite(exposed_s) and isfinite(now_s)) or not self._orders:
            return Motion()
        elapsed_s = max(0.0, min(self._keep_s, now_s - exposed_s))
        to_wheels_s = max(0.0, self.delay_s - elapsed_s)
        begin_s = now_s - elapsed_s
        last_s = now_s + to_wheels_s + lead_s
        track = _Integrator(self.motor_lag_s)
        for order, following in pairwise((*self._orders, _Order(inf, 0.0, 0.0))):
            end_s = min(last_s, following.stamp_s + to_wheels_s)
            track.run(order, at_s=order.stamp_s + to_wheels_s, end_s=end_s, begin_s=begin_s)
        return track.motion()


class _Integrator:
    """Unicycle behind a first-order lag, exact in speed and yaw rate, midpoint in heading."""

    def __init__(self, lag_s: float) -> None:
        self._lag_s = lag_s
        self._speed = self._yaw_rate = 0.0
        self._x = self._y = self._heading = 0.0

    def motion(self) -> Motion:
        return Motion(
            x=self._x, y=self._y, heading=self._heading, speed_mps=self._speed, yaw_rate_rps=self._yaw_rate
        )

    def run(self, order: _Order, *, at_s: float, end_s: float, begin_s: float) -> None:
        """Follow one order from when it reached the wheels until ``end_s``; the pose moves only after ``begin_s``."""
        if at_s < begin_s < end_s:
            self._lag(order, begin_s - at_s)
            at_s = begin_s
        if end_s <= begin_s:
            self._lag(order, max(0.0, end_s - at_s))
            return
        steps = max(1, round((end_s - at_s) / _STEP_S))
        step_s = (end_s - at_s) / steps
        if step_s > 0:
            for _ in range(steps):
                self._advance(order, step_s)

    def _lag(self, order: _Order, step_s: float) -> tuple[float, float]:
        """Let speed and yaw rate approach the order; returns their means over the step."""
        if step_s <= 0:
            return self._speed, self._yaw_rate
        left = exp(-step_s / self._lag_s) if self._lag_s > 0 else 0.0
        mean_left = self._lag_s / step_s * (1.0 - left)
        behind_speed, behind_yaw = self._speed - order.speed_mps, self._yaw_rate - order.yaw_rate_rps
        self._speed = order.speed_mps + behind_speed * left
        self._yaw_rate = order.yaw_rate_rps + behind_yaw * left
        return order.speed_mps + behind_speed * mean_left, order.yaw_rate_rps + behind_yaw * mean_left

    def _advance(self, order: _Order, step_s: float) -> None:
        speed, yaw_rate = self._lag(order, step_s)
        middle = self._heading + 0.5 * yaw_rate * step_s
        self._x += speed * step_s * cos(middle)
        self._y += speed * step_s * sin(middle)
        self._heading += yaw_rate * step_s
