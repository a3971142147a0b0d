"""Made-up lenses and pictures to try a calibration on."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from calibration.board import Board
from calibration.profile import CameraModel
from sim.board_camera import BoardCamera


def hidden_lens(rng: np.random.Generator) -> CameraModel:
    """A wide lens on a CSI camera, each seed another one."""
    return CameraModel(
        width=816, height=616, model="fisheye", fx=295.0 * float(rng.uniform(0.95, 1.05)),
        fy=294.0 * float(rng.uniform(0.95, 1.05)), cx=407.5 + float(rng.uniform(-12, 12)),
        cy=307.5 + float(rng.uniform(-12, 12)),
        distortion=(float(rng.uniform(-0.03, 0.02)), float(rng.uniform(-0.005, 0.005)), 0.0, 0.0),
    )  # fmt: skip


def simulated_pictures(
    board: Board, *, seed: int, count: int
) -> tuple[list[tuple[str, NDArray[np.uint8]]], CameraModel]:
    """Names and pictures, some of them blurred, and the lens behind them."""
    rng = np.random.default_rng(seed)
    truth = hidden_lens(rng)
    camera = BoardCamera(truth, board, rng=rng)
    poses = camera.views(count)
    return [
        (f"{number:02}.png", camera.look(pose, motion_px=5.0 if number % 12 == 7 else 0.0))
        for number, pose in enumerate(poses)
    ], truth
