"""The chain of processes behind real motors, killed and frozen in every place: STOP reaches the bus in time.

The deadlines are those of the design, doubled, since a test machine may be busy; ``benchmarks/safety.py`` measures.
"""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from threading import Event

import pytest

from control.errors import MotorError
from control.messages import AckermannCommand, DifferentialCommand
from robot.motors import open_motors
from robot.motors.guarded import GuardedMotors
from robot.motors.settings import MotorSettings

ROOT = Path(__file__).resolve().parents[2]
STOP = "60 fd 10"
SETTINGS = MotorSettings(driver="tests.robot.i2c_model:motorhat")
pause = Event().wait
HALF = DifferentialCommand(left=0.5, right=0.5)


class Bus:
    """The log of all that was written, by whom and when."""

    def __init__(self, log: Path) -> None:
        self.log = log

    def lines(self) -> list[tuple[float, int, str]]:
        text = self.log.read_text() if self.log.exists() else ""
        split = [line.split(" ", 2) for line in text.splitlines()]
        return [(float(when), int(who), what) for when, who, what in split]

    def first_stop_after(self, moment_s: float, *, within_s: float) -> float:
        """Seconds from the moment to STOP; nothing else may drive after it."""
        deadline = time.monotonic() + within_s
        while time.monotonic() < deadline:
            stops = [when for when, _, what in self.lines() if what == STOP and when > moment_s]
            if stops:
                return stops[0] - moment_s
            pause(0.005)
        raise AssertionError(f"no STOP within {within_s} s")

    def drove_after(self, moment_s: float) -> bool:
        return any(what.startswith("60 26") and "ff07" in what and when > moment_s for when, _, what in self.lines())

    def fail(self, number: int | None) -> None:
        fault = self.log.with_suffix(".fault")
        if number is None:
            fault.unlink()
        else:
            fault.write_text(str(number))


@pytest.fixture
def bus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bus:
    log = tmp_path / "bus.log"
    monkeypatch.setenv("LINEPILOT_I2C_LOG", str(log))
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    return Bus(log)


@pytest.fixture
def motors(bus: Bus) -> Iterator[GuardedMotors]:
    made = open_motors(SETTINGS, standing=DifferentialCommand())
    assert isinstance(made, GuardedMotors)
    with made:
        yield made
        with suppress(MotorError):
            made.close()


def keep_driving(motors: GuardedMotors, *, seconds: float) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        motors.apply(HALF)
        pause(0.02)


def children(pid: int) -> list[int]:
    listed = subprocess.run(["pgrep", "-P", str(pid)], capture_output=True, text=True, check=False).stdout
    return [int(line) for line in listed.split()]


def actuator_of(motors: GuardedMotors) -> int:
    assert motors._process is not None
    return motors._process.pid


def guard_of(motors: GuardedMotors) -> int:
    (guard,) = children(actuator_of(motors))
    return guard


def test_the_first_write_is_stop_and_a_command_drives(motors: GuardedMotors, bus: Bus) -> None:
    assert {what for _, _, what in bus.lines()[:1]} == {STOP}
    keep_driving(motors, seconds=0.1)
    assert bus.drove_after(0.0)


def test_the_same_command_is_written_again_and_again(motors: GuardedMotors, bus: Bus) -> None:
    motors.apply(HALF)
    pause(0.12)
    assert sum(what.startswith("60 26") and "ff07" in what for _, _, what in bus.lines()) >= 3


def test_silence_stops_and_only_neutral_opens_again(motors: GuardedMotors, bus: Bus) -> None:
    keep_driving(motors, seconds=0.1)
    silent = time.monotonic()
    assert bus.first_stop_after(silent, within_s=0.6) <= 0.4
    with pytest.raises(MotorError, match="no command for"):
        motors.apply(HALF)
    resumed = time.monotonic()
    # As the loop tries again: it must not pass for driving.
    with pytest.raises(MotorError, match="no command for"):
        motors.apply(HALF)
    pause(0.1)
    assert not bus.drove_after(resumed)
    motors.apply(DifferentialCommand())
    motors.apply(HALF)
    pause(0.1)
    assert bus.drove_after(resumed)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGHUP])
def test_an_actuator_that_dies_is_replaced_by_the_guards_stop(motors: GuardedMotors, bus: Bus, number: int) -> None:
    keep_driving(motors, seconds=0.1)
    killed = time.monotonic()
    os.kill(actuator_of(motors), number)
    assert bus.first_stop_after(killed, within_s=0.5) <= 0.1
    with pytest.raises(MotorError, match="died"):
        keep_driving(motors, seconds=0.5)


def test_a_frozen_actuator_is_stopped_by_the_guard(motors: GuardedMotors, bus: Bus) -> None:
    keep_driving(motors, seconds=0.1)
    frozen = time.monotonic()
    pid = actuator_of(motors)
    os.kill(pid, signal.SIGSTOP)
    try:
        assert bus.first_stop_after(frozen, within_s=0.8) <= 0.4
    finally:
        os.kill(pid, signal.SIGCONT)
    thawed = time.monotonic() + 0.05
    pause(0.1)
    assert not any("ff07" in what and when > thawed for when, _, what in bus.lines())


@pytest.mark.parametrize(("number", "said"), [(signal.SIGKILL, "guard process died"), (signal.SIGSTOP, "is frozen")])
def test_nobody_drives_unguarded(motors: GuardedMotors, bus: Bus, number: int, said: str) -> None:
    keep_driving(motors, seconds=0.1)
    guard = guard_of(motors)
    moment = time.monotonic()
    os.kill(guard, number)
    try:
        with pytest.raises(MotorError, match=said):
            keep_driving(motors, seconds=1.5)
        assert bus.first_stop_after(moment, within_s=0.5) <= 0.7
    finally:
        with suppress(ProcessLookupError):
            os.kill(guard, signal.SIGCONT)


@pytest.mark.parametrize("number", [errno.EIO, errno.EREMOTEIO])
def test_a_bus_error_ends_the_drive_and_stop_is_tried_until_it_goes_through(
    motors: GuardedMotors, bus: Bus, number: int
) -> None:
    keep_driving(motors, seconds=0.1)
    bus.fail(number)
    with pytest.raises(MotorError, match="MotorHAT at 0x60"):
        keep_driving(motors, seconds=0.5)
    # The loop's second try, and every later one as long as the bus is dead.
    with pytest.raises(MotorError, match="MotorHAT at 0x60"):
        motors.apply(HALF)
    mended = time.monotonic()
    bus.fail(None)
    assert bus.first_stop_after(mended, within_s=0.5) <= 0.12


def test_a_board_that_is_not_there_is_said_in_its_own_words(bus: Bus) -> None:
    bus.fail(errno.ENXIO)
    with (
        pytest.raises(MotorError, match=r"MotorHAT at 0x60 .*i2cdetect"),
        open_motors(SETTINGS, standing=DifferentialCommand()),
    ):
        pytest.fail("opened")


def test_a_command_for_another_drive_is_refused(motors: GuardedMotors) -> None:
    with pytest.raises(MotorError, match=r"set motors\.vehicle"):
        motors.apply(AckermannCommand(throttle=0.1))


BRAIN = """
import sys, time
from control.messages import DifferentialCommand
from robot.motors import open_motors
from robot.motors.settings import MotorSettings
with open_motors(MotorSettings(driver="tests.robot.i2c_model:motorhat"), standing=DifferentialCommand()) as motors:
    print("driving", flush=True)
    while True:
        motors.apply(DifferentialCommand(left=0.5, right=0.5))
        time.sleep(0.02)
"""


@pytest.fixture
def brain(bus: Bus) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen([sys.executable, "-c", BRAIN], stdout=subprocess.PIPE, text=True, cwd=ROOT)
    assert process.stdout is not None
    assert process.stdout.readline() == "driving\n"
    pause(0.1)
    assert bus.drove_after(0.0)
    yield process
    with suppress(ProcessLookupError):
        process.send_signal(signal.SIGCONT)
    process.kill()
    process.wait()
    process.stdout.close()


@pytest.mark.parametrize(("number", "within_s"), [(signal.SIGKILL, 0.1), (signal.SIGTERM, 0.1), (signal.SIGSTOP, 0.4)])
def test_a_deciding_process_that_dies_or_freezes_stops_the_wheels(
    brain: subprocess.Popen[str], bus: Bus, number: int, within_s: float
) -> None:
    moment = time.monotonic()
    brain.send_signal(number)
    assert bus.first_stop_after(moment, within_s=1.0) <= within_s
    pause(0.1)
    assert bus.lines()[-1][2] == STOP


def test_nothing_is_left_running_after_a_drive(motors: GuardedMotors) -> None:
    actuator, guard = actuator_of(motors), guard_of(motors)
    motors.close()
    deadline = time.monotonic() + 3.0
    alive: Callable[[int], bool] = lambda pid: Path(f"/proc/{pid}").exists()  # noqa: E731
    while (alive(actuator) or alive(guard)) and time.monotonic() < deadline:
        pause(0.02)
    assert not alive(actuator)
    assert not alive(guard)
