"""From views of a board to a lens: pinhole and fisheye, judged on views that the fit has not seen."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from calibration.coverage import Coverage, coverage_of
from calibration.detection import NoView, View
from calibration.fisheye_fit import fit_fisheye
from calibration.least_squares import solve
from calibration.lens import pixels_to_rays, rays_to_pixels
from calibration.profile import CameraModel
from control.errors import CalibrationError

Array = NDArray[np.float64]
Lens = Literal["auto", "pinhole", "fisheye"]
FEWEST_VIEWS = 8
_FOLDS = 4
_BLURRED_PX, _BLURRED_TIMES = 4.0, 1.6
"""A view is blurred when its edges are this wide, and this many times as wide as those of the others."""
_STRAY_TIMES, _STRAY_PX = 3.0, 0.5
"""A view is left out when it fits this many times worse than the others, and worse than this."""
_FEWEST_REGIONS = 5
_WORST = 0.01
"""Share of the picture's width that corners may be off."""
_VAGUE = 0.02
"""Relative deviation of the focal length from which on it counts as unknown."""
_SETTLE = (cv2.TERM_CRITERIA_COUNT + cv2.TERM_CRITERIA_EPS, 200, 1e-9)
_WIDEST_RAD = np.radians(85.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class CameraFit:
    camera: CameraModel
    views: tuple[View, ...]
    left_out: tuple[NoView, ...]
    coverage: Coverage
    fit_px: float
    """Root mean square distance of corners in the views of the fit."""
    held_out_px: float
    """The same in views that the fit had not seen, each view once."""
    focal_deviation: float
    """Relative standard deviation, as fits on parts of the views scatter."""
    center_deviation_px: float


def fit_camera(seen: Sequence[View | NoView], *, lens: Lens = "auto") -> CameraFit:
    """Raises CalibrationError in plain words when the views cannot tell the lens."""
    views, left_out = _usable(seen)
    kinds: tuple[Literal["pinhole", "fisheye"], ...] = ("pinhole", "fisheye") if lens == "auto" else (lens,)
    fits = [fit for kind in kinds for fit in [_fit(views, kind)] if fit is not None]
    if not fits:
        raise CalibrationError("no lens fits these views; is the board flat, and all pictures of one camera and zoom?")
    best = min(fits, key=lambda fit: fit.held_out_px)
    if best.held_out_px > _WORST * best.camera.width:
        raise CalibrationError(
            f"no lens fits these views ({best.held_out_px:.1f} px off); "
            "is the board flat, and are all pictures of one camera and zoom?"
        )
    if best.focal_deviation > _VAGUE:
        raise CalibrationError(
            f"the views leave the focal length open (+- {best.focal_deviation * 100:.0f} %); "
            "add pictures with the board tilted to all sides, and near"
        )
    stray = tuple(NoView(name=view.name, reason="does not fit the others") for view in views if view not in best.views)
    return CameraFit(
        camera=best.camera, views=best.views, left_out=(*left_out, *stray), coverage=coverage_of(best.views),
        fit_px=best.fit_px, held_out_px=best.held_out_px, focal_deviation=best.focal_deviation,
        center_deviation_px=best.center_deviation_px,
    )  # fmt: skip


def _usable(seen: Sequence[View | NoView]) -> tuple[list[View], list[NoView]]:
    views = [view for view in seen if isinstance(view, View)]
    left_out = [view for view in seen if isinstance(view, NoView)]
    _refuse_strange(views, left_out)
    sizes = Counter(view.size for view in views)
    if len(sizes) > 1:
        told = ", ".join(f"{w}x{h}" for w, h in sizes)
        raise CalibrationError(f"the pictures have different sizes ({told}); take all with the same settings")
    if views:
        usual = float(np.median([view.edge_px for view in views]))
        limit = max(_BLURRED_PX, _BLURRED_TIMES * usual)
        left_out += [NoView(name=view.name, reason="blurred") for view in views if view.edge_px > limit]
        views = [view for view in views if view.edge_px <= limit]
    _refuse_too_little(views, left_out)
    return views, left_out


def _refuse_strange(views: Sequence[View], left_out: Sequence[NoView]) -> None:
    mirrored, others = [v for v in left_out if v.mirrored], [v for v in left_out if v.other_board]
    if len(mirrored) > len(views):
        raise CalibrationError(
            f"{mirrored[0].name}: the pictures are mirrored; turn mirroring off in the camera's settings, "
            "since left would be right"
        )
    if len(others) > len(views):
        raise CalibrationError(
            f"{others[0].name}: {others[0].reason}; print the right one with `linepilot calibrate board`, "
            "or say which one it is"
        )


def _refuse_too_little(views: Sequence[View], left_out: Sequence[NoView]) -> None:
    if len(views) < FEWEST_VIEWS:
        common = Counter(view.reason for view in left_out).most_common(1)
        why = f" (most often: {common[0][0]})" if common else ""
        raise CalibrationError(
            f"too few views: {len(views)} of {len(views) + len(left_out)} pictures can be used{why}; "
            f"take {FEWEST_VIEWS} or better 20 with the board near, in all parts of the picture and tilted"
        )
    coverage = coverage_of(views)
    if coverage.empty_side is not None or len(coverage.missing) > 9 - _FEWEST_REGIONS:
        side = f"nothing in its {coverage.empty_side} third; " if coverage.empty_side else ""
        raise CalibrationError(
            f"the views are one-sided: {side}hold the board also in these parts of the picture: "
            + ", ".join(coverage.missing)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Fit:
    camera: CameraModel
    views: tuple[View, ...]
    fit_px: float
    held_out_px: float
    focal_deviation: float
    center_deviation_px: float


def _fit(views: Sequence[View], kind: Literal["pinhole", "fisheye"]) -> _Fit | None:
    """None when the lens cannot be of this kind."""
    camera = _fit_once(views, kind)
    if camera is None:
        return None
    errors = np.array([view_error_px(camera, view) for view in views])
    limit = max(_STRAY_PX, _STRAY_TIMES * float(np.median(errors)))
    kept = [view for view, error in zip(views, errors, strict=True) if error <= limit]
    camera = _fit_once(kept, kind, near=camera) if len(kept) >= FEWEST_VIEWS else None
    if camera is None:
        return None
    parts = [
        _fit_once([view for i, view in enumerate(kept) if i % _FOLDS != fold], kind, near=camera)
        for fold in range(_FOLDS)
    ]
    if any(part is None for part in parts):
        return None
    folds = [part for part in parts if part is not None]
    held_out = [view_error_px(folds[i % _FOLDS], view) for i, view in enumerate(kept)]
    numbers = np.array([(part.fx, part.fy, part.cx, part.cy) for part in folds])
    # The jackknife: how far the answer moves when a part of the views is missing.
    deviation = np.sqrt((_FOLDS - 1) / _FOLDS * ((numbers - numbers.mean(axis=0)) ** 2).sum(axis=0))
    return _Fit(
        camera=camera, views=tuple(kept), fit_px=_rms([view_error_px(camera, view) for view in kept]),
        held_out_px=_rms(held_out), focal_deviation=float(max(deviation[0] / camera.fx, deviation[1] / camera.fy)),
        center_deviation_px=float(max(deviation[2:])),
    )  # fmt: skip


def _rms(values: Sequence[float]) -> float:
    return float(np.sqrt(np.mean(np.square(values))))


def _fit_once(
    views: Sequence[View], kind: Literal["pinhole", "fisheye"], *, near: CameraModel | None = None
) -> CameraModel | None:
    """``near`` is a lens to start from. None when there is none of this kind."""
    camera = _pinhole(views) if kind == "pinhole" else _fisheye(views, near)
    return camera if camera is not None and all(_opens_outwards(camera, view) for view in views) else None


def _fisheye(views: Sequence[View], near: CameraModel | None) -> CameraModel | None:
    best, places, least = None, np.zeros((0, 6)), np.inf
    for guess in [near] if near is not None else _guesses(views[0].size):
        found = [board_pose(guess, view) for view in views]
        error = float(np.median([away for _, away in found]))
        if error < least:
            best, places, least = guess, np.array([pose for pose, _ in found]), error
    return None if best is None else fit_fisheye(views, best, places)


def _guesses(size: tuple[int, int]) -> list[CameraModel]:
    """Lenses of several widths; also of sensors whose picture of 4:3 was squashed."""
    wide, high = size
    return [
        CameraModel(
            width=wide, height=high, fx=share * wide, fy=share * wide * squash, cx=(wide - 1) / 2, cy=(high - 1) / 2,
            distortion=(0.0, 0.0, 0.0, 0.0),
        )
        for share in (0.27, 0.36, 0.5, 0.8)
        for squash in (1.0, 4 / 3)
    ]  # fmt: skip


def _pinhole(views: Sequence[View]) -> CameraModel | None:
    size = views[0].size
    points = [view.points.astype(np.float32) for view in views]
    pixels = [view.pixels.astype(np.float32) for view in views]
    try:
        _, matrix, bends, _, _ = cv2.calibrateCamera(
            points, pixels, size, np.eye(3), np.zeros(4), flags=cv2.CALIB_FIX_K3, criteria=_SETTLE
        )
    except cv2.error:
        # OpenCV's way to say that these views fit no such lens.
        return None
    k1, k2, p1, p2 = (float(v) for v in np.ravel(bends)[:4])
    fx, fy, cx, cy = (float(matrix[i, j]) for i, j in ((0, 0), (1, 1), (0, 2), (1, 2)))
    if not np.isfinite((fx, fy, cx, cy, k1, k2, p1, p2)).all() or min(fx, fy) <= 0:
        return None
    return CameraModel(
        width=size[0], height=size[1], model="pinhole", fx=fx, fy=fy, cx=cx, cy=cy, distortion=(k1, k2, p1, p2)
    )


def _opens_outwards(camera: CameraModel, view: View) -> bool:
    """Whether each corner's ray is the only one that leads to it: a bad fit folds the picture over."""
    back = rays_to_pixels(camera, pixels_to_rays(camera, view.pixels))
    return bool(np.nanmax(np.abs(back - view.pixels)) < 1.0)


def view_error_px(camera: CameraModel, view: View) -> float:
    """Root mean square distance of a view's corners when only the board's place is free."""
    return board_pose(camera, view)[1]


def board_pose(camera: CameraModel, view: View) -> tuple[Array, float]:
    """Rotation vector and position (6,) of board frame -> camera frame, and the error in pixels."""
    rays = pixels_to_rays(camera, view.pixels)
    ahead = rays[:, 2] > np.cos(_WIDEST_RAD)
    if ahead.sum() < 4:
        return np.zeros(6), np.inf
    flat = rays[ahead, :2] / rays[ahead, 2:]
    found, turn, place = cv2.solvePnP(view.points[ahead], flat, np.eye(3), np.zeros(4), flags=cv2.SOLVEPNP_IPPE)
    if not found:
        return np.zeros(6), np.inf

    def residuals(pose: Array) -> Array:
        away = rays_to_pixels(camera, view.points @ cv2.Rodrigues(pose[:3])[0].T + pose[3:]) - view.pixels
        return np.nan_to_num(away, nan=1e3).ravel()

    start = np.concatenate([np.ravel(turn), np.ravel(place)])
    try:
        answer = solve(residuals, start, steps=np.full(6, 1e-6))
    except CalibrationError:
        # A lens that is far off has no place for the board.
        return start, np.inf
    return answer.values, answer.rms * float(np.sqrt(2))
