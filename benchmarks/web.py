"""What the page costs the loop and how fast it is: a simulated robot in real time, browsers as sockets. JSON lines.

    python benchmarks/web.py [--seconds N] [--model FILE] [--only slow-link]

The page's clients run in one process of their own, on the same computer, as a phone would not: they get what the drive
and its page leave of the processor.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import subprocess
import sys
import time
from bisect import bisect_right
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, contextmanager, suppress
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path
from threading import Event, Thread
from types import TracebackType
from typing import Any
from urllib.parse import parse_qs, urlsplit

ROOT = Path(__file__).resolve().parent.parent
if __name__ == "__main__":
    # In place of this folder, whose control.py would hide the package of that name.
    sys.path[0] = str(ROOT)

from benchmarks.results import emit  # noqa: E402
from benchmarks.slow_link import Link, slow_link  # noqa: E402

VIEWERS = 5
SLOW = Link(bytes_per_s=120_000, delay_s=0.020)
SAY_S = 0.05
TURN = 0.5
_MOST_FLOOD = 500


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--seconds", type=float, default=20.0, help="of each measurement; default: 20")
    options.add_argument(
        "--model", default="classical", help="default: classical, which leaves the processor to the page"
    )
    options.add_argument("--only", choices=("slow-link",), help="one measurement instead of all")
    options.add_argument("--clients", nargs=2, metavar=("URL", "VIEWERS"), help=argparse.SUPPRESS)
    options.add_argument("--slow", action="store_true", help=argparse.SUPPRESS)
    chosen = options.parse_args()
    if chosen.clients:
        url, viewers = chosen.clients
        asyncio.run(_clients(url, viewers=int(viewers), seconds=chosen.seconds, link=SLOW if chosen.slow else None))
        return
    _report_slow(_measure(seconds=chosen.seconds, viewers=1, model=chosen.model, slow=True), model=chosen.model)
    if chosen.only:
        return
    alone = _measure(seconds=chosen.seconds, viewers=0, model=chosen.model)
    watched = _measure(seconds=chosen.seconds, viewers=VIEWERS, model=chosen.model)
    _report(alone, watched, model=chosen.model)


@dataclass
class Measured:
    """Monotonic seconds, of this computer's one clock."""

    writes: list[tuple[float, float]] = field(default_factory=list)
    """When the wheels were written, and right minus left."""
    arrivals: dict[int, float] = field(default_factory=dict)
    """When the loop got each frame, by its index."""
    flips: list[tuple[float, float]] = field(default_factory=list)
    """When a client sent the stick to the other side, and which."""
    seen: list[tuple[int, float]] = field(default_factory=list)
    """Index of each picture that a client got, and when."""
    ages_s: list[float] = field(default_factory=list)
    """Of the numbers that the driver got."""


def _measure(*, seconds: float, viewers: int, model: str, slow: bool = False) -> Measured:
    measured = Measured()
    with _robot(measured, model=model) as url:
        command = ["nice", "-n", "19", sys.executable, __file__, "--seconds", str(seconds)]
        command += ["--clients", url, str(viewers)]
        command += ["--slow"] if slow else []
        done = subprocess.run(command, check=True, capture_output=True, text=True)
    told: dict[str, Any] = json.loads(done.stdout)
    measured.flips, measured.seen, measured.ages_s = told["flips"], told["seen"], told["ages_s"]
    return measured


@contextmanager
def _robot(measured: Measured, *, model: str) -> Iterator[str]:
    """A drive by hand with its page; gives the page's address."""
    from app.cli.recording import Recording
    from app.web.page import Page
    from robot.config import RobotConfig
    from robot.drive.cycle_timer import CycleTimer
    from robot.drive.loop import Tick, drive
    from robot.drive.pilots import open_estimator
    from robot.teleop.helm import Helm
    from sim.benchmark.run import make_rig, make_world
    from sim.real_time import RealTimeCamera
    from sim.tracks.library import find_track

    config = RobotConfig(model=model)
    world = make_world(find_track("oval"), look="white-tape", config=config, seed=0)
    helm, ending = Helm(config.teleop, autopilot=False), Event()
    page = Page(config, helm=helm, recordings=Recording(None), autopilot=False)
    rig = make_rig(world, estimator=open_estimator(config), config=config)
    camera, motors = _Stamped(RealTimeCamera(rig.camera), measured), _Written(rig.motors, measured)
    rig = replace(rig, camera=camera, motors=motors, helm=helm)
    timer = CycleTimer(period_s=rig.period_s)

    def keep(tick: Tick) -> bool:
        page.show(tick, timer.this_pass_s, pilot=rig.pilot)
        return not ending.is_set()

    def run() -> None:
        drive(rig, keep, timer=timer, auto_arm=False, switches=[page], tell=page.tell)

    thread = Thread(target=run, name="drive", daemon=True)
    thread.start()
    try:
        yield page.address.url
    finally:
        ending.set()
        thread.join()


class _Delegate:
    def __init__(self, inner: Any, measured: Measured) -> None:
        self._inner, self._measured = inner, measured

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def __enter__(self) -> Any:
        self._inner.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._inner.__exit__(kind, error, trace)


class _Stamped(_Delegate):
    def frames(self, *, timeout_s: float) -> Iterator[Any]:
        for frame in self._inner.frames(timeout_s=timeout_s):
            self._measured.arrivals[frame.index] = time.monotonic()
            yield frame


class _Written(_Delegate):
    def apply(self, command: Any) -> None:
        self._inner.apply(command)
        self._measured.writes.append((time.monotonic(), command.right - command.left))


async def _clients(url: str, *, viewers: int, seconds: float, link: Link | None) -> None:
    """One drives and looks, the others look; says at the end what they sent and saw."""
    host, token = urlsplit(url).netloc, parse_qs(urlsplit(url).query)["token"][0]
    port = int(host.rpartition(":")[2])
    async with AsyncExitStack() as stack:
        way = await stack.enter_async_context(slow_link(port, link)) if link is not None else port
        options = {
            "origin": f"http://{host}", "additional_headers": {"Cookie": f"linepilot_{port}={token}"},
            "host": "127.0.0.1", "port": way,
        }  # fmt: skip
        await _drive_and_look(host, options, viewers=viewers, seconds=seconds)


async def _drive_and_look(host: str, options: dict[str, Any], *, viewers: int, seconds: float) -> None:
    from websockets.asyncio.client import connect

    seen: list[tuple[int, float]] = []

    async def look(until_s: float) -> None:
        async with connect(f"ws://{host}/video", **options) as socket:
            while time.monotonic() < until_s:
                await socket.send("next")
                packet = await socket.recv()
                now_s = time.monotonic()
                length = int.from_bytes(packet[:4], "little")  # type: ignore[arg-type]
                seen.append((json.loads(packet[4 : 4 + length])["index"], now_s))

    async def open_control() -> Any:
        return await connect(f"ws://{host}/control", **options)

    async def watch(until_s: float) -> None:
        socket = await open_control()
        while time.monotonic() < until_s:
            await socket.recv()
        await socket.close()

    driver = await open_control()
    await _arm(driver)
    until_s = time.monotonic() + seconds
    others = [asyncio.create_task(task(until_s)) for _ in range(viewers) for task in (look, watch)]
    if viewers > 1:
        others.append(asyncio.create_task(_flood(open_control, until_s)))
    newest: dict[str, Any] = {"now_ms": time.monotonic() * 1000}
    flips, ages_s = await asyncio.gather(_steer(driver, newest, until_s), _hear(driver, newest, until_s))
    await asyncio.gather(*others)
    await driver.close()
    print(json.dumps({"flips": flips, "seen": seen, "ages_s": ages_s}))


async def _flood(open_control: Callable[[], Awaitable[Any]], until_s: float) -> None:
    """As fast as the socket takes it, again and again after each time it is thrown out."""
    from websockets.exceptions import ConnectionClosed, InvalidStatus

    while time.monotonic() < until_s:
        with suppress(ConnectionClosed, InvalidStatus):
            socket = await open_control()
            for _ in range(_MOST_FLOOD):
                await socket.send('{"do":"claim"}')
        await asyncio.sleep(SAY_S)


async def _arm(driver: Any) -> None:
    state, asked_s = "", 0.0
    await driver.send('{"do":"claim"}')
    while state != "armed":
        told = json.loads(await driver.recv())
        state = told.get("state", state)
        if "now_ms" in told:
            await driver.send(_stick(0.0, 0.0, seen_ms=told["now_ms"]))
            if time.monotonic() - asked_s > 0.5:
                asked_s = time.monotonic()
                await driver.send(json.dumps({"do": "arm", "seen_ms": told["now_ms"]}))


def _stick(steering: float, throttle: float, *, seen_ms: float) -> str:
    return json.dumps({"do": "stick", "steering": steering, "throttle": throttle, "seen_ms": seen_ms})


async def _steer(driver: Any, newest: dict[str, Any], until_s: float) -> list[tuple[float, float]]:
    """Drives slowly on, turning the stick over at times that know nothing of the loop's."""
    dice, flips, side = random.Random(0), [], TURN
    while time.monotonic() < until_s:
        side = -side
        for number in range(dice.randint(4, 8)):
            now_s = time.monotonic()
            await driver.send(_stick(side, 0.5, seen_ms=newest["now_ms"]))
            if number == 0:
                flips.append((now_s, side))
            await asyncio.sleep(SAY_S)
        await asyncio.sleep(dice.random() * SAY_S)
    return flips


async def _hear(driver: Any, newest: dict[str, Any], until_s: float) -> list[float]:
    ages_s: list[float] = []
    while time.monotonic() < until_s:
        newest.update(json.loads(await driver.recv()))
        ages_s.append(time.monotonic() - newest["now_ms"] / 1000)
    return ages_s


def _report_slow(measured: Measured, *, model: str) -> None:
    context = (
        f"a driver, a viewer and a watcher over one link of {SLOW.bytes_per_s / 1000:.0f} kB/s and "
        f"{SLOW.delay_s * 1000:.0f} ms each way, 224 x 224, 30 fps, engine {Path(model).name}"
    )
    for name, share, target in (("p50", 0.5, 150.0), ("p99", 0.99, None)):
        value = _quantile(_video_ms(measured), share)
        what = f"from the frame's arrival to a client; {context}"
        emit(f"web: video on a slow link {name}", value, unit="ms", target=target, better="lower", context=what)
    value = _quantile([age_s * 1000 for age_s in measured.ages_s], 0.99)
    emit("web: age of the numbers on a slow link p99", value, unit="ms", target=500.0, better="lower", context=context)
    value = _quantile(_stick_to_wheel_ms(measured), 0.99)
    emit("web: stick to wheel on a slow link p99", value, unit="ms", target=None, better="lower", context=context)
    fps = len(measured.seen) / max(1e-9, measured.seen[-1][1] - measured.seen[0][1])
    emit("web: pictures a second on a slow link", fps, unit="1/s", target=None, better="higher", context=context)


def _report(alone: Measured, watched: Measured, *, model: str) -> None:
    robot = f"loopback, 224 x 224, 30 fps, engine {Path(model).name}"
    context = f"{VIEWERS} viewers and one flooding client, {robot}"
    for name, share, target in (("p50", 0.5, None), ("p99", 0.99, 60.0)):
        value = _quantile(_stick_to_wheel_ms(watched), share)
        emit(f"web: stick to wheel {name}", value, unit="ms", target=target, better="lower", context=context)
    for name, share, target in (("p50", 0.5, 15.0), ("p99", 0.99, None)):
        value = _quantile(_video_ms(watched), share)
        what = f"from the frame's arrival to a client; {context}"
        emit(f"web: video {name}", value, unit="ms", target=target, better="lower", context=what)
    for name, measured, target in (("nobody looks", alone, None), (f"{VIEWERS} viewers and a flood", watched, 5.0)):
        value = _quantile(_jitter_ms(measured), 0.99)
        what = f"p99 of the difference from 33.3 ms between two writes; {robot}"
        emit(f"web: control jitter, {name}", value, unit="ms", target=target, better="lower", context=what)
    fps = len(watched.seen) / VIEWERS / max(1e-9, watched.seen[-1][1] - watched.seen[0][1])
    emit("web: pictures a second for each viewer", fps, unit="1/s", target=None, better="higher", context=context)


def _stick_to_wheel_ms(measured: Measured) -> list[float]:
    """Until the first write that turns towards the new side."""
    times = [when_s for when_s, _ in measured.writes]
    took: list[float] = []
    for sent_s, side in measured.flips[1:]:
        index = bisect_right(times, sent_s)
        before = measured.writes[index - 1][1]
        later = (when_s for when_s, turn in measured.writes[index:] if (turn - before) * side > 1e-6)
        when_s = next(later, None)
        if when_s is not None:
            took.append((when_s - sent_s) * 1000)
    return took


def _video_ms(measured: Measured) -> list[float]:
    return [(when_s - measured.arrivals[index]) * 1000 for index, when_s in measured.seen]


def _jitter_ms(measured: Measured) -> list[float]:
    first_s = measured.flips[0][0]
    times = [when_s for when_s, _ in measured.writes if when_s > first_s]
    return [abs(later - before - 1 / 30) * 1000 for before, later in pairwise(times)]


def _quantile(values: list[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


if __name__ == "__main__":
    main()
