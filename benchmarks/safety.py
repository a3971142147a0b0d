"""How fast the wheels stop: faults of each kind, from the fault to STOP on the wire. Prints JSON lines.

    python benchmarks/safety.py [--count 20] [--only brain-killed ...] [--load idle busy] [--rate-seconds 30]

Real processes and libraries over a model of the wire. Busy means that four loops want the processor all the time, five
steps of nice below what is measured: so much before others the unit of `linepilot service` puts a drive. A camera that
stalls is measured by benchmarks/camera.py.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import tty
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from statistics import median
from threading import Event, Thread
from time import monotonic

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from control.errors import MotorError  # noqa: E402
from control.messages import DifferentialCommand  # noqa: E402
from control.mixing import DifferentialMixer  # noqa: E402
from control.supervisor import SafetySupervisor  # noqa: E402
from robot.drive.clock import MonotonicClock  # noqa: E402
from robot.drive.cycle_timer import CycleTimer  # noqa: E402
from robot.drive.loop import Rig, drive  # noqa: E402
from robot.motors.guarded import GuardedMotors  # noqa: E402
from robot.motors.settings import MotorSettings  # noqa: E402
from robot.teleop.emergency import EmergencyStop  # noqa: E402
from robot.teleop.terminal import TerminalKeys  # noqa: E402
from tests.robot.fakes import FakeEstimator, FakePilot, Kept  # noqa: E402
from tests.robot.safety_stand import Stand  # noqa: E402
from tests.robot.safety_wires import I2cBus  # noqa: E402
from tests.robot.steady_camera import SteadyCamera  # noqa: E402

if __package__:
    from benchmarks.fault import send_signal
    from benchmarks.results import emit
else:
    from fault import send_signal
    from results import emit

pause = Event().wait
_STARTS = 3
Measure = Callable[[Stand], float]
"""Brings a fault about and gives the seconds until STOP; afterwards the stand drives or is dead."""


def _killed(process: str, number: signal.Signals) -> Measure:
    def measure(stand: Stand) -> float:
        moment_s = send_signal(stand.pid(process), number)
        took_s = stand.first_stop(after_s=moment_s) - moment_s
        stand.assert_stays_stopped()
        return took_s

    return measure


def _frozen(process: str) -> Measure:
    def measure(stand: Stand) -> float:
        moment_s = send_signal(stand.pid(process), signal.SIGSTOP)
        took_s = stand.first_stop(after_s=moment_s) - moment_s
        stand.assert_stays_stopped()
        os.kill(stand.pid(process), signal.SIGCONT)
        # One write that it had in its hands may still come, with STOP at once after it.
        pause(0.1)
        stand.assert_stays_stopped()
        return took_s

    return measure


def _wished(what: str) -> Measure:
    def measure(stand: Stand) -> float:
        moment_s = monotonic()
        stand.wish(what)
        took_s = stand.first_stop(after_s=moment_s) - moment_s
        stand.assert_stays_stopped()
        return took_s

    return measure


def _bus_error(stand: Stand) -> float:
    """Until STOP is tried: as long as the bus is dead nothing can be on it."""
    bus = stand.wire
    assert isinstance(bus, I2cBus)
    moment_s = monotonic()
    bus.fail()
    tried_s = stand.first_try(after_s=moment_s)
    stand.wait_until_told()
    bus.mend()
    stand.assert_stays_stopped()
    return tried_s - moment_s


def _bus_mended(stand: Stand) -> float:
    stand.wire.fail()
    stand.wait_until_told_after(monotonic())
    moment_s = monotonic()
    stand.wire.mend()
    took_s = stand.first_stop(after_s=moment_s) - moment_s
    stand.assert_stays_stopped()
    return took_s


def _unplugged(stand: Stand) -> float:
    """Until the brain knows: an unplugged wire carries no STOP."""
    moment_s = monotonic()
    stand.wire.fail()
    took_s = stand.wait_until_told_after(moment_s) - moment_s
    stand.wire.mend()
    stand.assert_stays_stopped()
    return took_s


KINDS: dict[str, tuple[str, float, Measure, bool]] = {
    # name: board, target in ms, measure, whether it drives again afterwards
    "brain-killed": ("motorhat", 50, _killed("brain", signal.SIGKILL), False),
    "brain-terminated": ("motorhat", 50, _killed("brain", signal.SIGTERM), False),
    "actuator-killed": ("motorhat", 50, _killed("actuator", signal.SIGKILL), False),
    "guard-killed": ("motorhat", 50, _killed("guard", signal.SIGKILL), False),
    "brain-frozen": ("motorhat", 200, _frozen("brain"), True),
    "actuator-frozen": ("motorhat", 200, _frozen("actuator"), True),
    "guard-frozen": ("motorhat", 200, _frozen("guard"), True),
    "not-a-number": ("motorhat", 100, _wished("nan"), True),
    "bus-error": ("motorhat", 60, _bus_error, True),
    "bus-mended": ("motorhat", 60, _bus_mended, True),
    "serial-unplugged": ("esp32-json", 100, _unplugged, True),
    "serial-plugged-in-again": ("esp32-json", 100, _bus_mended, True),
}


def measure_kind(name: str, *, count: int, load: str) -> int:
    """The number of faults that were missed."""
    board, target_ms, measure, again = KINDS[name]
    took_s: list[float] = []
    missed = 0
    stand: Stand | None = None
    with tempfile.TemporaryDirectory() as folder:
        for number in range(count):
            if stand is None:
                stand = _started(board, Path(folder) / str(number))
            # Somewhere within a tick, not always at its beginning.
            pause(0.05 + 0.02 * number / count)
            try:
                took_s.append(measure(stand))
                if again:
                    stand.drive_again()
            except AssertionError as error:
                missed += 1
                print(f"missed: {name}: {error}", file=sys.stderr)
                stand.close()
                stand = None
            if stand is not None and not again:
                stand.close()
                stand = None
        if stand is not None:
            stand.close()
    _emit(name, took_s, missed=missed, target_ms=target_ms, load=load)
    return missed


def _started(board: str, folder: Path) -> Stand:
    """Three processes that drive; on a crowded machine they may need a second go, which is no fault that was missed."""
    for again in range(_STARTS):
        place = folder / str(again)
        place.mkdir(parents=True)
        try:
            return Stand(board, place)
        except AssertionError as error:
            print(f"not started: {error}", file=sys.stderr)
    sys.exit(f"{board}: its processes did not start in {_STARTS} tries; the machine is too busy to measure on")


def _emit(name: str, took_s: list[float], *, missed: int, target_ms: float, load: str) -> None:
    context = f"{load}, {len(took_s)} faults, {missed} missed, median {median(took_s or [0]) * 1000:.1f} ms, {_crowd()}"
    emit(f"{name}, {load}, worst", max(took_s, default=0) * 1000, unit="ms", target=target_ms, better="lower",
         context=context)  # fmt: skip


def _crowd() -> str:
    """Who else wanted the processor meanwhile."""
    return f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}"


def measure_key(*, count: int, load: str) -> int:
    """A key pressed in a terminal while a loop drives, until STOP is on the wire."""
    took_s: list[float] = []
    missed = 0
    with tempfile.TemporaryDirectory() as folder, _guarded(Path(folder)) as (bus, motors):
        master, slave = os.openpty()
        tty.setraw(slave)
        driving = Event()
        speed = [0.0]

        def loop() -> None:
            while not driving.wait(0.02):
                motors.apply(DifferentialCommand(left=speed[0], right=speed[0]))

        thread = Thread(target=loop)
        with EmergencyStop([TerminalKeys(slave)], stop=motors.stop) as emergency:
            thread.start()
            for number in range(count):
                # As the loop does after arming: neutral first.
                speed[0] = 0.0
                pause(0.06)
                speed[0] = 0.5
                pause(0.1 + 0.02 * number / count)
                moment_s = monotonic()
                os.write(master, b" ")
                stops = _first(bus, b"60 fd 10", after_s=moment_s)
                missed += stops is None
                took_s += [stops - moment_s] if stops is not None else []
                pause(1.1)
                os.write(master, b"\r")
                while emergency.pressed:
                    pause(0.01)
                emergency.take_arming()
            driving.set()
            thread.join()
        os.close(master)
        os.close(slave)
    _emit("emergency-stop-key", took_s, missed=missed, target_ms=50, load=load)
    return missed


def _first(bus: I2cBus, what: bytes, *, after_s: float) -> float | None:
    end_s = monotonic() + 5.0
    while monotonic() < end_s:
        found = next((when for when, said in bus.said() if when >= after_s and said == what), None)
        if found is not None:
            return found
        pause(0.005)
    return None


@contextmanager
def _guarded(folder: Path) -> Iterator[tuple[I2cBus, GuardedMotors]]:
    bus = I2cBus(folder)
    os.environ.update(bus.environment, PYTHONPATH=str(ROOT))
    settings = MotorSettings(driver="tests.robot.i2c_model:motorhat")
    with GuardedMotors(settings, standing=DifferentialCommand()) as motors:
        yield bus, motors


def measure_rate(fps: float, *, seconds: float, load: str) -> None:
    """The whole loop over real processes: decisions a second, and the longest time between two."""
    with tempfile.TemporaryDirectory() as folder:
        bus = I2cBus(Path(folder))
        os.environ.update(bus.environment, PYTHONPATH=str(ROOT))
        motors = GuardedMotors(MotorSettings(driver="tests.robot.i2c_model:motorhat"), standing=DifferentialCommand())
        kept = Kept()
        rig = Rig(
            camera=SteadyCamera(fps=100.0), motors=motors, clock=MonotonicClock(), estimator=FakeEstimator(),
            pilot=FakePilot(), supervisor=SafetySupervisor(), mixer=DifferentialMixer(), camera_delay_s=0.0,
            period_s=1.0 / fps,
        )  # fmt: skip
        end_s = monotonic() + seconds
        stopped_by = ""
        try:
            drive(rig, kept, timer=CycleTimer(period_s=1.0 / fps), rearm=True, interrupted=lambda: monotonic() > end_s)
        except MotorError as error:
            # The machine left the loop without the processor for so long that the wheels were stopped.
            stopped_by = f", ended early: {error}"
    stamps = [tick.frame.stamp_s for tick in kept.ticks if tick.frame is not None]
    rate = (len(stamps) - 1) / (stamps[-1] - stamps[0])
    worst_ms = max(after - before for before, after in pairwise(stamps)) * 1000
    context = f"{load}, {seconds:g} s, {rate:.3f} Hz, longest gap {worst_ms:.1f} ms{stopped_by}, {_crowd()}"
    off = abs(rate / fps - 1) * 100
    emit(f"rate of {fps:.2f} Hz, {load}, off by", off, unit="%", target=0.5, better="lower", context=context)


def measure_ticks(*, seconds: float, load: str) -> None:
    """The actuator's own 50 Hz, which writes STOP again and again while nobody commands."""
    with tempfile.TemporaryDirectory() as folder:
        stand = Stand("motorhat", Path(folder))
        stand.wish("silence")
        stand.assert_stays_stopped()
        begin_s = monotonic()
        pause(seconds)
        stamps = [when for when, _ in stand.wire.said() if when >= begin_s]
        stand.close()
    rate = (len(stamps) - 1) / (stamps[-1] - stamps[0])
    emit(f"actuator's rate of 50.00 Hz, {load}, off by", abs(rate / 50 - 1) * 100, unit="%", target=0.5,
         better="lower", context=f"{load}, {seconds:g} s, {rate:.3f} Hz")  # fmt: skip


@contextmanager
def _load(kind: str) -> Iterator[None]:
    count = 4 if kind == "busy" else 0
    loops = [subprocess.Popen(["nice", "-n", "5", sys.executable, "-c", "while True: pass"]) for _ in range(count)]
    try:
        yield
    finally:
        for loop in loops:
            loop.kill()
            loop.wait()


def main() -> None:
    names = [*KINDS, "emergency-stop-key", "rate"]
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--count", type=int, default=20)
    options.add_argument("--only", nargs="*", default=names, choices=names)
    options.add_argument("--load", nargs="*", default=["idle", "busy"], choices=["idle", "busy"])
    options.add_argument("--rate-seconds", type=float, default=30.0)
    chosen = options.parse_args()
    for load in chosen.load:
        missed = 0
        with _load(load):
            for name in chosen.only:
                if name == "rate":
                    for fps in (20.0, 50.0):
                        measure_rate(fps, seconds=chosen.rate_seconds, load=load)
                    measure_ticks(seconds=chosen.rate_seconds, load=load)
                elif name == "emergency-stop-key":
                    missed += measure_key(count=chosen.count, load=load)
                else:
                    missed += measure_kind(name, count=chosen.count, load=load)
        emit(f"missed faults, {load}", missed, unit="", target=0, better="lower",
             context=f"{load}, {chosen.count} of each kind")  # fmt: skip


if __name__ == "__main__":
    main()
