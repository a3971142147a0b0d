"""The process behind the actuator: a second handle on the same board, for nothing but STOP.

It listens to one beat a tick on its standard input. A pipe that closes without BYE is a dead actuator, a silent one
a frozen actuator; in both cases it writes STOP, and goes on until the beats come back.
"""

from __future__ import annotations

import os
import select
import signal
import sys
import termios
from contextlib import suppress

from control.errors import MotorError
from robot.motors.board import Board
from robot.motors.boards import make_board
from robot.motors.priority import ask_for_realtime
from robot.motors.settings import MotorSettings
from robot.motors.wire import BEAT, BYE, FREEZE_S, READY

_AGAIN_S = 0.05
_LAST_STOPS = 5
_MOST_BYTES = 4096


def guard(board: Board, *, pipe: int, echo: int) -> None:
    """Returns when the actuator is gone."""
    poller = select.poll()
    poller.register(pipe, select.POLLIN)
    wait_s = FREEZE_S
    while True:
        if not poller.poll(wait_s * 1000):
            _stop(board)
            wait_s = _AGAIN_S
            continue
        heard = os.read(pipe, _MOST_BYTES)
        if heard.endswith(BYE):
            return
        if not heard:
            break
        wait_s = FREEZE_S
        with suppress(BrokenPipeError):
            os.write(echo, BEAT)
    for _ in range(_LAST_STOPS):
        _stop(board)
        select.select([], [], [], _AGAIN_S)


def _stop(board: Board) -> None:
    try:
        board.stop()
    except (OSError, termios.error, MotorError) as error:
        # Nobody listens but the log; it is tried again in a moment.
        sys.stderr.write(f"guard: {board.name}: {error}\n")
        board.close()


def main() -> int:
    ask_for_realtime()
    # Whoever ends the drive ends the actuator, and then the pipe closes: the guard outlives both.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    board = make_board(MotorSettings.model_validate_json(sys.argv[1]))
    _stop(board)
    os.write(sys.stdout.fileno(), READY)
    guard(board, pipe=sys.stdin.fileno(), echo=sys.stdout.fileno())
    board.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
