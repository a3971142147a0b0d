"""A simulated robot that drives in a thread with its page, and browsers without a browser."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import Event, Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from app.cli.recording import Recording
from app.web.page import Page
from robot.config import RobotConfig
from robot.drive.cycle_timer import CycleTimer
from robot.drive.loop import Rig, Tick, drive
from robot.drive.pilots import open_estimator
from robot.teleop.helm import Helm
from sim.benchmark.run import make_rig, make_world
from sim.real_time import RealTimeCamera
from sim.tracks.library import find_track
from sim.world import World

CONFIG = RobotConfig(model="classical")
PATIENCE_S = 30.0
Message = dict[str, Any]


@dataclass
class Client:
    """One page: wishes out, newest words in."""

    socket: ClientConnection
    name: str = ""
    status: Message = field(default_factory=dict)
    refused: list[str] = field(default_factory=list)

    def send(self, **wish: Any) -> None:
        self.socket.send(json.dumps(wish))

    def stick(self, steering: float = 0.0, throttle: float = 0.0) -> None:
        self.send(do="stick", steering=steering, throttle=throttle, seen_ms=self.status["now_ms"])

    def arm(self) -> None:
        self.send(do="arm", seen_ms=self.status["now_ms"])

    def hear(self, timeout_s: float = 1.0) -> None:
        """All that is there, after the first word."""
        with suppress(TimeoutError):
            self._take(json.loads(self.socket.recv(timeout_s)))
            while True:
                self._take(json.loads(self.socket.recv(0)))

    def _take(self, message: Message) -> None:
        if "you" in message:
            self.name = message["you"]
        elif "refused" in message:
            self.refused.append(message["refused"])
        else:
            self.status = {**self.status, **message}

    def until(self, holds: Callable[[Client], bool], *, stick: tuple[float, float] | None = None) -> None:
        """Listen, and hold the stick there, until it is so."""
        deadline = time.monotonic() + PATIENCE_S
        said_s = 0.0
        while not holds(self):
            assert time.monotonic() < deadline, (self.status, self.refused)
            if stick is not None and time.monotonic() - said_s > 0.05:
                said_s = time.monotonic()
                self.stick(*stick)
            self.hear(0.05)

    def refusal(self) -> str:
        """The next one."""
        seen = len(self.refused)
        self.until(lambda client: len(client.refused) > seen)
        return self.refused[-1]

    def closed_with(self) -> tuple[int, str]:
        try:
            for _ in range(10_000):
                self.socket.recv(PATIENCE_S)
        except ConnectionClosed as closed:
            return (closed.rcvd.code, closed.rcvd.reason) if closed.rcvd is not None else (1006, "")
        raise AssertionError("still open")


def state(*names: str) -> Callable[[Client], bool]:
    return lambda client: client.status.get("state") in names


@dataclass
class Place:
    """What a browser knows from the address."""

    url: str

    @property
    def host(self) -> str:
        return urlsplit(self.url).netloc

    @property
    def token(self) -> str:
        return parse_qs(urlsplit(self.url).query)["token"][0]

    @property
    def cookie(self) -> str:
        return f"linepilot_{self.host.rpartition(':')[2]}={self.token}"

    def open(self, path: str = "control", **other: Any) -> ClientConnection:
        options: dict[str, Any] = {
            "origin": f"http://{self.host}", "additional_headers": {"Cookie": self.cookie}, "open_timeout": PATIENCE_S,
            # A server that was frozen on purpose does not say good-bye.
            "close_timeout": 0.3,
        }  # fmt: skip
        return connect(f"ws://{self.host}/{path}", **{**options, **other})

    @contextmanager
    def client(self) -> Iterator[Client]:
        with self.open() as socket:
            client = Client(socket)
            client.until(lambda one: one.name != "" and "state" in one.status)
            yield client


@dataclass
class Stand:
    page: Page
    helm: Helm
    world: World
    rig: Rig
    newest: Tick | None = None

    @property
    def place(self) -> Place:
        return Place(self.page.address.url)


@contextmanager
def driven(*, autopilot: bool = False, record: Path | None = None, folder: Path | None = None) -> Iterator[Stand]:
    """A drive that goes on until the end of the block; ``folder`` is where the button records."""
    world = make_world(find_track("oval"), look="white-tape", config=CONFIG, seed=0)
    helm = Helm(CONFIG.teleop, autopilot=autopilot)
    ending = Event()
    with Recording(record) as recording:
        if folder is not None:
            recording.begin_at(folder)
        page = Page(CONFIG, helm=helm, recordings=recording, autopilot=autopilot)
        rig = make_rig(world, estimator=open_estimator(CONFIG), config=CONFIG)
        rig = replace(rig, camera=RealTimeCamera(rig.camera), helm=helm)
        recording.begin(CONFIG, facts={}, lossless=False)
        stand, timer = Stand(page, helm, world, rig), CycleTimer(period_s=rig.period_s)

        def keep(tick: Tick) -> bool:
            stand.newest = tick
            recording(tick, timer.this_pass_s, world.truth)
            page.show(tick, timer.this_pass_s, pilot=rig.pilot)
            return not ending.is_set()

        def run() -> None:
            drive(rig, keep, timer=timer, auto_arm=False, switches=[page], tell=page.tell)

        thread = Thread(target=run, name="drive", daemon=True)
        thread.start()
        try:
            yield stand
        finally:
            ending.set()
            thread.join(PATIENCE_S)
            assert not thread.is_alive()
