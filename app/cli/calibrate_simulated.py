"""Made-up cameras and pictures to try a calibration on."""

from __future__ import annotations

from math import radians

import cv2
import numpy as np
from numpy.typing import NDArray

from calibration.board import Board
from calibration.ground import board_to_camera
from calibration.profile import Calibration, CameraModel, CameraMount
from sim.board_camera import BoardCamera, BoardPose, SheetCamera
from sim.render.textures import tile

Image = NDArray[np.uint8]
SIMULATED = "simulated"
"""How a lens that was measured on made-up pictures says so."""
_SPOTS = ((0.40, 0.09, 0.0), (0.46, 0.10, 0.2), (0.42, 0.06, -0.2))
"""Where the board lies before the camera: x and y of its upper left corner, and how it is turned."""
_FLOOR_M, _FLOOR_PX_PER_MM = (2.0, 1.0), 2


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


def hidden_mount(rng: np.random.Generator) -> CameraMount:
    return CameraMount(
        height_m=float(rng.uniform(0.09, 0.16)), pitch_rad=radians(float(rng.uniform(16, 30))),
        roll_rad=radians(float(rng.uniform(-3, 3))),
    )  # fmt: skip


def simulated_floor(
    before: Calibration, board: Board, *, seed: int, line_mm: float | None
) -> tuple[list[tuple[str, Image]], CameraMount]:
    """Pictures of a board, or of a straight tape, on the floor, and the mount behind them.

    Through the made-up lens of this seed, when that is what was measured before.
    """
    rng = np.random.default_rng(seed)
    lens = hidden_lens(rng) if before.measured.camera.how == SIMULATED else before.camera
    mount = hidden_mount(np.random.default_rng(seed + 1))
    if line_mm is not None:
        # Nothing tells the roll from a line.
        mount = CameraMount(height_m=mount.height_m, pitch_rad=mount.pitch_rad)
        floor = SheetCamera(lens, _taped(line_mm), pixels_per_mm=_FLOOR_PX_PER_MM, beyond=90.0, rng=rng)
        place = (_FLOOR_M[0], _FLOOR_M[1] / 2 + float(rng.uniform(-0.03, 0.03)), 0.0)
        return [("floor", floor.look(_lying(mount, place)))], mount
    camera = BoardCamera(lens, board, rng=rng)
    return [(f"floor {number}", camera.look(_lying(mount, spot))) for number, spot in enumerate(_SPOTS)], mount


def _lying(mount: CameraMount, place: tuple[float, float, float]) -> BoardPose:
    rotation, position = board_to_camera(mount, place)
    return BoardPose(rotation=rotation, position=position)


def _taped(line_mm: float) -> Image:
    """A wooden floor with a white tape along it, seen from above."""
    wood = cv2.resize(cv2.cvtColor(tile("Wood_010"), cv2.COLOR_BGR2GRAY), (1200, 1200))
    rows, columns = (round(side * 1000 * _FLOOR_PX_PER_MM) for side in _FLOOR_M)
    floor = np.tile(wood, (rows // 1200 + 1, columns // 1200 + 1))[:rows, :columns].copy()
    half = line_mm / 2 * _FLOOR_PX_PER_MM
    floor[:, round(columns / 2 - half) : round(columns / 2 + half)] = 225
    return np.asarray(floor, np.uint8)
