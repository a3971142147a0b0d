"""A vehicle in time: commands go in, it moves; the same commands at the same times give the same path to the bit."""

from __future__ import annotations

from math import isfinite

from control.errors import MotorError
from control.messages import AckermannCommand, DifferentialCommand, WheelCommand
from sim.vehicle.actuators import DelayLine, Motor, Servo, duties, standing
from sim.vehicle.kinematics import Pose, ackermann_twist, along_arc, differential_twist
from sim.vehicle.params import VehicleParams

_LONGEST_SUBSTEP_S = 0.005
_EMPTIEST_BATTERY = 0.5


class Vehicle:
    """``command`` at the present time, then ``advance``; pose, speed and time are read in between."""

    def __init__(self, params: VehicleParams, *, pose: Pose | None = None) -> None:
        self.params = params
        self.pose = pose or Pose()
        self.now_s = 0.0
        self.travelled_m = 0.0
        self._acting = standing(params)
        self._duties = duties(self._acting)
        self._delay = DelayLine(params.motor_delay_s)
        self._left = Motor(params, gain=params.left_gain)
        self._right = Motor(params, gain=params.right_gain)
        self._servo = Servo(params)

    @property
    def speed_mps(self) -> float:
        """Of the origin over the floor, positive forward."""
        return (self._left.speed_mps + self._right.speed_mps) / 2 * (1.0 - self.params.slip)

    @property
    def wheel_speeds_mps(self) -> tuple[float, float]:
        return self._left.speed_mps, self._right.speed_mps

    @property
    def steering_rad(self) -> float:
        return self._servo.angle_rad

    @property
    def battery(self) -> float:
        """Share of full voltage, sag under load included."""
        params = self.params
        charge = max(_EMPTIEST_BATTERY, 1.0 - params.discharge_per_s * self.now_s)
        return charge * (1.0 - params.sag * (abs(self._left.duty) + abs(self._right.duty)) / 2)

    def command(self, command: WheelCommand) -> None:
        """Give a command now; it acts after the motor delay. Raises MotorError for one that is not for this drive."""
        numbers = _numbers(command)
        if not all(isfinite(number) for number in numbers):
            raise MotorError(f"simulated motors: a command of {numbers} is not finite")
        if isinstance(command, DifferentialCommand) != (self.params.drive == "differential"):
            raise MotorError(f"simulated motors: {type(command).__name__} is not for {self.params.drive} drive")
        self._delay.push(self.now_s, command)

    def advance(self, dt: float) -> None:
        """Let ``dt`` seconds pass."""
        self.advance_to(self.now_s + dt)

    def advance_to(self, end: float) -> None:
        """Let time pass until ``end``: exactly then is now, without a rounding error."""
        while self.now_s < end - 1e-12:
            arrived = self._delay.due(self.now_s)
            if arrived is not None:
                self._acting, self._duties = arrived, duties(arrived)
            until = min(end, self.now_s + _LONGEST_SUBSTEP_S, self._delay.next_s)
            self._substep(until - self.now_s)
            self.now_s = until
        self.now_s = max(self.now_s, end)

    def _substep(self, dt: float) -> None:
        params, command = self.params, self._acting
        battery = self.battery
        left_duty, right_duty = self._duties
        left = self._left.advance(left_duty, battery=battery, dt=dt)
        right = self._right.advance(right_duty, battery=battery, dt=dt)
        if isinstance(command, AckermannCommand):
            angle = self._servo.advance(command.steering, dt=dt)
            distance, turn = ackermann_twist((left + right) / 2, angle, wheel_base_m=params.wheel_base_m)
        else:
            distance, turn = differential_twist(left, right, wheel_base_m=params.wheel_base_m)
        distance *= 1.0 - params.slip
        self.travelled_m += abs(distance)
        self.pose = along_arc(self.pose, distance, turn * (1.0 - params.slip) * (1.0 - params.understeer))


def _numbers(command: WheelCommand) -> tuple[float, float]:
    if isinstance(command, DifferentialCommand):
        return command.left, command.right
    return command.steering, command.throttle
