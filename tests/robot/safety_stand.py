"""A test stand for the safety chain: a motor board on its wire, driven by real brain, actuator and guard processes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from time import monotonic

from robot.motors.settings import MotorSettings
from tests.robot.safety_wires import I2cBus, Pins, SerialLine, Wire

ROOT = Path(__file__).resolve().parents[2]
pause = Event().wait
LONGEST_S = 60.0
"""Nobody waits longer than this; how fast it really is, benchmarks/safety.py tells."""


@dataclass(frozen=True)
class Kind:
    """One motor driver: its wire, and its STOP as the maker documents it."""

    stop: bytes
    wire: Callable[[Path], Wire]
    driver: str = ""
    """Empty: as in the table of boards."""
    vehicle: str = "differential"


def _i2c(name: str) -> dict[str, object]:
    return {"wire": I2cBus, "driver": f"tests.robot.i2c_model:{name}"}


def _serial(*, acknowledges: bool = False) -> Callable[[Path], Wire]:
    return lambda folder: SerialLine(folder, acknowledges=acknowledges)


_NEUTRAL_PULSE = b"40 0a 00003301"
"""1500 us of 20 ms, in steps of 1/4096."""
KINDS: dict[str, Kind] = {
    "motorhat": Kind(b"60 fd 10", **_i2c("motorhat")),
    "waveshare-jetbot": Kind(b"60 fd 10", **_i2c("waveshare_jetbot")),
    "scmd": Kind(b"5d 20 8080", **_i2c("scmd")),
    "jetracer": Kind(_NEUTRAL_PULSE, vehicle="ackermann", **_i2c("jetracer")),
    "waveshare-jetracer": Kind(b"60 fd 10", vehicle="ackermann", **_i2c("waveshare_jetracer")),
    "gpio": Kind(b"still", Pins, "tests.robot.safety_wires:gpio"),
    "esp32-json": Kind(b'{"T":1,"L":0,"R":0}\n', _serial()),
    "vesc": Kind(bytes.fromhex("0205050000000023 5703"), _serial(), vehicle="ackermann"),
    "roboclaw": Kind(bytes.fromhex("80220000 00009817"), _serial(acknowledges=True)),
    "sabertooth": Kind(bytes.fromhex("80000000 80040004"), _serial()),
    "motoron": Kind(bytes.fromhex("e20000000041"), _serial()),
}  # type: ignore[arg-type]

_BRAIN = """
import os, select, sys, time
from control.errors import MotorError
from control.messages import AckermannCommand, DifferentialCommand
from robot.motors import open_motors
from robot.motors.settings import MotorSettings
from robot.motors.wire import READY
settings = MotorSettings.model_validate_json(sys.argv[1])
car = settings.vehicle == "ackermann"
def make(v):
    return AckermannCommand(steering=0.1, throttle=v) if car else DifferentialCommand(left=v, right=v)
with open_motors(settings, standing=make(0.0)) as motors:
    print("driving", flush=True)
    told = ""
    while True:
        wish = os.read(0, 64).decode() if select.select([sys.stdin], [], [], 0.02)[0] else ""
        if wish == "silence":
            time.sleep(3600)
        try:
            if wish == "garbage":
                motors._line.send(b"\\xff\\x00 garbage")
            elif wish == "stop":
                motors.stop()
            else:
                motors.apply(make({"nan": float("nan"), "neutral": 0.0}.get(wish, 0.5)))
                told = ""
        except MotorError as error:
            if str(error) != told:
                told = str(error)
                print(f"{time.monotonic():.6f} {told}", flush=True)
"""
"""Drives at half power whatever happens, and writes down what it is told; wishes come on its standard input."""


class Stand:
    def __init__(self, name: str, folder: Path) -> None:
        self.name, self.kind = name, KINDS[name]
        self.wire = self.kind.wire(folder)
        settings = MotorSettings.model_validate({
            "driver": self.kind.driver or name, "vehicle": self.kind.vehicle, "serial": {"port": self.wire.port},
        })  # fmt: skip
        environment = {**os.environ, **self.wire.environment, "PYTHONPATH": str(ROOT)}
        self._notes = folder / "brain.txt"
        with self._notes.open("wb") as notes:
            self.brain = subprocess.Popen(
                [sys.executable, "-c", _BRAIN, settings.model_dump_json()], stdin=subprocess.PIPE, stdout=notes,
                env=environment, cwd=ROOT, bufsize=0, stderr=subprocess.DEVNULL,
            )  # fmt: skip
        self.actuator = self.guard = 0
        try:
            self._wait(lambda: "driving\n" in self._notes.read_text(), "it does not start")
            # A busy machine may have kept it from its first commands for so long that it was stopped.
            self.drive_again()
            (self.actuator,) = _children(self.brain.pid)
            (self.guard,) = _children(self.actuator)
        except BaseException:
            self.close()
            raise

    def pid(self, process: str) -> int:
        return {"brain": self.brain.pid, "actuator": self.actuator, "guard": self.guard}[process]

    def wish(self, what: str) -> None:
        """silence, garbage, stop, nan or neutral, once."""
        assert self.brain.stdin is not None
        self.brain.stdin.write(what.encode())

    def told(self) -> str:
        """What the brain was told, after its "driving"."""
        return self._notes.read_text().partition("driving\n")[2]

    def told_at(self, *, after_s: float) -> float | None:
        """When the brain was first told of trouble."""
        stamps = (float(line.split(" ", 1)[0]) for line in self.told().splitlines() if line[:1].isdigit())
        return next((stamp for stamp in stamps if stamp >= after_s), None)

    def is_driving(self) -> bool:
        """The brain is up, and the last thing on the wire was no STOP."""
        said = self.wire.said()
        return ("driving\n" in self._notes.read_text() and len(said) > 12 and not self.is_stopped()) or (
            self.name == "gpio" and bool(said) and said[-1][1] == b"pulses"
        )

    def is_stopped(self) -> bool:
        said = self.wire.said()
        if not said:
            return False
        # What a serial line gave in pieces belongs together.
        return b"".join(data for _, data in said[-3:]).endswith(self.kind.stop)

    def first_stop(self, *, after_s: float) -> float:
        """When STOP first came on the wire after this moment. Raises AssertionError."""

        def found() -> float | None:
            return next((when for when, data in self.wire.said() if when >= after_s and self.kind.stop in data), None)

        self._wait(lambda: found() is not None, "no STOP")
        when = found()
        assert when is not None
        return when

    def first_try(self, *, after_s: float) -> float:
        """When STOP was first tried on an I2C bus that refuses. Raises AssertionError."""
        bus = self.wire
        assert isinstance(bus, I2cBus)

        def found() -> float | None:
            return next((when for when, data in bus.tried() if when >= after_s and data == self.kind.stop), None)

        self._wait(lambda: found() is not None, "STOP was not tried")
        when = found()
        assert when is not None
        return when

    def drive_again(self) -> None:
        """Neutral, then the brain goes on at half power."""
        end_s = monotonic() + LONGEST_S
        while not self.is_driving():
            assert monotonic() < end_s, f"{self.name}: does not drive again: {self.told()}"
            self.wish("neutral")
            pause(0.1)

    def wait_until_told_after(self, moment_s: float) -> float:
        """When the brain was told of trouble."""
        self._wait(lambda: self.told_at(after_s=moment_s) is not None, "the brain was told of no trouble")
        when = self.told_at(after_s=moment_s)
        assert when is not None
        return when

    def assert_stays_stopped(self, *, for_s: float = 0.15) -> None:
        self._wait(self.is_stopped, "STOP was not the last word")
        end_s = monotonic() + for_s
        while monotonic() < end_s:
            assert self.is_stopped(), self.wire.said()[-5:]
            pause(0.01)

    def wait_until_told(self) -> str:
        self._wait(lambda: self.told() != "", "the brain was told of no trouble")
        return self.told()

    def _wait(self, holds: Callable[[], object], otherwise: str) -> None:
        end_s = monotonic() + LONGEST_S
        while not holds():
            assert monotonic() < end_s, f"{self.name}: {otherwise}: {self.wire.said()[-5:]}, {self.told()}"
            pause(0.005)

    def close(self) -> None:
        """Ends these three processes, whatever state they are in."""
        for pid in (self.brain.pid, self.actuator, self.guard):
            if pid:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGCONT)
        self.brain.kill()
        self.brain.wait()
        if self.brain.stdin is not None:
            self.brain.stdin.close()
        # The others end with it: their lines are closed.
        end_s = monotonic() + 5.0
        while any(pid and _is_alive(pid) for pid in (self.actuator, self.guard)) and monotonic() < end_s:
            pause(0.01)
        for pid in (self.actuator, self.guard):
            if pid:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
        self.wire.close()


def _children(pid: int) -> list[int]:
    listed = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    return [int(word) for word in listed.split()]


def _is_alive(pid: int) -> bool:
    """A killed child whose new parent has not looked yet is no longer alive."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
