"""``linepilot calibrate relay``: the robot swings along a straight line, and that tells its delay and a look-ahead."""

from __future__ import annotations

import os
from argparse import ArgumentTypeError, Namespace
from collections.abc import Sequence
from dataclasses import replace
from math import isfinite
from pathlib import Path

import numpy as np
from rich.console import Console

from app.cli.calibrate_gains import course_pool, gains_config, gains_place, write_if_better
from app.cli.consent import ask_before_moving
from app.cli.options import add_settings, count, natural, parser, refuse_unwritable
from app.cli.tables import facts
from calibration.relay_fit import RelayFit
from control.errors import ConfigError
from control.relay import RelaySettings
from robot.config import RobotConfig
from robot.drive.interrupt import StopRequest, stop_on_signals
from robot.drive.tick import Tick
from sim.tuning.relay import delay_at, gains_from, left_over_s, relay_of, simulated_relay
from sim.tuning.robots import likely_robots
from sim.tuning.search import compared
from sim.vehicle.params import VehicleParams

_WHAT = """The quick way: along a straight line of 5 m the robot steers fully to one side until the line is seen on the
other one, and back (a relay, as of Astrom and Hagglund). Its swinging tells all of its delay and how much it turns;
from that comes the shortest look-ahead that is stable. It is supervised as every drive is: a lost line, a stalled
camera or any key stops it. What was found is written only where it is better in the simulator too; `calibrate gains
--undo` takes it back. With a simulated camera, which is the default, a made-up robot swings. `calibrate gains` searches
more."""
_EXAMPLE = """linepilot calibrate relay --seed 3
  linepilot calibrate relay robot.yaml
  linepilot calibrate relay robot.yaml --speed 0.25 --amplitude 2"""
_TOLD_S = 0.025
"""More delay than so that the calibration does not know of is worth a word."""


def run(arguments: list[str]) -> int:
    usual = RelaySettings()
    options = parser("calibrate relay", what=_WHAT, example=_EXAMPLE)
    add = options.add_argument
    add_settings(options)
    add("--yes", action="store_true", help="the robot stands on its line, do not ask")
    add("--speed", type=_number, default=usual.speed_mps, metavar="M/S", help=f"default: {usual.speed_mps:g}")
    add("--amplitude", type=_number, default=usual.amplitude_1pm, metavar="1/M",
        help=f"curvature to either side; default: {usual.amplitude_1pm:g}")  # fmt: skip
    add("--out", type=Path, metavar="YAML", help="default: the settings file that is given, or robot.yaml")
    add("--calibration", type=Path, default=Path("calibration.yaml"), metavar="YAML",
        help="used when the settings name none; default: calibration.yaml, where there is one")  # fmt: skip
    add("--seed", type=natural, default=0, metavar="N", help="of the made-up robot, and of the tracks to compare on")
    add("--workers", type=count, default=os.cpu_count() or 1, metavar="N", help="processes; default: one a core")
    chosen = options.parse(arguments)
    out = gains_place(chosen)
    refuse_unwritable(out)
    settings = replace(usual, speed_mps=chosen.speed, amplitude_1pm=chosen.amplitude)
    config = gains_config(chosen, out)
    with stop_on_signals() as interrupted:
        ticks, robot = _swing(chosen, config, settings, interrupted)
    if interrupted():
        print("linepilot calibrate: stopped by ^C; nothing was measured", flush=True)
        return interrupted.exit_code
    fit = relay_of(ticks, settings)
    _tell(fit, config, robot)
    print("comparing in the simulator", flush=True)
    with course_pool(chosen.workers) as run_courses:
        rng = np.random.default_rng(chosen.seed)
        found = compared(config, gains_from(fit, config), seed=chosen.seed, rng=rng, run=run_courses)
    return write_if_better(found, out)


def _number(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not (isfinite(value) and value > 0):
        raise ArgumentTypeError(f"'{text}' is no number above 0")
    return value


def _swing(
    chosen: Namespace, config: RobotConfig, settings: RelaySettings, interrupted: StopRequest
) -> tuple[Sequence[Tick], VehicleParams | None]:
    """And the robot, where it is made up. Raises MotionError and all that devices raise."""
    if config.camera.source == "sim":
        robot = likely_robots(config, 2, rng=np.random.default_rng(chosen.seed))[1]
        return simulated_relay(config, robot, settings, seed=chosen.seed, interrupted=interrupted), robot
    from app.cli.calibrate_relay_hardware import swing_hardware

    if config.camera.source.startswith("file:") or config.motors.driver in ("sim", "dry-run"):
        raise ConfigError("a relay swings a robot with a live camera and a motor board; simulated: camera.source=sim")
    if not chosen.yes:
        ask_before_moving(
            "The robot will drive along its line by itself, swinging a hand's breadth to each side. Set it where a "
            "straight line of 5 m begins, with free floor beside it, and stay near: any key stops it.",
            words="straight line", unsaid="the robot stands on its line",
        )  # fmt: skip
    return swing_hardware(config, settings, interrupted=interrupted, tell=lambda text: print(text, flush=True)), None


def _tell(fit: RelayFit, config: RobotConfig, robot: VehicleParams | None) -> None:
    latency = config.calibration.latency

    def milliseconds(delay_s: float, lag_s: float) -> float:
        return delay_at(fit.period_s, delay_s=delay_s, lag_s=lag_s, fps=config.fps) * 1000

    beside = f" (truth {milliseconds(robot.total_delay_s, robot.lag_s):.0f})" if robot is not None else ""
    rows = [
        ("oscillations", f"{fit.periods}"),
        ("period", f"{fit.period_s:.2f} s"),
        ("ultimate gain", f"{fit.ultimate_gain_1pm:.1f} 1/m for a radian"),
        ("delay, lag and half a frame", f"{fit.delay_s * 1000:.0f} +- {fit.delay_deviation_s * 1000:.0f}{beside} ms"),
        ("the same, as the calibration has it", f"{milliseconds(latency.delay_s, latency.motor_lag_s):.0f} ms"),
        ("turns, of what it should", f"{fit.turn_gain * 100:.0f} %"),
        ("not predicted", f"{left_over_s(fit, config) * 1000:.0f} ms"),
    ]
    Console().print(facts("relay", rows))
    unknown_s = fit.delay_s - milliseconds(latency.delay_s, latency.motor_lag_s) / 1000
    if abs(unknown_s) > _TOLD_S:
        print(f"the calibration's delay is {abs(unknown_s) * 1000:.0f} ms too {'short' if unknown_s > 0 else 'long'}; "
              "better first: linepilot calibrate motors, or steering")  # fmt: skip
