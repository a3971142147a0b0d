"""``linepilot calibrate motors``: dead zone, speeds, lag and latency, from short moves that the camera sees."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from rich.console import Console

from app.cli.calibration_file import drive_with, today, write_calibration
from app.cli.own_moves import chosen_from, tell, vehicle_from, watch
from app.cli.tables import facts
from calibration.motor_fit import MotorFit, fit_motors
from calibration.profile import Calibration
from calibration.quality import DriveQuality
from robot.drive.interrupt import stop_on_signals
from robot.measuring.motors import run_trials
from robot.measuring.watch import StoppedByHand
from sim.vehicle.params import VehicleParams

_WHAT = """Measure dead zone, speed, the two wheels' ratio, wheel base, motor lag and the delay from exposure to
wheels, and where on the robot the camera sits: the robot makes short moves ahead and back, within a square metre, while
its camera watches the floor. Measure lens and mount first. It asks before it moves; any key stops it, and so does
whatever is odd. With a simulated camera, which is the default, a made-up robot is measured and compared."""
_EXAMPLE = """linepilot calibrate motors --seed 3
  linepilot calibrate motors robot.yaml
  linepilot calibrate motors profile:jetbot motors.driver=motorhat camera.source=csi:0"""


def run(arguments: list[str]) -> int:
    chosen = chosen_from(arguments, "motors", what=_WHAT, example=_EXAMPLE, made_up="robot")
    config = vehicle_from(
        chosen, "differential",
        otherwise="a robot that steers by a servo is measured with: linepilot calibrate steering",
    )  # fmt: skip
    with stop_on_signals() as interrupted:
        try:
            found = watch(chosen, config, partial(run_trials, tell=tell), interrupted)
            fit = fit_motors(found.drive.orders, found.drive.steps, before=config.calibration)
        except StoppedByHand as stopped:
            print(f"linepilot calibrate: {stopped}", flush=True)
            return interrupted.exit_code or 1
    after = fit.applied_to(config.calibration, compute_s=found.compute_s)
    quality = _quality(fit, how=found.how)
    write_calibration(chosen.out, replace(after, measured=replace(after.measured, drive=quality)))
    _tell(fit, after, found.truth)
    print(f"{chosen.out}: drive, latency, place of the camera; next: {drive_with(chosen.settings, chosen.out)}")
    return 0


def _quality(fit: MotorFit, *, how: str) -> DriveQuality:
    left, right = fit.deviations["left_speed"] / fit.left_speed_mps, fit.deviations["right_speed"] / fit.right_speed_mps
    return DriveQuality(
        date=today(), how=how, speed=max(left, right), ratio=(left**2 + right**2) ** 0.5,
        dead_zone=fit.deviations["dead_zone"], wheel_base_m=fit.deviations["wheel_base_m"],
        lag_s=fit.deviations["lag_s"], delay_s=fit.deviations["delay_s"], scatter_m=fit.scatter_m,
    )  # fmt: skip


def _tell(fit: MotorFit, after: Calibration, truth: tuple[VehicleParams, Calibration] | None) -> None:
    true: dict[str, float] = {}
    if truth is not None:
        vehicle, real = truth
        true = {
            "ratio": vehicle.left_gain / vehicle.right_gain, "dead zone": vehicle.dead_zone,
            "top speed": vehicle.top_speed_mps * (vehicle.left_gain * vehicle.right_gain) ** 0.5 * (1 - vehicle.slip),
            "wheel base": vehicle.wheel_base_m / (1 - vehicle.understeer) * 100, "lag": vehicle.lag_s * 1000,
            "delay": vehicle.total_delay_s * 1000, "forward": real.mount.forward_m * 100, "yaw": real.mount.yaw_rad,
        }  # fmt: skip

    def row(label: str, name: str, value: float, digits: int, unit: str) -> tuple[str, str]:
        beside = f" (truth {true[name]:.{digits}f})" if name in true else ""
        return label, f"{value:.{digits}f}{beside}{unit}"

    rows = [
        row("left to right wheel", "ratio", fit.ratio, 3, ""),
        row("dead zone", "dead zone", fit.dead_zone, 3, ""),
        row("top speed, as extrapolated", "top speed", after.drive.top_speed_mps, 2, " m/s"),
        row("wheel base, slip included", "wheel base", fit.wheel_base_m * 100, 2, " cm"),
        row("motor lag", "lag", fit.lag_s * 1000, 1, " ms"),
        row("exposure to wheels", "delay", fit.delay_s * 1000, 1, " ms"),
        row("in a drive, network included", "", after.latency.delay_s * 1000, 1, " ms"),
        row("camera before the axle", "forward", fit.forward_m * 100, 2, " cm"),
        row("camera turned left", "yaw", fit.yaw_rad, 3, " rad"),
        ("scatter about the fit", f"{fit.scatter_m * 1000:.2f} mm"),
        ("pictures used", f"{fit.steps}"),
    ]
    Console().print(facts("motors", rows))
