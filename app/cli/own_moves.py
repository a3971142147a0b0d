"""What measuring motors and steering have in common: the vehicle moves by itself while its camera watches the floor."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from app.cli.calibration_file import with_measured
from app.cli.consent import ask_before_moving
from app.cli.options import add_settings, config_from, natural, parser, refuse_unwritable
from calibration.profile import Calibration
from control.errors import ConfigError
from robot.config import RobotConfig
from robot.drive.interrupt import StopRequest
from robot.measuring.watch import WatchedDrive
from sim.vehicle.params import VehicleParams


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    drive: WatchedDrive
    how: str
    compute_s: float = 0.0
    """How long the network takes for a picture."""
    truth: tuple[VehicleParams, Calibration] | None = None
    """Of a made-up vehicle."""


def chosen_from(arguments: list[str], name: str, *, what: str, example: str, made_up: str) -> Namespace:
    options = parser(f"calibrate {name}", what=what, example=example)
    add = options.add_argument
    add_settings(options)
    add("--yes", action="store_true", help="a square metre of floor is free, do not ask")
    add("--out", type=Path, default=Path("calibration.yaml"), help="default: calibration.yaml; its other parts stay")
    add("--seed", type=natural, default=0, metavar="N", help=f"of the made-up {made_up}")
    add("--look", default="red-road", metavar="NAME", help="simulated: the floor; see `linepilot tracks`")
    chosen = options.parse(arguments)
    refuse_unwritable(chosen.out)
    return chosen


def vehicle_from(chosen: Namespace, vehicle: str, *, otherwise: str) -> RobotConfig:
    """Raises ConfigError, with ``otherwise``, for another kind of vehicle."""
    config = config_from(chosen.settings)
    if config.motors.vehicle != vehicle:
        raise ConfigError(otherwise)
    return with_measured(config, chosen.out)


def watch(
    chosen: Namespace, config: RobotConfig, trials: Callable[[WatchedDrive], None], interrupted: StopRequest
) -> Watched:
    """Raises StoppedByHand, MotionError, ConfigError and all that devices raise."""
    if config.camera.source == "sim":
        from app.cli.calibrate_motors_simulated import made_up_robot, watch_world

        world, true = made_up_robot(config, seed=chosen.seed, look=chosen.look)
        drive = watch_world(
            world, config.calibration, trials, stopped_by=lambda: "^C" if interrupted() else "", fps=config.fps
        )
        return Watched(drive=drive, how="simulated", truth=(world.params, true))
    from app.cli.calibrate_motors_hardware import watch_hardware

    if not chosen.yes:
        ask_before_moving(
            "The robot will drive by itself, half a metre to each side at most. Set it on a floor with some texture, "
            "a square metre of it free, off the table, and stay near: any key stops it.",
            words="free floor", unsaid="the floor is free",
        )  # fmt: skip
    drive, compute_s = watch_hardware(config, trials, interrupted=interrupted)
    return Watched(drive=drive, how=f"floor seen by {config.camera.source}", compute_s=compute_s)


def tell(text: str) -> None:
    print(text, flush=True)
