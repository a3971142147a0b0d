"""The process that owns the motor board: it writes every tick, and stops when the deciding process is dead or frozen.

Started as ``python -m robot.motors.actuator FD SETTINGS``; it imports no camera, no network and no
numpy, so little can hang it.
"""

from __future__ import annotations

import os
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from time import monotonic
from types import FrameType

from control.errors import LinepilotError, MotorError
from control.messages import WheelCommand
from robot.motors.board import BoardMotors
from robot.motors.boards import make_board
from robot.motors.priority import ask_for_realtime
from robot.motors.settings import MotorSettings
from robot.motors.wire import (
    ASK_BATTERY,
    BATTERY,
    BEAT,
    BYE,
    FAILED,
    FREEZE_S,
    READY,
    STOP,
    TICK_S,
    TROUBLE,
    is_neutral,
    unpack,
)

_MOST_BYTES = 4096
_GUARD_READY_S = 10.0
_SAY_AGAIN_S = 0.1
_BATTERY_TRIES = 5
"""Ticks in which an answer is looked for: most boards need one to give it."""


class Actuator:
    """Holds the last setpoint and decides, tick by tick, whether it is still to be believed."""

    def __init__(self, motors: BoardMotors, *, brain: socket.socket, guard: GuardLine, now_s: float) -> None:
        self._motors, self._brain, self._guard = motors, brain, guard
        self._setpoint: WheelCommand | None = None
        """None is STOP, latched: only a neutral setpoint opens the way for others."""
        self._heard_s = self._ticked_s = now_s
        self._lost = False
        """The wire failed: before anything drives again the board is set up anew, its own watchdog included."""
        self._told, self._told_s = b"", now_s
        self._battery_tries = 0

    def hear(self, data: bytes, *, now_s: float) -> bool:
        """False at the end of the conversation."""
        if data in (b"", BYE):
            self._setpoint = None
            return False
        if data == STOP:
            self._setpoint = None
            # Now, not with the next tick.
            self.write()
            return True
        if data == ASK_BATTERY:
            self._battery_tries = _BATTERY_TRIES
            return True
        try:
            wanted = unpack(data)
        except ValueError as error:
            self._say(TROUBLE, f"motors: {error}; stopped")
            self._setpoint = None
            self.write()
            return True
        # Awake after a freeze of its own, what has queued up meanwhile must not drive first.
        self._notice_freeze(now_s)
        self._heard_s = now_s
        if self._setpoint is not None or is_neutral(wanted):
            self._setpoint = wanted
            self.write()
        return True

    def tick(self, *, now_s: float) -> None:
        """Every TICK_S, whatever came: the same bytes again heal a write that was lost."""
        self._notice_freeze(now_s)
        self._ticked_s = now_s
        trouble = self._guard.beat(now_s=now_s)
        if trouble:
            self._setpoint = None
            self._say(TROUBLE, f"motors: the guard process {trouble}, stopped; start the drive again")
        self.write()
        self._tell_battery()

    def _notice_freeze(self, now_s: float) -> None:
        """Of the brain, or of this process itself."""
        frozen_s = now_s - min(self._heard_s, self._ticked_s)
        if self._setpoint is not None and frozen_s > FREEZE_S:
            self._setpoint = None
            self._say(TROUBLE, f"motors: no command for {frozen_s * 1000:.0f} ms, stopped")

    def write(self) -> None:
        """The setpoint, if it may still drive afterwards; frozen in the middle of it, STOP follows at once."""
        began_s = monotonic()
        self._write()
        if self._setpoint is not None and monotonic() - began_s > FREEZE_S:
            self._setpoint = None
            self._write()

    def _write(self) -> None:
        """One retry in the same tick; then STOP, latched, and tried again every tick."""
        for attempt in (1, 2):
            try:
                if self._setpoint is None:
                    self._motors.stop()
                    return
                if self._lost:
                    self._motors.reopen()
                    self._lost = False
                self._motors.apply(self._setpoint)
            except MotorError as error:
                if attempt == 2:
                    self._setpoint, self._lost = None, True
                    # A port that was plugged in again is another file.
                    self._motors.disconnect()
                    self._say(TROUBLE, str(error))
            else:
                return

    def _tell_battery(self) -> None:
        """After the motors have had their bytes, and never on a wire that has failed."""
        if self._battery_tries == 0 or self._lost:
            return
        self._battery_tries -= 1
        try:
            volts = self._motors.battery_v()
        except MotorError:
            # The next write meets the same wire, and says what is wrong with it.
            return
        if volts is not None:
            self._battery_tries = 0
            with suppress(OSError):
                self._brain.send(BATTERY + f"{volts:.3f}".encode(), socket.MSG_DONTWAIT)

    def _say(self, kind: bytes, text: str) -> None:
        """Again while it lasts, but not every tick; never waits for an end that is frozen or gone."""
        message, now_s = kind + text.encode(), monotonic()
        if message != self._told or now_s - self._told_s > _SAY_AGAIN_S:
            self._told, self._told_s = message, now_s
            with suppress(OSError):
                self._brain.send(message, socket.MSG_DONTWAIT)


class GuardLine:
    """A beat a tick to the guard, and its echo: nobody drives unguarded."""

    def __init__(self, process: subprocess.Popen[bytes], *, now_s: float) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self._beats, self._echo = process.stdin.fileno(), process.stdout.fileno()
        os.set_blocking(self._beats, False)
        os.set_blocking(self._echo, False)
        self._heard_s = now_s

    def beat(self, *, now_s: float) -> str:
        """What is wrong with the guard; empty when nothing is."""
        try:
            os.write(self._beats, BEAT)
            if not os.read(self._echo, _MOST_BYTES):
                return "died"
            self._heard_s = now_s
        except BrokenPipeError:
            return "died"
        except BlockingIOError:
            # No echo yet, which is usual within one tick.
            pass
        return "is frozen" if now_s - self._heard_s > FREEZE_S else ""

    def bye(self) -> None:
        with suppress(BrokenPipeError, BlockingIOError):
            os.write(self._beats, BYE)


def run(settings: MotorSettings, brain: socket.socket) -> int:
    """Until the other end closes or a signal comes. Always ends with STOP on the wire."""
    ended = False

    def end(_: int, __: FrameType | None) -> None:
        nonlocal ended
        ended = True

    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, end)
    # ^C reaches the whole group: the deciding process ramps down and says BYE.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        motors = BoardMotors(make_board(settings))
        with motors, _guard(settings) as guard:
            line = GuardLine(guard, now_s=monotonic())
            brain.send(READY)
            actuator = Actuator(motors, brain=brain, guard=line, now_s=monotonic())
            try:
                _loop(actuator, brain, lambda: ended)
            finally:
                motors.stop()
            line.bye()
    except LinepilotError as error:
        with suppress(OSError):
            brain.send(FAILED + str(error).encode())
        return 1
    return 0


def _loop(actuator: Actuator, brain: socket.socket, ended: Callable[[], bool]) -> None:
    poller = select.poll()
    poller.register(brain, select.POLLIN)
    due_s = monotonic()
    while not ended():
        wait_s = max(0.0, due_s - monotonic())
        if poller.poll(wait_s * 1000) and not actuator.hear(_received(brain), now_s=monotonic()):
            return
        now_s = monotonic()
        if now_s >= due_s:
            actuator.tick(now_s=now_s)
            # After a pause the ticks go on from now; they are not made up for.
            due_s = max(due_s + TICK_S, now_s)


def _received(brain: socket.socket) -> bytes:
    try:
        return brain.recv(_MOST_BYTES)
    except ConnectionError:
        return b""


def _guard(settings: MotorSettings) -> subprocess.Popen[bytes]:
    """Its second handle on the board is open before anything may move. Raises MotorError."""
    guard = subprocess.Popen(
        [sys.executable, "-m", "robot.motors.guard", settings.model_dump_json()],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0,
    )  # fmt: skip
    assert guard.stdout is not None
    poller = select.poll()
    poller.register(guard.stdout, select.POLLIN)
    if not poller.poll(_GUARD_READY_S * 1000) or guard.stdout.read(1) != READY:
        guard.kill()
        guard.wait()
        raise MotorError("motors: the guard process did not start; look above for its error")
    return guard


def main() -> int:
    ask_for_realtime()
    brain = socket.socket(fileno=int(sys.argv[1]))
    return run(MotorSettings.model_validate_json(sys.argv[2]), brain)


if __name__ == "__main__":
    sys.exit(main())
