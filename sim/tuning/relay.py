"""The quick way to gains: from the loop's ultimate gain and period, and the relay experiment in the simulator."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from math import atan, pi, radians, sqrt

from calibration.relay_fit import RelayFit, fit_relay
from control.relay import RelaySettings
from robot.config import RobotConfig
from robot.drive.tick import Tick
from robot.measuring.relay import relay_pilot, run_relay
from sim.benchmark.run import make_rig
from sim.tracks.library import find_track
from sim.tuning.gains import Gains
from sim.tuning.labelled_world import NOISY, EyeNoise, LabelledWorld
from sim.vehicle.params import VehicleParams

_MARGIN_RAD = radians(30.0)
"""Phase margin of what is chosen."""
_NEAREST_M, _FARTHEST_M = 0.04, 0.4
_TRACK = "straight"
_ENDS_M = 0.6


def gains_from(fit: RelayFit, config: RobotConfig) -> Gains:
    """The shortest look-ahead, at the top speed, that keeps the phase margin with what the prediction leaves over.

    Pure pursuit of a point at d is a gain of 2/d, to which kp adds; the error leads by its look-ahead.
    """
    follower = config.follower
    speed = follower.speed.max_speed_mps
    kp = follower.steering.kp * min(1.0, follower.steering.full_gain_speed_mps / speed)
    late_s = left_over_s(fit, config)
    low, high = _NEAREST_M, _FARTHEST_M
    for _ in range(40):
        middle = (low + high) / 2
        gain = (follower.steering.feed_forward * 2 / middle + kp) * fit.turn_gain
        if phase_margin_rad(gain, speed_mps=speed, look_ahead_m=middle, delay_s=late_s) < _MARGIN_RAD:
            low = middle
        else:
            high = middle
    # Of what the speed asks for a part stays with the speed, as in the settings.
    share = high / follower.look_ahead_m(speed)
    return {
        "follower.look_ahead_base_m": share * follower.look_ahead_base_m,
        "follower.look_ahead_time_s": share * follower.look_ahead_time_s,
    }


def left_over_s(fit: RelayFit, config: RobotConfig) -> float:
    """The delay that the follower does not predict away: what the calibration does not know, some lag, half a frame."""
    latency = config.calibration.latency
    known = latency.delay_s + config.follower.lag_lead * latency.motor_lag_s
    return max(0.5 / config.fps, fit.delay_s - known)


def delay_at(period_s: float, *, delay_s: float, lag_s: float, fps: float) -> float:
    """What an oscillation of this period shows of a robot's delay and lag, at so many decisions a second."""
    omega = 2 * pi / period_s
    return delay_s + atan(omega * lag_s) / omega + 0.5 / fps


def phase_margin_rad(gain_1pm: float, *, speed_mps: float, look_ahead_m: float, delay_s: float) -> float:
    """Of gain v/s (1 + v/(d s)) e^(-s L), where its magnitude is one."""
    v, d = speed_mps, look_ahead_m
    slow = gain_1pm * v
    # w^4 = slow^2 (w^2 + (v/d)^2)
    omega = sqrt((slow**2 + sqrt(slow**4 + 4 * slow**2 * (v / d) ** 2)) / 2)
    return atan(omega * d / v) - omega * delay_s


def relay_of(ticks: Sequence[Tick], settings: RelaySettings) -> RelayFit:
    """Raises CalibrationError."""
    return fit_relay(
        [tick.now_s for tick in ticks], [tick.decision.terms.error for tick in ticks],
        [tick.verdict.command.curvature_1pm for tick in ticks], speed_mps=settings.speed_mps,
        look_ahead_m=settings.look_ahead_m,
    )  # fmt: skip


def simulated_relay(
    config: RobotConfig, robot: VehicleParams, settings: RelaySettings, *, seed: int, noise: EyeNoise = NOISY,
    interrupted: Callable[[], bool] = lambda: False,
) -> list[Tick]:  # fmt: skip
    """On a straight line, with noisy labels as eyes. Raises MotionError, ConfigError."""
    world = LabelledWorld(find_track(_TRACK), vehicle=robot, calibration=config.calibration, noise=noise)
    world.reset(seed, lateral_m=0.01)
    rig = replace(make_rig(world, estimator=world, config=config), pilot=relay_pilot(config, settings))
    end_m = world.track.length_m - _ENDS_M
    return run_relay(rig, interrupted=interrupted, ended=lambda _: world.truth.distance_m > end_m)
