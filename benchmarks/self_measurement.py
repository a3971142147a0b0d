"""How near a robot that measures itself comes to the truth: flat field, a car's steering, recorded drives, relay."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from app.cli.calibrate_flat_field import falloff_error
from app.cli.calibrate_latency import measured as measured_latency
from app.cli.calibrate_motors_simulated import made_up_robot, watch_world
from app.cli.calibrate_steering import true_curvature_1pm, true_limits
from benchmarks.results import emit
from benchmarks.tuned_gains import measured
from calibration.flat_field import fit_flat_field
from calibration.profile import Calibration
from calibration.steering_fit import fit_steering
from control.errors import LinepilotError
from control.relay import RelaySettings
from robot.config import load_config
from robot.drive.pilots import open_estimator
from robot.drive.recorder import SessionRecorder
from robot.measuring.steering import run_arcs
from sim.benchmark.run import simulate
from sim.scene import Scene
from sim.tracks.library import find_track
from sim.tuning.courses import Course, drive_course, together
from sim.tuning.gains import with_gains
from sim.tuning.relay import delay_at, gains_from, relay_of, simulated_relay
from sim.vehicle.params import JETBOT
from sim.white_sheet import WhiteSheetCamera
from sim.world import World

_TRACKS, _LOOK, _TICKS = ("corners", "Monaco", "Canada_Training"), "white-tape", 900
_LATE_S = 0.04

Found = dict[str, float]
ROWS: dict[str, tuple[str, float | None, str]] = {
    "flat_field_error": ("%", None, "rms of an evened sheet, light from a side that turns, 12 pictures of 224x224"),
    "flat_field_worst": ("%", None, "the same, worst pixel and colour"),
    "steering_center": ("command", None, "servo centre, of a range from -1 to 1"),
    "steering_limit": ("command", None, "where the linkage ends, worse side"),
    "steering_curvature": ("%", None, "worst command's curvature, of the largest curvature"),
    "steering_dead_zone": ("duty", 0.01, "of the throttle"),
    "steering_lag": ("ms", 15.0, "of the motor"),
    "steering_latency": ("ms", 10.0, "exposure to wheels, by the arcs of a car"),
    "session_latency": ("ms", 10.0, f"exposure to wheels, recorded drives of {_TICKS / 30:.0f} s, classical engine"),
    "session_lag": ("ms", 15.0, "of the motors, the same drives"),
    "relay_latency": ("ms", 10.0, "exposure to wheels with lag and half a frame, a straight line of 5 m, noisy labels"),
}  # fmt: skip


def flat_field(seed: int) -> Found:
    camera = WhiteSheetCamera(width=224, height=224, seed=seed)
    fit = fit_flat_field([(str(i), picture) for i, picture in enumerate(camera.look(12))])
    rms, worst = falloff_error(fit, camera)
    return {"flat_field_error": rms * 100, "flat_field_worst": worst * 100}


def steering(seed: int) -> Found:
    config = load_config(None, ["motors.vehicle=ackermann"])
    world, _ = made_up_robot(config, seed=seed, look="red-road")
    car, before = world.params, config.calibration
    drive = watch_world(world, before, partial(run_arcs, tell=lambda _: None), stopped_by=lambda: "")
    fit = fit_steering(drive.orders, drive.steps, before=before)
    right, left = true_limits(car)
    most = max(abs(true_curvature_1pm(car, end)) for end in (-1.0, 1.0))
    away = max(abs(fit.curvature_1pm(c / 20) - true_curvature_1pm(car, c / 20)) for c in range(-20, 21))
    return {
        "steering_center": fit.servo.center - car.steering_center,
        "steering_limit": max(abs(fit.servo.right_limit - right), abs(fit.servo.left_limit - left)),
        "steering_curvature": away / most * 100, "steering_dead_zone": fit.dead_zone - car.dead_zone,
        "steering_lag": (fit.lag_s - car.lag_s) * 1000, "steering_latency": (fit.delay_s - car.total_delay_s) * 1000,
    }  # fmt: skip


def session(seed: int) -> Found:
    """Another robot drives than the settings describe, camera a little off its place; the file alone is read."""
    config = load_config(None, ["model=classical"])
    rng = np.random.default_rng(seed)
    usual = Calibration()
    mount = replace(usual.mount, forward_m=usual.mount.forward_m + float(rng.uniform(-0.01, 0.01)),
                    yaw_rad=float(rng.uniform(-0.02, 0.02)))  # fmt: skip
    world = World(
        find_track(_TRACKS[seed % len(_TRACKS)]), look=_LOOK, vehicle=JETBOT, calibration=replace(usual, mount=mount),
        randomise=True,
    )  # fmt: skip
    world.reset(seed)
    scene = Scene.of(world, look=_LOOK, seed=seed, laps=1).to_json()
    with TemporaryDirectory() as folder:
        path = Path(folder) / "drive.mcap"
        recorder = SessionRecorder(path, config=config, facts={}, lossless=True, scene_json=scene)
        try:
            simulate(
                world, estimator=open_estimator(config), config=config, watch=lambda d: len(d.ticks) < _TICKS,
                keep=lambda tick, sections_s, truth: recorder(tick, sections_s=sections_s, truth=truth),
            )  # fmt: skip
        finally:
            recorder.close()
        fit, _ = measured_latency(path, most=_TICKS)
    robot = world.params
    return {
        "session_latency": (fit.total_s - robot.total_delay_s) * 1000,
        "session_lag": (fit.lag_s - robot.lag_s) * 1000,
    }


def relay(seed: int) -> Found:
    """Of a robot that the calibration knows as well as a measured one."""
    rng = np.random.default_rng(seed)
    robot = JETBOT.randomised(rng)
    shipped, settings = load_config(None), RelaySettings()
    config = shipped.model_copy(update={"calibration": measured(robot, rng)})
    fit = relay_of(simulated_relay(config, robot, settings, seed=seed), settings)
    true = delay_at(fit.period_s, delay_s=robot.total_delay_s, lag_s=robot.lag_s, fps=config.fps)
    tuned = with_gains(config, gains_from(fit, config))
    courses = [Course(track=f"random:{6000 + 10 * seed + i}", robot=robot, seed=seed + i) for i in range(3)]
    late = [replace(course, extra_delay_s=_LATE_S) for course in courses]
    before, after, before_late, after_late = (
        together([drive_course(course, chosen) for course in some]).error_m
        for some, chosen in ((courses, config), (courses, tuned), (late, config), (late, tuned))
    )
    return {
        "relay_latency": (fit.delay_s - true) * 1000, "relay_better": (1 - after / before) * 100,
        "relay_better_late": (1 - after_late / before_late) * 100,
    }  # fmt: skip


def report(*, seeds: int) -> None:
    """The worst of all made-up robots; those that could not be measured are counted."""
    parts: dict[str, Callable[[int], Found]] = {
        "flat_field": flat_field, "steering": steering, "session": session, "relay": relay
    }  # fmt: skip
    for part, measure in parts.items():
        found, refused = [], 0
        for seed in range(seeds):
            try:
                found.append(measure(seed))
                print(part, seed, found[-1], file=sys.stderr, flush=True)
            except LinepilotError as error:
                refused += 1
                print(part, seed, error, file=sys.stderr, flush=True)
        emit(f"calibration_{part}_refused", refused, unit="robots", target=0, better="lower",
             context=f"that gave no numbers, of {seeds} made-up robots")  # fmt: skip
        told = f"worst of {len(found)} made-up robots"
        for name, (unit, target, context) in ROWS.items():
            values = [abs(one[name]) for one in found if name in one]
            if values:
                emit(f"calibration_{name}", max(values), unit=unit, target=target, better="lower",
                     context=f"{context}; {told}")  # fmt: skip
        if part == "relay" and found:
            _report_relay(found, told=told)


def _report_relay(found: list[Found], *, told: str) -> None:
    better = [one["relay_better"] for one in found]
    context = "closed-loop rms with the relay's look-ahead, against that of the settings, three unseen random tracks"
    emit("calibration_relay_better", float(np.mean(better)), unit="%", target=25.0, better="higher",
         context=f"{context}; mean of {told.removeprefix('worst of ')}")  # fmt: skip
    emit("calibration_relay_worst_robot", min(better), unit="%", target=0.0, better="higher",
         context=f"{context}; {told}")  # fmt: skip
    emit("calibration_relay_better_late", float(np.mean([one["relay_better_late"] for one in found])), unit="%",
         target=None, better="higher",
         context=f"{context}, {_LATE_S * 1000:.0f} ms of delay that nobody knows of; mean of "
         f"{told.removeprefix('worst of ')}")  # fmt: skip
