"""The printed board, its PDF to the millimetre, and what is found of it in pictures."""

from __future__ import annotations

import re

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from app.cli.board_page import PAPERS, board_pdf
from calibration.board import BAR_MM, Board
from calibration.detection import BoardFinder, NoView, View
from control.errors import CalibrationError, InputError
from sim.board_camera import BoardCamera
from tests.calibration.views import BOARD, FISHEYE

Shot = tuple[NDArray[np.uint8], NDArray[np.float64]]
_POINT_MM = 25.4 / 72
_PIXELS_PER_MM = 4


def rectangles(pdf: bytes) -> list[tuple[float, NDArray[np.float64]]]:
    """Grey level and (4, 2) corners in mm from the lower left, in the order of painting."""
    found, grey = [], 0.0
    text = pdf.decode("latin1").partition("stream")[2].partition("endstream")[0]
    shape = r"([\d.]+) ([\d.]+) m\n([\d.]+) ([\d.]+) l\n([\d.]+) ([\d.]+) l\n([\d.]+) ([\d.]+) l\nh"
    for match in re.finditer(rf"^(Q q)(?!.* g$)|(?:^| )([\d.]+) g$|{shape}", text, re.M):
        restored, level, *numbers = match.groups()
        if restored:
            # The page begins with white.
            grey = 1.0
        if level:
            grey = float(level)
        if numbers[0]:
            found.append((grey, np.array(numbers, np.float64).reshape(4, 2) * _POINT_MM))
    return found


def rasterised(pdf: bytes, paper: str) -> NDArray[np.uint8]:
    wide, high = PAPERS[paper]
    page = np.full((round(high * _PIXELS_PER_MM), round(wide * _PIXELS_PER_MM)), 255, np.uint8)
    for grey, corners in rectangles(pdf)[1:]:
        pixels = np.stack([corners[:, 0], high - corners[:, 1]], axis=1) * _PIXELS_PER_MM
        (left, top), (right, bottom) = np.rint(pixels.min(axis=0)).astype(int), np.rint(pixels.max(axis=0)).astype(int)
        page[top:bottom, left:right] = round(grey * 255)
    return page


@pytest.mark.parametrize("paper", PAPERS)
def test_the_page_has_the_paper_s_size_and_the_bar_its_length(paper: str) -> None:
    pdf = board_pdf(BOARD, paper=paper)
    box = re.search(rb"/MediaBox \[ 0 0 ([\d.]+) ([\d.]+) \]", pdf)
    assert box is not None
    assert [float(side) * _POINT_MM for side in box.groups()] == pytest.approx(PAPERS[paper], abs=1e-3)
    sizes = [np.ptp(corners, axis=0) for _, corners in rectangles(pdf)]
    assert any(size == pytest.approx((BAR_MM, 1.5), abs=1e-4) for size in sizes)
    assert sum(bool(size == pytest.approx((35.0, 35.0), abs=1e-4)) for size in sizes) == 18


@pytest.mark.parametrize("paper", PAPERS)
def test_the_printed_page_is_found_as_the_board_that_it_is(paper: str) -> None:
    view = BoardFinder(BOARD).find(rasterised(board_pdf(BOARD, paper=paper), paper), name="page")
    assert isinstance(view, View)
    assert len(view.ids) == BOARD.corners
    measured_mm = view.pixels / _PIXELS_PER_MM
    true_mm = view.points[:, :2] * 1000
    np.testing.assert_allclose(measured_mm - measured_mm[0], true_mm - true_mm[0], atol=0.1)


def test_a_board_that_does_not_fit_is_refused() -> None:
    with pytest.raises(InputError, match="does not fit on Letter"):
        board_pdf(Board(square_mm=40.0, marker_mm=30.0), paper="Letter")


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"columns": 6}, "odd numbers"),
        ({"columns": 1}, "from 3 to 20"),
        ({"marker_mm": 35.0}, "below square_mm"),
        ({"dictionary": "9x9"}, "unknown markers"),
        ({"columns": 11, "rows": 11}, "not over 50"),
    ],
)
def test_impossible_boards_are_refused(wrong: dict[str, object], told: str) -> None:
    with pytest.raises(CalibrationError, match=told):
        Board(**wrong)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def shot() -> Shot:
    """A picture of the board and where its corners truly are."""
    camera = BoardCamera(FISHEYE, BOARD, rng=np.random.default_rng(2))
    pose = camera.views(5)[4]
    return camera.look(pose), camera.corners(pose)


def test_corners_are_found_to_a_fraction_of_a_pixel(shot: Shot) -> None:
    view = BoardFinder(BOARD).find(shot[0], name="shot")
    assert isinstance(view, View)
    assert np.abs(view.pixels - shot[1][list(view.ids)]).max() < 0.5
    assert view.edge_px < 3.5


def test_a_shaken_picture_has_wider_edges(shot: Shot) -> None:
    shaken = np.asarray(cv2.blur(shot[0], (4, 1)), np.uint8)
    still, moved = (BoardFinder(BOARD).find(picture, name="") for picture in (shot[0], shaken))
    assert isinstance(still, View)
    assert isinstance(moved, View)
    assert moved.edge_px > 1.25 * still.edge_px


def test_a_mirrored_picture_is_told(shot: Shot) -> None:
    found = BoardFinder(BOARD).find(np.asarray(cv2.flip(shot[0], 1), np.uint8), name="")
    assert isinstance(found, NoView)
    assert found.mirrored


def test_other_boards_are_told(shot: Shot) -> None:
    other_markers = BoardFinder(Board(dictionary="5x5")).find(shot[0], name="")
    assert isinstance(other_markers, NoView)
    assert "4x4 markers, not 5x5" in other_markers.reason
    other_squares = BoardFinder(Board(columns=3, rows=5)).find(shot[0], name="")
    assert isinstance(other_squares, NoView)
    assert other_squares.other_board


def test_a_picture_without_a_board_is_told() -> None:
    found = BoardFinder(BOARD).find(np.full((240, 320, 3), 90, np.uint8), name="")
    assert isinstance(found, NoView)
    assert found.reason == "no board seen in it"
