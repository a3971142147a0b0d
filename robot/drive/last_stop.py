"""STOP from outside of a drive: for when the process that drove is gone and nobody knows what the board still does."""

from __future__ import annotations

import termios

from control.errors import MotorError
from robot.motors.board import Board
from robot.motors.settling import Settle, settle

_TRIES = 5
_BETWEEN_S = 0.05


def stop_board(board: Board, *, wait: Settle = settle) -> None:
    """Write STOP, again when the bus refuses. Raises MotorError when it never gets through."""
    trouble: Exception | None = None
    for number in range(_TRIES):
        if number:
            wait(_BETWEEN_S)
        try:
            board.stop()
        except (OSError, termios.error, MotorError) as error:
            trouble = error
        else:
            return
        finally:
            board.close()
    raise MotorError(f"{board.name}: STOP did not get through ({trouble}); cut the motors' power") from trouble
