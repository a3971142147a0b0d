"""Finds the corners of a printed board in a picture, or says why there are none to use."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from calibration.board import DICTIONARIES, Board

Array = NDArray[np.float64]
Image = NDArray[np.uint8]
_SMALL_PX = 400
"""Pictures lower than this are enlarged: the markers' cells would be hardly a pixel wide."""
_FEWEST = 8
"""Corners; with fewer a view says more about its noise than about the lens."""
_PATCH_PX = 5


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class View:
    """What one picture shows of the board."""

    name: str
    size: tuple[int, int]
    """Width and height of the picture."""
    ids: tuple[int, ...]
    """Numbers of the corners seen."""
    points: Array
    """(n, 3) board frame, metres."""
    pixels: Array
    """(n, 2)."""
    edge_px: float
    """How wide its edges are: about 2 in a sharp picture."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NoView:
    name: str
    reason: str
    mirrored: bool = False
    other_board: bool = False


class BoardFinder:
    """For many pictures of one board."""

    def __init__(self, board: Board, *, fewest: int = _FEWEST) -> None:
        """A view shows at least ``fewest`` corners."""
        self._fewest = fewest
        self.board = board
        self._points = board.points()
        self._detector = cv2.aruco.CharucoDetector(board.pattern())

    def find(self, image: Image, *, name: str) -> View | NoView:
        """``image`` is (H, W, 3) BGR or (H, W) grey."""
        grey = image if image.ndim == 2 else np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), np.uint8)
        times = -(-_SMALL_PX // min(grey.shape)) if min(grey.shape) < _SMALL_PX else 1
        large = grey
        if times > 1:
            large = np.asarray(cv2.resize(grey, None, fx=times, fy=times, interpolation=cv2.INTER_CUBIC), np.uint8)
        corners, ids, _, markers = self._detector.detectBoard(large)
        seen = 0 if ids is None else len(ids)
        if seen < self._fewest:
            numbers = np.ravel(markers if markers is not None else [])
            return self._why_not(large, name=name, corners=seen, markers=numbers)
        pixels = (np.asarray(corners, np.float64).reshape(-1, 2) + 0.5) / times - 0.5
        numbers = np.ravel(ids)
        return View(
            name=name, size=(grey.shape[1], grey.shape[0]), ids=tuple(numbers.tolist()), points=self._points[numbers],
            pixels=pixels, edge_px=_edge_width(grey, pixels),
        )  # fmt: skip

    def _why_not(
        self, grey: Image, *, name: str, corners: int, markers: NDArray[np.integer[Any] | np.floating[Any]]
    ) -> NoView:
        board = self.board
        if corners:
            return NoView(name=name, reason=f"only {corners} of {board.corners} corners seen; hold it nearer")
        strange = len(markers) > 2 and (markers >= board.markers).any()
        if strange or len(markers) > board.markers // 2:
            squares = f"{board.columns} x {board.rows} squares"
            return NoView(name=name, reason=f"a board with other squares than {squares}", other_board=True)
        if len(markers) <= 2:
            if _markers(np.asarray(cv2.flip(grey, 1), np.uint8), board.dictionary) > 3:
                return NoView(name=name, reason="the picture is mirrored", mirrored=True)
            other = next((d for d in DICTIONARIES if d != board.dictionary and _markers(grey, d) > 3), None)
            if other:
                reason = f"a board with {other} markers, not {board.dictionary}"
                return NoView(name=name, reason=reason, other_board=True)
        return NoView(name=name, reason="no board seen in it")


def _markers(grey: Image, dictionary: str) -> int:
    detector = cv2.aruco.ArucoDetector(cv2.aruco.getPredefinedDictionary(DICTIONARIES[dictionary]))
    return len(detector.detectMarkers(grey)[0])


def _edge_width(grey: Image, pixels: Array) -> float:
    """Contrast over steepest slope around each corner, in the worse direction, median, in pixels.

    A shaking hand blurs in one direction only.
    """
    across, down = cv2.Sobel(grey, cv2.CV_32F, 1, 0, scale=0.125), cv2.Sobel(grey, cv2.CV_32F, 0, 1, scale=0.125)
    slopes = np.abs(across), np.abs(down)
    widths = []
    for column, row in np.rint(pixels).astype(int):
        part = (
            slice(max(0, row - _PATCH_PX), row + _PATCH_PX + 1),
            slice(max(0, column - _PATCH_PX), column + _PATCH_PX + 1),
        )
        if grey[part].size:
            low, high = np.percentile(grey[part], (5, 95))
            gentlest = min(float(slope[part].max()) for slope in slopes)
            widths.append((high - low) / max(gentlest, 1e-6))
    return float(np.median(widths)) if widths else np.inf
