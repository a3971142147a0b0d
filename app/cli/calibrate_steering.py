"""``linepilot calibrate steering``: a car's servo centre, range and limits, its throttle and latency."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from math import degrees, tan

from rich.console import Console

from app.cli.calibration_file import drive_with, today, write_calibration
from app.cli.own_moves import chosen_from, tell, vehicle_from, watch
from app.cli.tables import facts
from calibration.profile import Calibration
from calibration.quality import SteeringQuality
from calibration.steering_fit import SteeringFit, fit_steering
from robot.drive.interrupt import stop_on_signals
from robot.measuring.steering import run_arcs
from robot.measuring.watch import StoppedByHand
from sim.vehicle.params import VehicleParams

_WHAT = """Measure the steering of a car: the servo command that drives straight on, how far the wheels turn to each
side and where the linkage ends, the curvature of each command, and throttle, motor lag and the delay from exposure to
wheels. The car drives short arcs ahead and back, within a square metre, while its camera watches the floor. Measure
lens and mount first, and the wheel base with a ruler: calibration.steering.wheel_base_m. It asks before it moves; any
key stops it, and so does whatever is odd. With a simulated camera, which is the default, a made-up car is measured."""
_EXAMPLE = """linepilot calibrate steering motors.vehicle=ackermann --seed 3
  linepilot calibrate steering jetracer.yaml
  linepilot calibrate steering jetracer.yaml calibration.steering.wheel_base_m=0.18"""


def run(arguments: list[str]) -> int:
    chosen = chosen_from(arguments, "steering", what=_WHAT, example=_EXAMPLE, made_up="car")
    config = vehicle_from(
        chosen, "ackermann",
        otherwise="two driven wheels are measured with: linepilot calibrate motors; a car is set by "
        "motors.vehicle=ackermann",
    )  # fmt: skip
    with stop_on_signals() as interrupted:
        try:
            found = watch(chosen, config, partial(run_arcs, tell=tell), interrupted)
            fit = fit_steering(found.drive.orders, found.drive.steps, before=config.calibration)
        except StoppedByHand as stopped:
            print(f"linepilot calibrate: {stopped}", flush=True)
            return interrupted.exit_code or 1
    after = fit.applied_to(config.calibration, compute_s=found.compute_s)
    quality = _quality(fit, how=found.how)
    write_calibration(chosen.out, replace(after, measured=replace(after.measured, steering=quality)))
    _tell(fit, after, found.truth[0] if found.truth is not None else None)
    print(f"{chosen.out}: steering, latency, place of the camera; next: {drive_with(chosen.settings, chosen.out)}")
    return 0


def _quality(fit: SteeringFit, *, how: str) -> SteeringQuality:
    known, servo = fit.deviations, fit.servo
    return SteeringQuality(
        date=today(), how=how, center=servo.scatter_rad / servo.max_angle_rad, curvature_1pm=fit.misfit_1pm,
        speed=known["speed"] / fit.top_speed_mps, dead_zone=known["dead_zone"], lag_s=known["lag_s"],
        delay_s=known["delay_s"], scatter_m=fit.scatter_m,
    )  # fmt: skip


def true_limits(car: VehicleParams) -> tuple[float, float]:
    """Right and left: the commands at which a simulated car's wheels are turned as far as they go."""
    center, most = car.steering_center, car.max_steering_rad
    right = max(-1.0, center - min(1.0, car.right_stop_rad / most))
    return right, min(1.0, center + min(1.0, car.left_stop_rad / most))


def true_curvature_1pm(car: VehicleParams, command: float) -> float:
    right, left = true_limits(car)
    angle = car.max_steering_rad * (max(right, min(left, command)) - car.steering_center)
    return tan(angle) / car.wheel_base_m * (1 - car.understeer)


def _tell(fit: SteeringFit, after: Calibration, car: VehicleParams | None) -> None:
    def row(label: str, value: float, digits: int, unit: str, true: float | None) -> tuple[str, str]:
        return label, f"{value:.{digits}f}" + (f" (truth {true:.{digits}f})" if true is not None else "") + unit

    servo = fit.servo
    true = _true_rows(car) if car is not None else {}
    found = {
        "servo centre": (servo.center, 3, ""),
        "limit to the right": (servo.right_limit, 2, ""),
        "limit to the left": (servo.left_limit, 2, ""),
        "range for a command of 1": (degrees(servo.max_angle_rad), 1, " degrees"),
        "top speed, as extrapolated": (fit.top_speed_mps, 2, " m/s"),
        "dead zone": (fit.dead_zone, 3, ""),
        "motor lag": (fit.lag_s * 1000, 1, " ms"),
        "exposure to wheels": (fit.delay_s * 1000, 1, " ms"),
        "in a drive, network included": (after.latency.delay_s * 1000, 1, " ms"),
    }
    rows = [row(name, value, digits, unit, true.get(name)) for name, (value, digits, unit) in found.items()]
    rows += [("scatter about the fit", f"{fit.scatter_m * 1000:.2f} mm"), ("pictures used", f"{fit.steps}")]
    console = Console()
    console.print(facts("steering", rows))
    curves = [
        row(f"curvature at {command:+.2f}", curvature, 2, " 1/m", true_curvature_1pm(car, command) if car else None)
        for command, curvature in fit.curvatures_1pm
    ]
    console.print(facts("each command by itself", curves))


def _true_rows(car: VehicleParams) -> dict[str, float]:
    right, left = true_limits(car)
    return {
        "servo centre": car.steering_center, "limit to the right": right, "limit to the left": left,
        "range for a command of 1": degrees(car.max_steering_rad),
        "top speed, as extrapolated": car.top_speed_mps * (car.left_gain + car.right_gain) / 2 * (1 - car.slip),
        "dead zone": car.dead_zone, "motor lag": car.lag_s * 1000, "exposure to wheels": car.total_delay_s * 1000,
    }  # fmt: skip
