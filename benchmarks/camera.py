"""How old the newest picture is behind a slow loop, and how soon a dead or frozen camera stops the wheels. JSON lines.

    python benchmarks/camera.py [--faults 20] [--seconds 8] [--load idle busy] [--below 5]

A real gst-launch-1.0 is the camera: for the ages it reads pictures, each with the time of its making in its first
pixels, from a process that stands for the sensor; for the faults it makes them itself and is killed or frozen while the
real drive loop drives. Once alone, once beside four processes that compute for nothing.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import struct
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event, Timer
from time import monotonic

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.fault import send_signal  # noqa: E402
from benchmarks.results import emit  # noqa: E402
from control.errors import LinepilotError  # noqa: E402
from control.messages import SafetyState  # noqa: E402
from control.supervisor import SafetySupervisor  # noqa: E402
from robot.cameras.gst_launch import GstLaunch  # noqa: E402
from robot.cameras.latest import LatestFrameCamera  # noqa: E402
from robot.cameras.source import Device  # noqa: E402
from robot.config import load_config  # noqa: E402
from robot.drive.clock import MonotonicClock  # noqa: E402
from robot.drive.cycle_timer import CycleTimer  # noqa: E402
from robot.drive.loop import Rig, Tick, drive  # noqa: E402
from robot.drive.pilots import make_mixer, make_pilot, open_estimator, standing_command  # noqa: E402
from robot.motors import open_motors  # noqa: E402

WIDTH, HEIGHT, FPS = 640, 480, 30
SLOW_S = 0.1
"""The loop that is too slow for its camera."""
AGE_MS, STOP_MS = 60.0, 250.0
BUSY = 4
# A picture at once, as from a sensor's memory: through a pipe of the usual 64 KiB each would need fifteen turns of two
# processes, and all of them would be counted as the camera's.
SENSOR = f"""
import fcntl, struct, sys, time
from threading import Event
rest = bytes({WIDTH} * {HEIGHT} * 3 - 8)
with open(sys.argv[1], "wb", buffering=0) as pipe:
    fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, 1 << 20)
    due = time.monotonic()
    while True:
        pipe.write(struct.pack("d", time.monotonic()) + rest)
        due += 1 / {FPS}
        Event().wait(max(0.0, due - time.monotonic()))
"""
SIZE = f"width={WIDTH},height={HEIGHT},format=BGR,framerate={FPS}/1"
LIVE = f"videotestsrc is-live=true ! video/x-raw,{SIZE}"


@contextmanager
def processes(*commands: list[str]) -> Iterator[None]:
    started = [subprocess.Popen(command, stderr=subprocess.DEVNULL) for command in commands]
    try:
        yield
    finally:
        for process in started:
            process.kill()
            process.wait()


def busy(count: int, *, below: int) -> list[list[str]]:
    return [["nice", "-n", str(below), sys.executable, "-c", "while True: pass"]] * count


def ages_ms(seconds: float) -> list[float]:
    """From the making of a picture to the moment when a loop at 10 Hz gets it as the newest one."""
    with tempfile.TemporaryDirectory() as folder:
        pipe = Path(folder) / "pixels"
        os.mkfifo(pipe)
        parse = f"rawvideoparse format=bgr width={WIDTH} height={HEIGHT} framerate={FPS}/1"
        pipeline = f"filesrc location={pipe} blocksize={WIDTH * HEIGHT * 3} ! {parse}"
        with processes([sys.executable, "-c", SENSOR, str(pipe)]):
            device = GstLaunch(pipeline, name="sensor", stall_s=5.0)
            with LatestFrameCamera(device, name="sensor") as camera:
                frames = camera.frames(timeout_s=5.0)
                found: list[float] = []
                until_s = monotonic() + seconds
                while monotonic() < until_s:
                    Event().wait(SLOW_S)
                    made_s = struct.unpack("d", next(frames).image.tobytes()[:8])[0]
                    found.append((monotonic() - made_s) * 1000)
    return found[2:]


@dataclass
class Faults:
    """Drives; while armed kills or freezes the child at a random moment, and arms again when pictures are back."""

    count: int
    stops_ms: dict[str, list[float]] = field(default_factory=lambda: {"SIGSTOP": [], "SIGKILL": []})
    back_ms: list[float] = field(default_factory=list)
    false_alarms: list[str] = field(default_factory=list)
    """Their causes."""
    children: list[GstLaunch] = field(default_factory=list)
    _random: random.Random = field(default_factory=lambda: random.Random(1))
    _timer: Timer | None = None
    _fault: signal.Signals = signal.SIGSTOP
    _at_s: float | None = None
    _armed: int = 0
    _was: SafetyState = SafetyState.DISARMED

    def camera(self) -> LatestFrameCamera:
        def opened(given_up: Callable[[], bool]) -> Device:
            self.children.append(GstLaunch(LIVE, name="camera", given_up=given_up))
            return self.children[-1]

        return LatestFrameCamera(opened(lambda: False), name="camera", reopen=opened, back_off_s=(0.0, 0.1))

    def done(self) -> int:
        return sum(len(values) for values in self.stops_ms.values())

    def record(self, tick: Tick, supervisor: SafetySupervisor) -> bool:
        now_s, state = monotonic(), tick.verdict.state
        if state is SafetyState.STOPPED and self._was in (SafetyState.ARMED, SafetyState.RAMPING):
            self._note_stop(now_s, ", ".join(cause.value for cause in tick.verdict.causes))
        self._was = state
        if state not in (SafetyState.ARMED, SafetyState.RAMPING):
            self._armed = 0
            if tick.frame is not None:
                if self._at_s is not None:
                    self.back_ms.append((now_s - self._at_s) * 1000)
                    self._at_s = None
                if self._timer is not None and not self._timer.is_alive():
                    # It struck a robot that stood already.
                    self._timer = None
                supervisor.arm()
                self._was = supervisor.state
            return True
        self._armed += tick.frame is not None
        if self._armed == FPS // 2 and self._timer is None:
            self._timer = Timer(self._random.uniform(0, 1 / FPS), self._strike)
            self._timer.start()
        return self.done() < self.count

    def _strike(self) -> None:
        self._at_s = send_signal(self.children[-1].process.pid, self._fault)

    def _note_stop(self, now_s: float, causes: str) -> None:
        if self._at_s is None:
            self.false_alarms.append(causes)
            return
        self.stops_ms[self._fault.name].append((now_s - self._at_s) * 1000)
        self._fault = signal.SIGKILL if self._fault is signal.SIGSTOP else signal.SIGSTOP
        self._timer = None


def drive_through(faults: Faults) -> None:
    """Again when a camera was not back in time, which ends a drive."""
    for _ in range(faults.count):
        drive_once(faults)
        if faults.done() >= faults.count:
            return
        faults.false_alarms.append("the camera was not back within 5 s")


def drive_once(faults: Faults) -> None:
    """The loop of the robot, with its colour engine, and motors that are not there."""
    config = load_config(None, ["model=classical", "motors.driver=dry-run", "supervisor.min_confidence=0"])
    estimator = open_estimator(config)
    rig = Rig(
        camera=faults.camera(), motors=open_motors(config.motors, standing=standing_command(config)),
        clock=MonotonicClock(), estimator=estimator, pilot=make_pilot(config),
        supervisor=SafetySupervisor(config.supervisor), mixer=make_mixer(config), camera_delay_s=0.0,
    )  # fmt: skip
    timer = CycleTimer(period_s=rig.period_s)
    drive(rig, lambda tick: faults.record(tick, rig.supervisor), timer=timer, auto_arm=False)
    estimator.close()


def report(name: str, *, load: int, faults: int, seconds: float, below: int) -> None:
    rank = f"{below} steps of nice below" if below else "of equal rank"
    loops = f"{load} busy loops {rank}" if load else "idle"
    beside = f"{os.cpu_count()} cores, {loops}, load before {os.getloadavg()[0]:.1f}"
    with processes(*busy(load, below=below)):
        ages = ages_ms(seconds)
        tried = Faults(count=faults)
        drive_through(tried)
    context = f"{WIDTH}x{HEIGHT} at {FPS} fps, loop at {1 / SLOW_S:g} Hz, {len(ages)} pictures, {beside}"
    emit(f"camera_age_{name}_p50", float(np.median(ages)), unit="ms", target=None, better="lower", context=context)
    context = f"max {max(ages):.0f} ms, {context}"
    emit(
        f"camera_age_{name}_p95",
        float(np.percentile(ages, 95)),
        unit="ms",
        target=AGE_MS,
        better="lower",
        context=context,
    )
    for fault, values in tried.stops_ms.items():
        if not values:
            continue
        context = f"from {fault} to the wheels' STOP, {len(values)} faults, p50 {np.median(values):.0f} ms, {beside}"
        title = f"camera_{'frozen' if fault == 'SIGSTOP' else 'killed'}_{name}_max"
        emit(title, max(values), unit="ms", target=STOP_MS, better="lower", context=context)
    causes = f" ({'; '.join(tried.false_alarms)})" if tried.false_alarms else ""
    context = f"stops without a fault{causes} among {tried.done()} faults, {beside}"
    emit(
        f"camera_false_alarms_{name}", len(tried.false_alarms), unit="stops", target=0, better="lower", context=context
    )
    if tried.back_ms:
        context = f"from the fault to the next picture, {beside}"
        p50 = float(np.median(tried.back_ms))
        emit(f"camera_back_{name}_p50", p50, unit="ms", target=None, better="lower", context=context)


def main() -> None:
    parser = argparse.ArgumentParser(description="Age of pictures, and how soon a lost camera stops the wheels.")
    parser.add_argument("--faults", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=8.0, help="for the ages")
    parser.add_argument("--load", nargs="*", default=["idle", "busy"], choices=["idle", "busy"])
    parser.add_argument("--below", type=int, default=0, help="steps of nice between the drive and the busy loops")
    options = parser.parse_args()
    for name in options.load:
        load = BUSY if name == "busy" else 0
        report(name, load=load, faults=options.faults, seconds=options.seconds, below=options.below)


if __name__ == "__main__":
    try:
        main()
    except LinepilotError as error:
        sys.exit(str(error))
