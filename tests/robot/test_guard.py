"""The process that does nothing but STOP: real pipes, the real smbus2 over a register model, a real child process."""

from __future__ import annotations

import errno
import os
import select
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from time import monotonic

import pytest
from i2c_model import I2cModel, install

from robot.motors import guard as guard_module
from robot.motors.guard import guard
from robot.motors.i2c import I2cDevice
from robot.motors.pca9685 import MotorHat
from robot.motors.settings import MotorSettings
from robot.motors.wire import BEAT, BYE, FREEZE_S, READY

ROOT = Path(__file__).resolve().parents[2]
ALL_OFF = (0x60, 0xFD, b"\x10")
pause = threading.Event().wait


@dataclass
class Bench:
    bus: I2cModel
    beats: int
    """The actuator's end of the pipe that the guard listens to."""
    echo: int
    thread: threading.Thread

    def beat(self, data: bytes = BEAT) -> None:
        os.write(self.beats, data)

    def answered(self) -> bool:
        return bool(select.select([self.echo], [], [], 20)[0]) and os.read(self.echo, 64) != b""

    def close(self) -> None:
        beats, self.beats = self.beats, -1
        if beats >= 0:
            os.close(beats)

    def ended(self) -> bool:
        self.thread.join(20)
        return not self.thread.is_alive()

    def stops(self) -> int:
        return sum(done == ALL_OFF for done in self.bus.written)

    def wait_for_stops(self, count: int) -> None:
        assert any(self.stops() >= count or pause(0.005) for _ in range(4000))


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    bus = I2cModel(0x60)
    install(bus, monkeypatch.setattr)
    listens, beats = os.pipe()
    echo, answers = os.pipe()
    board = MotorHat(I2cDevice(0x60, bus=7), wait=lambda _: None)
    thread = threading.Thread(target=lambda: guard(board, pipe=listens, echo=answers), daemon=True)
    made = Bench(bus, beats, echo, thread)
    thread.start()
    yield made
    made.close()
    assert made.ended()
    board.close()
    for fd in {listens, made.echo, answers} - {-1}:
        os.close(fd)


def test_beats_are_answered_and_nothing_is_written(bench: Bench) -> None:
    for _ in range(5):
        bench.beat()
        assert bench.answered()
    assert bench.bus.written == []
    bench.beat(BYE)
    assert bench.ended()
    assert bench.bus.written == []


def test_goodbye_behind_a_beat_is_goodbye(bench: Bench) -> None:
    bench.beat(BEAT + BYE)
    assert bench.ended()
    assert bench.bus.written == []


def test_silence_is_answered_by_stop_until_the_beats_come_back(bench: Bench) -> None:
    bench.beat()
    assert bench.answered()
    began_s = monotonic()
    bench.wait_for_stops(1)
    assert monotonic() - began_s >= FREEZE_S * 0.9
    stamps: list[float] = []
    bench.bus.watch = lambda _: stamps.append(monotonic())
    bench.wait_for_stops(7)
    gaps_s = [after - before for before, after in pairwise(stamps)]
    # Much faster than its patience; how fast exactly is up to the machine.
    assert min(gaps_s) < 0.8 * FREEZE_S
    assert sum(gaps_s) < 4.0
    bench.bus.watch = lambda _: None
    bench.beat()
    assert bench.answered()
    # And its patience is whole again.
    count = bench.stops()
    began_s = monotonic()
    bench.wait_for_stops(count + 1)
    assert monotonic() - began_s >= FREEZE_S * 0.9
    assert set(bench.bus.written) == {ALL_OFF}


def test_a_pipe_that_closes_without_goodbye_is_a_dead_actuator(bench: Bench) -> None:
    bench.beat()
    assert bench.answered()
    bench.close()
    assert bench.ended()
    # Five times: a last command may still have been on its way.
    assert bench.bus.written == [ALL_OFF] * 5


def test_a_bus_that_refuses_stop_is_tried_again_and_said(bench: Bench, capfd: pytest.CaptureFixture[str]) -> None:
    refused: list[int] = []
    bench.bus.fail = lambda: refused.append(1) or errno.EIO  # type: ignore[func-returns-value]
    bench.beat()
    assert bench.answered()
    assert any(len(refused) >= 2 or pause(0.005) for _ in range(4000))
    bench.bus.fail = lambda: None
    bench.wait_for_stops(1)
    assert "guard: MotorHAT at 0x60 on I2C bus 7: [Errno 5]" in capfd.readouterr().err


def test_after_a_refused_stop_it_connects_anew(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[object] = []
    real = os.open
    monkeypatch.setattr(os, "open", lambda *a, **k: opened.append(a[0]) or real(*a, **k))  # type: ignore[func-returns-value]
    answers = [errno.EIO]
    bench.bus.fail = lambda: answers.pop() if answers else None
    bench.close()
    assert bench.ended()
    assert len([path for path in opened if path == "/dev/i2c-7"]) == 2
    assert bench.stops() == 4


def test_an_actuator_that_no_longer_hears_the_echo_is_still_guarded(bench: Bench) -> None:
    os.close(bench.echo)
    bench.echo = -1
    bench.beat()
    bench.beat()
    bench.wait_for_stops(1)


def test_the_last_stops_are_spread_over_time(bench: Bench) -> None:
    began_s = monotonic()
    bench.close()
    assert bench.ended()
    assert monotonic() - began_s >= 4 * guard_module._AGAIN_S


@dataclass
class Process:
    child: subprocess.Popen[bytes]
    log: Path

    def written(self) -> list[str]:
        return [line.split(" ", 2)[2] for line in self.log.read_text().splitlines()] if self.log.exists() else []


@pytest.fixture
def process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Process]:
    log = tmp_path / "bus.log"
    monkeypatch.setenv("LINEPILOT_I2C_LOG", str(log))
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    settings = MotorSettings(driver="tests.robot.i2c_model:motorhat").model_dump_json()
    child = subprocess.Popen(
        [sys.executable, "-m", "robot.motors.guard", settings], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        bufsize=0, cwd=ROOT,
    )  # fmt: skip
    yield Process(child, log)
    child.kill()
    with child:
        pass


def test_the_process_writes_stop_before_it_says_ready(process: Process) -> None:
    assert process.child.stdout is not None
    assert process.child.stdin is not None
    assert process.child.stdout.read(1) == READY
    assert process.written() == ["60 fd 10"]
    process.child.stdin.write(BYE)
    assert process.child.wait(10) == 0
    assert process.written() == ["60 fd 10"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_signals_are_for_the_others_the_guard_outlives_them(process: Process, number: int) -> None:
    assert process.child.stdout is not None
    assert process.child.stdin is not None
    assert process.child.stdout.read(1) == READY
    process.child.send_signal(number)
    process.child.stdin.write(BEAT)
    assert process.child.stdout.read(1) == BEAT
    process.child.stdin.close()
    assert process.child.wait(10) == 0
    assert process.written().count("60 fd 10") == 6
