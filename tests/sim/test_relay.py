"""The relay experiment: what its oscillation tells, and that it is a supervised drive that always ends standing."""

from __future__ import annotations

from dataclasses import replace
from math import atan, pi

import numpy as np
import pytest

from calibration.relay_fit import fit_relay
from control.errors import CalibrationError, ConfigError, MotionError
from control.messages import DifferentialCommand, LineEstimate, WheelCommand
from control.relay import RelaySettings
from robot.config import load_config
from robot.measuring.relay import relay_pilot, run_relay
from sim.benchmark.run import make_rig
from sim.render.ground import Image
from sim.tracks.library import find_track
from sim.tuning.labelled_world import EXACT, LabelledWorld
from sim.tuning.relay import delay_at, gains_from, phase_margin_rad, relay_of, simulated_relay
from sim.vehicle.params import JETBOT, VehicleParams

CONFIG = load_config(None)
USUAL = RelaySettings()


def found_delay_s(robot: VehicleParams, *, seed: int = 1) -> tuple[float, float]:
    """Found, and true."""
    fit = relay_of(simulated_relay(CONFIG, robot, USUAL, seed=seed), USUAL)
    return fit.delay_s, delay_at(fit.period_s, delay_s=robot.total_delay_s, lag_s=robot.lag_s, fps=CONFIG.fps)


@pytest.mark.parametrize("extra_s", [0.0, 0.05])
def test_it_tells_the_delay_also_one_that_nobody_knew(extra_s: float) -> None:
    found, true = found_delay_s(replace(JETBOT, motor_delay_s=JETBOT.motor_delay_s + extra_s))
    assert found == pytest.approx(true, abs=0.012)


def test_without_noise_it_is_exact() -> None:
    fit = relay_of(simulated_relay(CONFIG, JETBOT, USUAL, seed=1, noise=EXACT), USUAL)
    true = delay_at(fit.period_s, delay_s=JETBOT.total_delay_s, lag_s=JETBOT.lag_s, fps=CONFIG.fps)
    assert fit.delay_s == pytest.approx(true, abs=0.001)
    assert fit.turn_gain == pytest.approx(1.0, abs=0.1)


def test_more_delay_asks_for_a_longer_look_ahead() -> None:
    fit = relay_of(simulated_relay(CONFIG, JETBOT, USUAL, seed=1, noise=EXACT), USUAL)
    near, far = (gains_from(replace(fit, delay_s=fit.delay_s + late), CONFIG) for late in (0.0, 0.04))
    assert far["follower.look_ahead_base_m"] > 1.5 * near["follower.look_ahead_base_m"]


def test_the_margin_is_that_of_the_loop() -> None:
    gain, v, d, late = 25.0, 0.7, 0.09, 0.03
    omega = np.linspace(1, 100, 200_000)
    loop = gain * v / (1j * omega) * (1 + v / (d * 1j * omega)) * np.exp(-1j * omega * late)
    crossing = int(np.argmin(np.abs(np.abs(loop) - 1)))
    wanted = (np.angle(loop[crossing]) + pi) % (2 * pi)
    assert phase_margin_rad(gain, speed_mps=v, look_ahead_m=d, delay_s=late) == pytest.approx(wanted, abs=1e-3)


def oscillation(*, delay_s: float, cycles: int = 12) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Of v = 0.3, d = 0.4, a second a cycle: a square wave, and its first harmonic through the plant."""
    t = np.arange(0, cycles, 1 / 30)
    omega = 2 * pi
    curvature = np.where(np.sin(omega * t + 0.01) > 0, 2.0, -2.0)
    size = 0.3 / omega * np.hypot(1, 0.3 / (0.4 * omega)) * 2.0 * 4 / pi
    lag = atan(omega * 0.4 / 0.3) - pi - omega * delay_s
    return t, -size * np.sin(omega * t + 0.01 + lag), curvature


def test_first_harmonics_tell_the_delay() -> None:
    fit = fit_relay(*oscillation(delay_s=0.2), speed_mps=0.3, look_ahead_m=0.4)
    assert fit.period_s == pytest.approx(1.0, abs=0.01)
    # The square wave is sampled: half a frame.
    assert fit.delay_s == pytest.approx(0.2, abs=0.02)
    assert fit.turn_gain == pytest.approx(1.0, abs=0.02)


def test_what_is_no_oscillation_is_told() -> None:
    t, e, u = oscillation(delay_s=0.2)
    with pytest.raises(CalibrationError, match="too few"):
        fit_relay(t[:150], e[:150], u[:150], speed_mps=0.3, look_ahead_m=0.4)
    with pytest.raises(CalibrationError, match="as much as its calibration"):
        fit_relay(t, 5 * e, u, speed_mps=0.3, look_ahead_m=0.4)
    uneven = np.where(np.sin(2 * pi * (t + 0.8 * np.sin(1.3 * t))) > 0, 2.0, -2.0)
    with pytest.raises(CalibrationError, match="evenly"):
        fit_relay(t, e, uneven, speed_mps=0.3, look_ahead_m=0.4)


class Recorded(LabelledWorld):
    """Keeps what the wheels were told."""

    def __init__(self) -> None:
        super().__init__(find_track("straight"), vehicle=JETBOT, noise=EXACT)
        self.told: list[WheelCommand] = []
        self.blind = False
        self.backwards = False
        self.reset(1, lateral_m=0.01)

    def command(self, wheels: WheelCommand) -> None:
        self.told.append(wheels)
        if self.backwards and isinstance(wheels, DifferentialCommand):
            wheels = DifferentialCommand(left=wheels.right, right=wheels.left)
        super().command(wheels)

    def estimate(self, image: Image) -> LineEstimate:
        seen = super().estimate(image)
        return LineEstimate(points=(), confidence=0.0) if self.blind else seen


def swing(world: Recorded, *, after: int = 40, blind: bool = False, pressed: bool = False) -> None:
    """Until ``after`` passes; then something happens."""
    rig = replace(make_rig(world, estimator=world, config=CONFIG), pilot=relay_pilot(CONFIG, USUAL))

    def interrupted() -> bool:
        world.blind = blind and len(world.told) > after
        return pressed and len(world.told) > after

    try:
        run_relay(rig, interrupted=interrupted, ended=lambda _: world.truth.distance_m > 3)
    finally:
        assert world.told[-1] == DifferentialCommand()
        world.advance(1.0)
        assert world.vehicle.speed_mps == pytest.approx(0.0, abs=1e-3)


def test_nothing_moves_before_it_was_armed() -> None:
    world = Recorded()
    swing(world)
    # The motors are opened standing, and a first pass must have seen the line.
    assert world.told[:2] == [DifferentialCommand()] * 2


def test_no_wheel_is_told_more_than_speed_and_amplitude_ask_for() -> None:
    world = Recorded()
    swing(world)
    fastest = max(max(abs(c.left), abs(c.right)) for c in world.told if isinstance(c, DifferentialCommand))
    wish = USUAL.speed_mps * (1 + USUAL.amplitude_1pm * 0.05) / 0.9 * 0.96 + 0.04
    assert fastest <= wish + 1e-6


def test_a_lost_line_stops_it() -> None:
    world = Recorded()
    swing(world, blind=True)
    assert world.truth.distance_m < 1.0


def test_a_hand_stops_it() -> None:
    world = Recorded()
    swing(world, pressed=True)
    assert len(world.told) < 50


def test_a_robot_that_steers_the_wrong_way_is_stopped_and_told() -> None:
    world = Recorded()
    world.backwards = True
    with pytest.raises(MotionError, match=r"turned away|line lost"):
        swing(world)
    assert world.truth.distance_m < 1.5


def test_only_our_law_has_a_look_ahead() -> None:
    with pytest.raises(ConfigError, match="only law=linepilot"):
        relay_pilot(load_config(None, ["law=jetbot"]), USUAL)
