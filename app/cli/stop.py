"""``linepilot stop``: write STOP to the motor board that the settings name."""

from __future__ import annotations

from app.cli.options import add_settings, config_from, parser
from robot.drive.last_stop import stop_board
from robot.motors.boards import make_board

_WHAT = """Write STOP to the motor board.

For after a drive that did not end by itself; the service of `linepilot service` runs this whenever its drive has ended.
A drive that still runs goes on with its next command: end it with ^C or `systemctl stop linepilot`."""
_NO_BOARD = ("sim", "dry-run")


def run(arguments: list[str]) -> int:
    options = parser("stop", what=_WHAT, example="linepilot stop robot.yaml\n  linepilot stop motors.driver=motorhat")
    add_settings(options)
    settings = config_from(options.parse(arguments).settings).motors
    if settings.driver in _NO_BOARD:
        print(f"motors {settings.driver}: nothing to stop")
        return 0
    board = make_board(settings)
    stop_board(board)
    print(f"stopped: {board.name}")
    return 0
