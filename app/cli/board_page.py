"""The board as a page to print: black rectangles at exact millimetres, and a bar to check the print with."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import numpy as np

from calibration.board import BAR_MM, Board
from control.errors import InputError

PAPERS = {"A4": (210.0, 297.0), "Letter": (215.9, 279.4)}
_INCH_MM = 25.4
_EDGE_MM = 6.0
"""What printers cannot print on."""
_FOOT_MM = 18.0
_Box = tuple[float, float, float, float]
"""Left, bottom, width and height in millimetres from the page's lower left corner."""


def board_pdf(board: Board, *, paper: str) -> bytes:
    """One page. Raises InputError when the board is larger than the paper."""
    wide, high = PAPERS[paper]
    across, along = board.size_mm
    if across > wide - 2 * _EDGE_MM or along > high - 2 * _EDGE_MM - _FOOT_MM:
        raise InputError(
            f"a board of {across:g} x {along:g} mm does not fit on {paper} with its scale bar; "
            "give smaller --square and --marker, or fewer squares"
        )
    left, bottom = (wide - across) / 2, _FOOT_MM + _EDGE_MM
    black, white = _boxes(board, left=left, bottom=bottom)
    return _page(board, paper, black, white)


def _boxes(board: Board, *, left: float, bottom: float) -> tuple[list[_Box], list[_Box]]:
    """The black squares and markers, and the white runs of cells inside the markers."""
    side, marker = board.square_mm, board.marker_mm
    black: list[_Box] = []
    white: list[_Box] = []
    number = 0
    for row in range(board.rows):
        for column in range(board.columns):
            x, y = left + column * side, bottom + (board.rows - 1 - row) * side
            if (row + column) % 2 == 0:
                black.append((x, y, side, side))
                continue
            inset = (side - marker) / 2
            black.append((x + inset, y + inset, marker, marker))
            white += _white_cells(board.marker_cells(number), x=x + inset, y=y + inset, side=marker)
            number += 1
    return black, white


def _white_cells(cells: Any, *, x: float, y: float, side: float) -> list[_Box]:
    cell = side / len(cells)
    runs: list[_Box] = []
    for row, line in enumerate(cells):
        edges = np.flatnonzero(np.diff(np.concatenate([[0], line.astype(int), [0]])))
        for begin, end in edges.reshape(-1, 2).tolist():
            runs.append((x + begin * cell, y + side - (row + 1) * cell, (end - begin) * cell, cell))
    return runs


def _page(board: Board, paper: str, black: list[_Box], white: list[_Box]) -> bytes:
    from matplotlib import rc_context
    from matplotlib.backends.backend_pdf import FigureCanvasPdf
    from matplotlib.figure import Figure
    from matplotlib.patches import Rectangle

    wide, high = PAPERS[paper]
    # Uncompressed, the page's numbers can be read and checked.
    with rc_context({"pdf.compression": 0, "path.simplify": False, "path.snap": False}):
        figure = Figure(figsize=(wide / _INCH_MM, high / _INCH_MM))
        FigureCanvasPdf(figure)
        page = figure.add_axes((0.0, 0.0, 1.0, 1.0), xlim=(0, wide), ylim=(0, high))
        page.axis("off")
        bar_left = (wide - BAR_MM) / 2
        bar = [(bar_left, 10.0, BAR_MM, 1.5), (bar_left, 8.0, 0.3, 5.5), (bar_left + BAR_MM - 0.3, 8.0, 0.3, 5.5)]
        for boxes, color in ((black, "black"), (white, "white"), (bar, "black")):
            for x, y, width, height in boxes:
                page.add_patch(Rectangle((x, y), width, height, facecolor=color, linewidth=0))
        text = (
            f"Print at 100 %. The bar must measure {BAR_MM:g} mm; else say --bar MM. "
            f"{board.columns} x {board.rows} squares of {board.square_mm:g} mm, "
            f"markers {board.dictionary} of {board.marker_mm:g} mm"
        )
        page.text(wide / 2, 16.5, text, ha="center", va="center", fontsize=6.5)
        page.text(bar_left - 2, 10.7, f"{BAR_MM:g} mm", ha="right", va="center", fontsize=6.5)
        out = BytesIO()
        figure.savefig(out, format="pdf", metadata={"CreationDate": None})
    return out.getvalue()
