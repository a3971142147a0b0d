"""``linepilot calibrate board``: the board to print."""

from __future__ import annotations

from pathlib import Path

from app.cli.board_options import add_board, board_from
from app.cli.board_page import PAPERS, board_pdf
from app.cli.options import parser, refuse_unwritable
from perception.files import replace_file

_WHAT = """A board to print at 100 % and to glue on something flat. The bar under it must measure 100 mm on paper."""


def run(arguments: list[str]) -> int:
    options = parser("calibrate board", what=_WHAT, example="linepilot calibrate board --paper Letter --out board.pdf")
    options.add_argument("--out", type=Path, default=Path("board.pdf"), metavar="PDF", help="default: board.pdf")
    options.add_argument("--paper", choices=tuple(PAPERS), default="A4")
    add_board(options, printed=False)
    chosen = options.parse(arguments)
    refuse_unwritable(chosen.out)
    board = board_from(chosen)
    replace_file(chosen.out, board_pdf(board, paper=chosen.paper))
    print(f"{chosen.out}: {board.columns} x {board.rows} squares of {board.square_mm:g} mm on {chosen.paper}")
    print("Print it at 100 %, not 'fit to page'. Measure the bar: if it is not 100 mm, give --bar MM afterwards.")
    print("Glue it on something flat. Then: linepilot calibrate camera FOLDER, or --camera csi:0")
    return 0
