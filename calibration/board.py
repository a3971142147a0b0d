"""The printed ChArUco board: a chessboard whose white squares carry numbered markers."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from control.errors import CalibrationError

Image = NDArray[np.uint8]
DICTIONARIES: dict[str, int] = {
    "4x4": cv2.aruco.DICT_4X4_50,
    "5x5": cv2.aruco.DICT_5X5_50,
    "6x6": cv2.aruco.DICT_6X6_50,
    "apriltag-36h11": cv2.aruco.DICT_APRILTAG_36h11,
}
BAR_MM = 100.0
"""Length of the scale bar beside the board."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Board:
    """Large squares, so that a camera of 224 pixels reads the markers; fits on A4 and on Letter.

    The board's frame: x along its short side to the right, y down, origin in the upper left corner, metres.
    """

    columns: int = 5
    rows: int = 7
    square_mm: float = 35.0
    marker_mm: float = 26.0
    dictionary: str = "4x4"

    def __post_init__(self) -> None:
        if not (3 <= self.columns <= 20 and 3 <= self.rows <= 20):
            raise CalibrationError(f"board: from 3 to 20 squares a side, not {self.columns} x {self.rows}")
        if self.columns % 2 == 0 or self.rows % 2 == 0:
            # OpenCV changed the pattern of even boards in 4.6; odd ones are the same for all.
            raise CalibrationError(f"board: {self.columns} x {self.rows} squares; give odd numbers, as 5 x 7")
        if self.dictionary not in DICTIONARIES:
            raise CalibrationError(f"board: unknown markers '{self.dictionary}' (known: {', '.join(DICTIONARIES)})")
        if not 0 < self.marker_mm < self.square_mm < 1000:
            raise CalibrationError("board: marker_mm must be above 0 and below square_mm, square_mm below 1000")
        if self.markers > 50:
            raise CalibrationError(
                f"board: {self.columns} x {self.rows} squares need {self.markers} markers, not over 50"
            )

    @property
    def markers(self) -> int:
        return self.columns * self.rows // 2

    @property
    def corners(self) -> int:
        """Inner corners, which are what is measured."""
        return (self.columns - 1) * (self.rows - 1)

    @property
    def size_mm(self) -> tuple[float, float]:
        return self.columns * self.square_mm, self.rows * self.square_mm

    def pattern(self) -> cv2.aruco.CharucoBoard:
        markers = cv2.aruco.getPredefinedDictionary(DICTIONARIES[self.dictionary])
        size = (self.columns, self.rows)
        return cv2.aruco.CharucoBoard(size, self.square_mm / 1000, self.marker_mm / 1000, markers)

    def points(self) -> NDArray[np.float64]:
        """(corners, 3) in the board's frame, metres, z = 0; the row is the corner's number."""
        return np.asarray(self.pattern().getChessboardCorners(), np.float64)

    def picture(self, *, pixels_per_mm: int) -> Image:
        """(H, W) grey, without a margin."""
        wide, high = (round(side * pixels_per_mm) for side in self.size_mm)
        return np.asarray(self.pattern().generateImage((wide, high), marginSize=0), np.uint8)

    def marker_cells(self, number: int) -> NDArray[np.bool_]:
        """(n, n): which cells of a marker are white, its black border included."""
        markers = self.pattern().getDictionary()
        side = int(markers.markerSize) + 2
        return np.asarray(cv2.aruco.generateImageMarker(markers, number, side, borderBits=1)) > 127
