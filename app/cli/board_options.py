"""Which printed board: options that board, camera and ground share."""

from __future__ import annotations

from argparse import ArgumentParser, ArgumentTypeError, Namespace
from math import isfinite

from calibration.board import BAR_MM, DICTIONARIES, Board
from control.errors import InputError

_USUAL = Board()
_FARTHEST_BAR = 0.1
"""A bar that is off by more was measured wrongly, or is another one."""


def add_board(options: ArgumentParser, *, printed: bool) -> None:
    add = options.add_argument
    usual = f"{_USUAL.columns}x{_USUAL.rows}"
    add("--squares", default=usual, metavar="NxM", help=f"squares across and down; default: {usual}")
    add("--square", type=millimetres, default=_USUAL.square_mm, metavar="MM",
        help=f"side of a square; default: {_USUAL.square_mm:g}")  # fmt: skip
    add("--marker", type=millimetres, metavar="MM", help="side of a marker; default: 26/35 of a square")
    add("--markers", choices=tuple(DICTIONARIES), default=_USUAL.dictionary, help=f"default: {_USUAL.dictionary}")
    if printed:
        add("--bar", type=millimetres, default=BAR_MM, metavar="MM",
            help=f"what a ruler says of the printed scale bar; default: {BAR_MM:g}")  # fmt: skip


def millimetres(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not (isfinite(value) and 0 < value < 10_000):
        raise ArgumentTypeError(f"'{text}' is no length in millimetres")
    return value


def board_from(chosen: Namespace) -> Board:
    """As it was printed. Raises InputError, CalibrationError."""
    columns, times, rows = chosen.squares.partition("x")
    if not (times and columns.isascii() and columns.isdigit() and rows.isascii() and rows.isdigit()):
        raise InputError(f"--squares {chosen.squares}: write it as 5x7")
    stretch = getattr(chosen, "bar", BAR_MM) / BAR_MM
    if abs(stretch - 1) > _FARTHEST_BAR:
        raise InputError(
            f"--bar {chosen.bar:g}: a bar of {BAR_MM:g} mm cannot be that far off; measure it again, in mm"
        )
    marker = chosen.marker or chosen.square * _USUAL.marker_mm / _USUAL.square_mm
    return Board(
        columns=int(columns), rows=int(rows), square_mm=chosen.square * stretch, marker_mm=marker * stretch,
        dictionary=chosen.markers,
    )  # fmt: skip
