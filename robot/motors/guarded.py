"""Motors whose board is driven by a process of its own: whatever happens to this one, the wheels stop."""

from __future__ import annotations

import select
import socket
import subprocess
import sys
from types import TracebackType

from control.errors import MotorError
from control.messages import WheelCommand
from robot.motors.settings import MotorSettings
from robot.motors.wire import ASK_BATTERY, BATTERY, BYE, READY, STOP, is_neutral, pack

_READY_S = 20.0
_GONE_S = 1.0
_MOST_BYTES = 4096
_DIED = "motors: the process that drives the board died, the guard stopped the wheels; start the drive again"


class GuardedMotors:
    """This end of the conversation; ``robot.motors.actuator`` is the other."""

    def __init__(self, settings: MotorSettings, *, standing: WheelCommand) -> None:
        self._settings, self._standing = settings, standing
        self._line: socket.socket | None = None
        self._trouble = ""
        """Why the board was stopped; a neutral command makes good."""
        self._battery_v: float | None = None
        self._process: subprocess.Popen[bytes] | None = None

    def apply(self, command: WheelCommand) -> None:
        if self._line is None:
            raise MotorError("motors: closed; open them again before driving")
        if type(command) is not type(self._standing):
            wanted, got = type(self._standing).__name__, type(command).__name__
            raise MotorError(f"motors: {got} given to a board that takes {wanted}; set motors.vehicle")
        heard = self._hear_trouble(self._line)
        self._trouble = heard or self._trouble
        # The board is stopped until neutral: the loop's second try must not pass for driving.
        if heard or (self._trouble and not is_neutral(command)):
            raise MotorError(self._trouble)
        self._trouble = ""
        self._send(self._line, pack(command))

    def stop(self) -> None:
        """From any thread. Raises MotorError when the process is gone: then the guard has stopped the wheels."""
        line = self._line
        if line is not None:
            self._send(line, STOP)

    def battery_v(self) -> float | None:
        """What the board told since the last call; asks for the next time. Raises MotorError."""
        told, self._battery_v = self._battery_v, None
        if self._line is not None:
            self._send(self._line, ASK_BATTERY)
        return told

    def close(self) -> None:
        line, process = self._line, self._process
        self._line = self._process = None
        if line is None or process is None:
            return
        try:
            self._send(line, BYE)
        finally:
            # The closed socket alone makes the other end stop.
            line.close()
            try:
                process.wait(_GONE_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def __enter__(self) -> GuardedMotors:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "robot.motors.actuator", str(theirs.fileno()), self._settings.model_dump_json()],
                pass_fds=[theirs.fileno()],
            )
        self._line = ours
        started = False
        try:
            said = self._wait(ours, timeout_s=_READY_S)
            if said[:1] != READY:
                raise MotorError(said[1:].decode(errors="replace") or _DIED)
            ours.setblocking(False)
            self._send(ours, pack(self._standing))
            started = True
        finally:
            if not started:
                self._give_up()
        return self

    def _give_up(self) -> None:
        line, process = self._line, self._process
        self._line = self._process = None
        if line is not None and process is not None:
            line.close()
            process.kill()
            process.wait()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @staticmethod
    def _wait(line: socket.socket, *, timeout_s: float) -> bytes:
        poller = select.poll()
        poller.register(line, select.POLLIN)
        if not poller.poll(timeout_s * 1000):
            raise MotorError(f"motors: the process that drives the board said nothing for {timeout_s:g} s")
        return line.recv(_MOST_BYTES)

    @staticmethod
    def _send(line: socket.socket, data: bytes) -> None:
        try:
            line.send(data)
        except BlockingIOError as error:
            raise MotorError("motors: the process that drives the board is frozen; the guard stops it") from error
        except OSError as error:
            raise MotorError(_DIED) from error

    def _hear_trouble(self, line: socket.socket) -> str:
        """Empty when nothing was said."""
        while True:
            try:
                said = line.recv(_MOST_BYTES)
            except BlockingIOError:
                return ""
            except OSError as error:
                raise MotorError(_DIED) from error
            if said[:1] != BATTERY:
                return said[1:].decode(errors="replace") or _DIED
            self._battery_v = float(said[1:])
