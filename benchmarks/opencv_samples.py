"""OpenCV's own calibration pictures, where Debian's opencv-doc is installed: our lens beside the one it publishes."""

from __future__ import annotations

import os
from pathlib import Path

import cv2
import numpy as np

from benchmarks.results import emit
from calibration.camera import fit_camera
from calibration.detection import View

_INSTALLED = Path("/usr/share/doc/opencv-doc/examples/data")
_COLUMNS, _ROWS = 9, 6
"""Inner corners of the chessboard in left01.jpg to left14.jpg."""
_SETTLED = (cv2.TERM_CRITERIA_COUNT + cv2.TERM_CRITERIA_EPS, 40, 1e-4)
_SHARP_PX = 2.0
"""Blur is not looked at: OpenCV used all of its pictures."""


def _view(path: Path, square_m: float) -> View | None:
    grey = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
    found, corners = cv2.findChessboardCorners(grey, (_COLUMNS, _ROWS))
    if not found:
        return None
    corners = cv2.cornerSubPix(grey, corners, (11, 11), (-1, -1), _SETTLED)
    grid = np.stack(np.meshgrid(np.arange(_COLUMNS), np.arange(_ROWS)), axis=-1).reshape(-1, 2) * square_m
    points = np.column_stack([grid, np.zeros(len(grid))])
    return View(
        name=path.name, size=(grey.shape[1], grey.shape[0]), ids=tuple(range(len(points))), points=points,
        pixels=np.asarray(corners, np.float64).reshape(-1, 2), edge_px=_SHARP_PX,
    )  # fmt: skip


def report() -> bool:
    """Whether the pictures are there: LINEPILOT_OPENCV_SAMPLES, or where the package puts them."""
    folder = Path(os.environ.get("LINEPILOT_OPENCV_SAMPLES", _INSTALLED))
    published = folder / "left_intrinsics.yml"
    if not published.is_file():
        return False
    stored = cv2.FileStorage(str(published), cv2.FILE_STORAGE_READ)
    matrix, coefficients = (np.asarray(stored.getNode(n).mat()) for n in ("camera_matrix", "distortion_coefficients"))
    square_m = stored.getNode("square_size").real()
    theirs_px = stored.getNode("avg_reprojection_error").real()
    views = [view for path in sorted(folder.glob("left[0-9]*.jpg")) for view in [_view(path, square_m)] if view]
    fit = fit_camera(views, lens="pinhole")
    ours = fit.camera
    focal = max(abs(ours.fx / matrix[0, 0] - 1), abs(ours.fy / matrix[1, 1] - 1)) * 100
    center = float(np.hypot(ours.cx - matrix[0, 2], ours.cy - matrix[1, 2]))
    note = (
        f"{len(fit.views)} of {len(views)} pictures of OpenCV's samples, beside {published.name} "
        f"(fx {matrix[0, 0]:.2f}, {theirs_px:.3f} px, k1 {coefficients.ravel()[0]:.3f}); "
        f"ours fx {ours.fx:.2f}, fy {ours.fy:.2f}, k1 {ours.distortion[0]:.3f}"
    )
    emit("calibration_opencv_focal", focal, unit="%", target=0.5, better="lower", context=note)
    emit("calibration_opencv_center", center, unit="px", target=2.0, better="lower", context=note)
    emit("calibration_opencv_fit", fit.fit_px, unit="px", target=None, better="lower", context=note)
    emit("calibration_opencv_held_out", fit.held_out_px, unit="px", target=0.4, better="lower", context=note)
    return True
