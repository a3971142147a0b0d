"""How near the calibration comes to hidden truths: lens, mount, motors, latency. Prints JSON lines, the worst of all.

    python benchmarks/calibration.py [--seeds 3] [--parts 3] [--gains 20] | python benchmarks/results.py

Each seed is another made-up robot: its lens is fitted to pictures of a board, its mount to a board on the floor seen
through the fitted lens, and its motors by a drive that sees the floor through both. Nothing is told but the pictures.
Flat field, a car's steering, recorded drives and the relay have made-up robots of their own (--parts).
Then gains are searched for other robots, and OpenCV's own sample pictures are fitted where opencv-doc is installed.
"""

from __future__ import annotations

import argparse
import os
import sys
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from app.cli.calibrate_motors_simulated import watch_world  # noqa: E402
from app.cli.calibrate_simulated import hidden_lens, simulated_floor  # noqa: E402
from benchmarks.opencv_samples import report as report_samples  # noqa: E402
from benchmarks.results import emit  # noqa: E402
from benchmarks.self_measurement import report as report_parts  # noqa: E402
from benchmarks.tuned_gains import report as report_gains  # noqa: E402
from calibration.board import Board  # noqa: E402
from calibration.camera import CameraFit, fit_camera  # noqa: E402
from calibration.detection import BoardFinder, View  # noqa: E402
from calibration.floor_line import fit_line  # noqa: E402
from calibration.ground import fit_mount  # noqa: E402
from calibration.motor_fit import MotorFit, fit_motors  # noqa: E402
from calibration.profile import Calibration, CameraModel, CameraMount  # noqa: E402
from calibration.projection import GroundProjection  # noqa: E402
from robot.measuring.motors import run_trials  # noqa: E402
from sim.board_camera import BoardCamera  # noqa: E402
from sim.tracks.library import find_track  # noqa: E402
from sim.vehicle.params import JETBOT, VehicleParams  # noqa: E402
from sim.world import World  # noqa: E402

BOARD = Board()
VIEWS = 27
LINE_MM = 25.0
FLOOR = "red-road"


@dataclass(slots=True)
class Worst:
    """The largest value of each name, and where it stands in the report."""

    values: dict[str, float] = field(default_factory=dict)

    def see(self, name: str, value: float) -> None:
        self.values[name] = max(self.values.get(name, 0.0), abs(float(value)))


def narrow_lens(rng: np.random.Generator) -> CameraModel:
    """A USB camera."""
    return CameraModel(
        width=640, height=480, model="pinhole", fx=float(rng.uniform(480, 560)), fy=float(rng.uniform(480, 560)),
        cx=319.5 + float(rng.uniform(-10, 10)), cy=239.5 + float(rng.uniform(-10, 10)),
        distortion=(float(rng.uniform(-0.35, -0.1)), float(rng.uniform(0.02, 0.12)), 0.001, -0.0005),
    )  # fmt: skip


def small_lens(rng: np.random.Generator) -> CameraModel:
    """A JetBot's picture: 160 degrees squashed to 224 pixels a side."""
    usual = CameraModel()
    return replace(usual, fx=usual.fx * float(rng.uniform(0.95, 1.05)), fy=usual.fy * float(rng.uniform(0.95, 1.05)))


def measured_lens(truth: CameraModel, *, seed: int) -> CameraFit:
    maker = BoardCamera(truth, BOARD, rng=np.random.default_rng(seed + 100))
    finder = BoardFinder(BOARD)
    return fit_camera([finder.find(maker.look(pose), name=str(i)) for i, pose in enumerate(maker.views(VIEWS))])


def see_lens(worst: Worst, kind: str, truth: CameraModel, fit: CameraFit) -> None:
    found = fit.camera
    if found.model != truth.model:
        raise SystemExit(f"a {truth.model} lens was taken for {found.model}")
    worst.see(f"{kind}_focal", max(abs(found.fx / truth.fx - 1), abs(found.fy / truth.fy - 1)) * 100)
    worst.see(f"{kind}_center", np.hypot(found.cx - truth.cx, found.cy - truth.cy))
    worst.see(f"{kind}_held_out", fit.held_out_px)


def floor_error_m(found: Calibration, truth: Calibration, *, near_m: float, far_m: float) -> float:
    """Largest error of floor points between two distances from the camera, up to 0.25 m to each side."""
    ahead = truth.mount.forward_m + np.linspace(near_m, far_m, 12)
    spots = np.stack(np.meshgrid(ahead, np.linspace(-0.25, 0.25, 7)), axis=-1).reshape(-1, 2)
    seen = GroundProjection(truth.camera, truth.mount).to_image(spots)
    inside = (np.abs(seen) < 1).all(axis=1)
    away = GroundProjection(found.camera, found.mount).to_ground(seen[inside]) - spots[inside]
    return float(np.linalg.norm(away, axis=1).max())


def see_mount(worst: Worst, name: str, found: Calibration, truth: Calibration) -> None:
    worst.see(f"{name}_half_m", floor_error_m(found, truth, near_m=0.15, far_m=0.5) * 100)
    worst.see(f"{name}_1_m", floor_error_m(found, truth, near_m=0.15, far_m=1.0) * 100)


def measured_mount(camera: CameraModel, pictures: list[tuple[str, NDArray[np.uint8]]]) -> CameraMount:
    found = [BoardFinder(BOARD, fewest=6).find(picture, name=name) for name, picture in pictures]
    views = [view for view in found if isinstance(view, View)]
    return fit_mount(camera, views, board=BOARD, before=CameraMount()).mount


def measured_motors(believed: Calibration, truth: Calibration, *, seed: int) -> tuple[MotorFit, VehicleParams]:
    world = World(find_track("oval"), look=FLOOR, vehicle=JETBOT, calibration=truth, randomise=True)
    world.reset(seed, lateral_m=0.5)
    trials = partial(run_trials, tell=lambda _: None)
    drive = watch_world(world, believed, trials, stopped_by=lambda: "")
    return fit_motors(drive.orders, drive.steps, before=believed), world.params


def see_motors(worst: Worst, kind: str, fit: MotorFit, truth: VehicleParams) -> None:
    worst.see(f"{kind}_dead_zone", fit.dead_zone - truth.dead_zone)
    worst.see(f"{kind}_ratio", (fit.ratio * truth.right_gain / truth.left_gain - 1) * 100)
    worst.see(f"{kind}_lag", (fit.lag_s - truth.lag_s) * 1000)
    worst.see(f"{kind}_latency", (fit.delay_s - truth.total_delay_s) * 1000)
    top = truth.top_speed_mps * (truth.left_gain * truth.right_gain) ** 0.5 * (1 - truth.slip)
    worst.see(f"{kind}_top_speed", ((fit.left_speed_mps * fit.right_speed_mps) ** 0.5 / top - 1) * 100)


def one_robot(worst: Worst, *, seed: int) -> None:
    lens = hidden_lens(np.random.default_rng(seed))
    fit = measured_lens(lens, seed=seed)
    see_lens(worst, "wide", lens, fit)
    for kind, make in (("narrow", narrow_lens), ("small", small_lens)):
        other = make(np.random.default_rng(seed))
        see_lens(worst, kind, other, measured_lens(other, seed=seed))
    pictures, mount = simulated_floor(Calibration(camera=lens), BOARD, seed=seed, line_mm=None)
    truth = Calibration(camera=lens, mount=mount)
    believed = Calibration(camera=fit.camera, mount=measured_mount(fit.camera, pictures))
    see_mount(worst, "board", believed, truth)
    tape, level = simulated_floor(Calibration(camera=lens), BOARD, seed=seed, line_mm=LINE_MM)
    by_line = fit_line(fit.camera, tape[0][1], width_m=LINE_MM / 1000, before=CameraMount()).mount
    see_mount(worst, "line", replace(believed, mount=by_line), Calibration(camera=lens, mount=level))
    see_motors(worst, "wide", *measured_motors(believed, truth, seed=seed))
    # JetBot's own pictures: what a robot sees that drives at 224 pixels.
    usual = Calibration()
    see_motors(worst, "small", *measured_motors(usual, usual, seed=seed))


# name: unit, target, what it was measured on
_WIDE, _NARROW, _SMALL = "fisheye of 816x616", "pinhole of 640x480", "fisheye of 224x224"
ROWS: dict[str, tuple[str, float | None, str]] = {
    "wide_focal": ("%", 0.5, _WIDE),
    "wide_center": ("px", 2.0, _WIDE),
    "wide_held_out": ("px", 0.4, _WIDE),
    "narrow_focal": ("%", 0.5, _NARROW),
    "narrow_center": ("px", 2.0, _NARROW),
    "narrow_held_out": ("px", 0.4, _NARROW),
    "small_focal": ("%", 0.5, _SMALL),
    "small_center": ("px", 2.0, _SMALL),
    "small_held_out": ("px", 0.4, _SMALL),
    "board_half_m": ("cm", 1.0, f"floor points to 0.5 m, board on the floor, {_WIDE}"),
    "board_1_m": ("cm", 3.0, f"floor points to 1 m, board on the floor, {_WIDE}"),
    "line_half_m": ("cm", None, f"floor points to 0.5 m, a tape of {LINE_MM:g} mm, no roll, {_WIDE}"),
    "line_1_m": ("cm", None, f"floor points to 1 m, a tape of {LINE_MM:g} mm, no roll, {_WIDE}"),
    "wide_dead_zone": ("duty", 0.01, f"{_WIDE}, lens and mount as measured"),
    "wide_ratio": ("%", 1.0, f"left to right wheel, {_WIDE}, lens and mount as measured"),
    "wide_lag": ("ms", 15.0, f"{_WIDE}, lens and mount as measured"),
    "wide_latency": ("ms", 10.0, f"exposure to wheels, {_WIDE}, lens and mount as measured"),
    "wide_top_speed": ("%", None, f"battery that sags left out, {_WIDE}, lens and mount as measured"),
    "small_dead_zone": ("duty", 0.01, f"{_SMALL}, lens and mount as known"),
    "small_ratio": ("%", 1.0, f"left to right wheel, {_SMALL}, lens and mount as known"),
    "small_lag": ("ms", 15.0, f"{_SMALL}, lens and mount as known"),
    "small_latency": ("ms", 10.0, f"exposure to wheels, {_SMALL}, lens and mount as known"),
    "small_top_speed": ("%", None, f"battery that sags left out, {_SMALL}, lens and mount as known"),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=3, help="made-up robots; default: 3")
    parser.add_argument(
        "--parts", type=int, default=3, metavar="N",
        help="made-up robots for flat field, steering, recorded drives and relay; default: 3",
    )  # fmt: skip
    parser.add_argument(
        "--gains", type=int, default=20, metavar="N", help="robots whose gains are searched; default: 20"
    )
    parser.add_argument("--trials", type=int, default=60, help="settings tried for each; default: 60")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    options = parser.parse_args()
    cv2.setNumThreads(1)
    if not report_samples():
        print("no OpenCV samples here: apt-get install opencv-doc", file=sys.stderr)
    if options.gains:
        report_gains(robots=options.gains, trials=options.trials, workers=options.workers)
    if options.parts:
        report_parts(seeds=options.parts)
    if not options.seeds:
        return
    worst = Worst()
    for seed in range(options.seeds):
        one_robot(worst, seed=seed)
    for name, (unit, target, context) in ROWS.items():
        told = f"{context}; worst of {options.seeds} made-up robots"
        emit(f"calibration_{name}", worst.values[name], unit=unit, target=target, better="lower", context=told)


if __name__ == "__main__":
    main()
