"""Views of a board through a known lens, computed instead of rendered: corners with a little noise."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from calibration.board import Board
from calibration.detection import View
from calibration.profile import CameraModel
from sim.board_camera import BoardCamera

BOARD = Board()
FISHEYE = CameraModel(
    width=408, height=308, fx=148.0, fy=146.0, cx=206.0, cy=150.0, distortion=(-0.01, 0.003, 0.0, 0.0)
)
LARGE_FISHEYE = CameraModel(
    width=816, height=616, fx=296.0, fy=292.0, cx=412.5, cy=300.5, distortion=(-0.01, 0.003, 0.0, 0.0)
)
PINHOLE = CameraModel(
    width=320, height=240, model="pinhole", fx=260.0, fy=259.0, cx=162.0, cy=118.0,
    distortion=(-0.3, 0.1, 0.001, -0.0005),
)  # fmt: skip


def views_of(camera: CameraModel, count: int, *, seed: int = 0, noise_px: float = 0.1) -> list[View]:
    """Corners outside the picture are left out, as a camera does."""
    rng = np.random.default_rng(seed)
    maker = BoardCamera(camera, BOARD, rng=rng)
    found = []
    for number, pose in enumerate(maker.views(count)):
        pixels = maker.corners(pose)
        inside = ((pixels > 2) & (pixels < np.array([camera.width, camera.height]) - 3)).all(axis=1)
        if inside.sum() < 8:
            continue
        ids = np.flatnonzero(inside)
        found.append(
            View(
                name=f"{number:02}.png", size=(camera.width, camera.height), ids=tuple(ids.tolist()),
                points=BOARD.points()[ids], pixels=pixels[ids] + rng.normal(0, noise_px, (len(ids), 2)), edge_px=2.4,
            )
        )  # fmt: skip
    return found


def moved(view: View, by_px: tuple[float, float]) -> View:
    return replace(view, pixels=view.pixels + by_px)
