"""The page's end in the loop's process: a switch to the loop, a hand on the helm, and a slot for the newest tick."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from threading import Event, Lock, Thread
from types import TracebackType
from typing import Any, Protocol

from app.web.about import about
from app.web.address import listen
from app.web.certificate import own_certificate
from app.web.telemetry import Telemetry, picture
from app.web.tuned_file import save_tuned
from app.web.tuning import Tuning
from app.web.wire import MOST_BYTES, line_pair, pack, send, unpack
from control.errors import DeviceError, LinepilotError, MissingExtraError
from control.pilot import Pilot
from robot.config import RobotConfig
from robot.drive.tick import Tick
from robot.teleop.helm import Helm, StickPosition
from robot.teleop.switch import Wish

_LIBRARIES = ("starlette", "uvicorn", "websockets")
_START_S = 20.0
"""Until the server says its first word. Before that the drive does not begin: nobody could stop it from a page."""
_HANGS_S = 1.0
"""A server that is silent for longer cannot pass on a stop: the robot stops. A driver at the stick has 300 ms."""
_IDLE_S = 0.5
_REFUSED, _ARMED = "not armed", "armed"
_GONE_S = 2.0
_SWITCH_S = 0.0005
"""The loop must not wait Python's usual 5 ms until a thread of ours lets it go on."""


class Recordings(Protocol):
    """What the record button does; raises LinepilotError."""

    @property
    def running(self) -> bool: ...
    @property
    def trouble(self) -> str: ...
    @property
    def folder(self) -> Path: ...
    def spread(self) -> dict[str, Any] | None: ...
    def start(self) -> None: ...
    def stop(self) -> None: ...


class Page:
    """A Switch. The loop calls ``show``, which never waits; two threads do the rest."""

    name = "the web page"

    def __init__(
        self, config: RobotConfig, *, helm: Helm, recordings: Recordings, host: str = "127.0.0.1", port: int = 0,
        https: bool = False, autopilot: bool = True, now_s: Callable[[], float] = time.monotonic,
    ) -> None:  # fmt: skip
        """Raises MissingExtraError; InputError when the port cannot be had, or no certificate be made."""
        missing = next((name for name in _LIBRARIES if find_spec(name) is None), None)
        if missing:
            raise MissingExtraError(missing, extra="web", purpose="the web page")
        self._helm, self._recordings, self._autopilot, self._now_s = helm, recordings, autopilot, now_s
        self._telemetry, self._tuning = Telemetry(config), Tuning(config.follower)
        self._can_tune = config.law == "linepilot"
        self._config = config
        self._certificate = str(own_certificate()) if https else ""
        self._listener, self.address = listen(host, port, https=https)
        self._lock = Lock()
        self._wish = Wish.NOTHING
        self._notice = ""
        self._viewers = 0
        self._trouble = ""
        self._heard_s = 0.0
        self._newest: tuple[Tick, Mapping[str, float]] | None = None
        self._news, self._closing, self._begun = Event(), Event(), Event()
        self._line: socket.socket | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._threads: list[Thread] = []
        self._switch_s = sys.getswitchinterval()

    @property
    def server_pid(self) -> int | None:
        """None while it is not running."""
        return None if self._process is None else self._process.pid

    def show(self, tick: Tick, sections_s: Mapping[str, float], *, pilot: Pilot) -> None:
        """In the loop's thread, after each pass."""
        self._newest = (tick, dict(sections_s))
        self._news.set()
        self._tuning.apply(pilot)

    def tell(self, text: str) -> None:
        """What the loop says of arming. State and causes are shown anyway; only why it was refused is news."""
        if text.startswith(_REFUSED):
            self._notice = text
        elif text.startswith(_ARMED):
            self._notice = ""

    def read(self, *, driving: bool) -> Wish:
        """Raises DeviceError when the server is gone or hangs, or nothing is passed on any more."""
        trouble = self._trouble or self._silence()
        if trouble:
            raise DeviceError(trouble)
        with self._lock:
            wish, self._wish = self._wish, Wish.NOTHING
        return Wish.NOTHING if wish is Wish.ARM and driving else wish

    def _silence(self) -> str:
        if not all(thread.is_alive() for thread in self._threads):
            return "a thread of the web page ended; start the drive again"
        if self._now_s() - self._heard_s > _HANGS_S:
            return "its server hangs"
        return ""

    def __enter__(self) -> Page:
        sys.setswitchinterval(_SWITCH_S)
        ours, theirs = line_pair()
        with theirs, self._listener:
            numbers = (theirs.fileno(), self._listener.fileno())
            self._process = subprocess.Popen(
                [sys.executable, "-m", "app.web.server", *map(str, numbers)], pass_fds=numbers,
                # ^C at the terminal is for the loop.
                start_new_session=True,
            )  # fmt: skip
        self._line = ours
        sessions = str(self._recordings.folder.absolute())
        told = {"access": self.address.access(), "sessions": sessions, "about": about(self._config)}
        # A server that is gone already is told by the thread that hears it.
        with suppress(OSError):
            send(ours, pack({**told, "certificate": self._certificate}))
        self._threads = [
            Thread(target=self._hear_all, args=(ours,), name="web page, in", daemon=True),
            Thread(target=self._tell_all, args=(ours,), name="web page, out", daemon=True),
        ]
        for thread in self._threads:
            thread.start()
        if not self._begun.wait(_START_S):
            self._trouble = f"its server did not start within {_START_S:g} s"
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        sys.setswitchinterval(self._switch_s)
        line, process = self._line, self._process
        self._line = self._process = None
        if line is None or process is None:
            self._listener.close()
            return
        self._closing.set()
        self._news.set()
        # Wakes our thread, and ends the server.
        line.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(_GONE_S)
        line.close()
        try:
            process.wait(_GONE_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def _hear_all(self, line: socket.socket) -> None:
        while True:
            try:
                packet = line.recv(MOST_BYTES)
            except OSError:
                packet = b""
            if not packet:
                if not self._closing.is_set():
                    self._trouble = "its server died; start the drive again"
                self._begun.set()
                return
            self._heard_s = self._now_s()
            self._begun.set()
            head, _ = unpack(packet)
            self._hear(head)

    def _hear(self, said: dict[str, Any]) -> None:
        if "alive" in said:
            self._viewers = said["alive"]
        elif "steering" in said:
            position = StickPosition(steering=said["steering"], throttle=said["throttle"])
            # Whoever has the stick among the pages may have had to wait for somebody at the robot.
            if self._helm.claim(said["by"], heard_s=said["heard_s"]):
                self._helm.hold(said["by"], position, heard_s=said["heard_s"])
        else:
            self._do(said)

    def _do(self, said: dict[str, Any]) -> None:
        do, by = said["do"], said["by"]
        if do == "stop":
            self._ask(Wish.STOP)
        elif do == "arm":
            self._ask_to_arm(said["heard_s"])
        elif do == "claim" and not self._helm.claim(by):
            self._notice = f"{self._helm.driver} has the stick"
        elif do == "leave":
            self._helm.leave(by)
        elif do == "tune":
            self._tune(said["name"], said["value"])
        elif do == "save":
            Thread(target=self._save, name="save button", daemon=True).start()
        elif do == "record":
            self._record(on=said["on"])

    def _ask(self, wish: Wish) -> None:
        with self._lock:
            # A stop that was not yet read outranks what is asked after it.
            if self._wish is not Wish.STOP:
                self._wish = wish

    def _ask_to_arm(self, heard_s: float) -> None:
        # This process may have been frozen meanwhile.
        if self._now_s() - heard_s <= _HANGS_S:
            self._ask(Wish.ARM)

    def _tune(self, name: str, value: float) -> None:
        refused = self._tuning.turn(name, value) if self._can_tune else "this law has no such gains"
        if refused:
            self._notice = refused

    def _record(self, *, on: bool) -> None:
        """In a thread of its own: a slow disk must not keep us from hearing a stop."""
        Thread(target=self._start_or_stop, args=(on,), name="record button", daemon=True).start()

    def _start_or_stop(self, on: bool) -> None:
        try:
            if on:
                self._recordings.start()
            else:
                self._recordings.stop()
        except LinepilotError as error:
            self._notice = str(error)

    def _save(self) -> None:
        """The settings of this drive, with the knobs as they are now."""
        try:
            path = save_tuned(self._config, self._tuning.settings, folder=Path())
        except LinepilotError as error:
            self._notice = str(error)
        else:
            self._notice = f"saved; next time: linepilot drive {path}"

    def _tell_all(self, line: socket.socket) -> None:
        while not self._closing.is_set():
            self._news.wait(_IDLE_S)
            self._news.clear()
            newest, self._newest = self._newest, None
            if newest is None:
                continue
            tick, sections_s = newest
            try:
                send(line, pack({**self._telemetry.numbers(tick, sections_s), **self._own_numbers()}))
                if self._viewers and tick.frame is not None:
                    send(line, pack(*picture(tick)))
            except OSError:
                # The other thread says so: the server died, or we are closing.
                self._closing.wait()

    def _own_numbers(self) -> dict[str, Any]:
        trouble = self._recordings.trouble
        return {
            "driver": self._helm.driver, "autopilot": self._autopilot, "recording": self._recordings.running,
            "notice": f"recording ended: {trouble}" if trouble else self._notice,
            "collected": self._recordings.spread(), "knobs": self._tuning.shown() if self._can_tune else [],
        }  # fmt: skip
