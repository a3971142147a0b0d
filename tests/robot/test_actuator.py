"""The process that owns the board, tick by tick, with the real smbus2 over a register model and a real child as guard.

Time is handed in, so nothing here waits; whole processes are killed in test_guarded_motors.py and test_safety_suite.py.
"""

from __future__ import annotations

import errno
import os
import select
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from math import inf, nan
from pathlib import Path

import pytest
from i2c_model import I2cModel, install

from control.messages import AckermannCommand, DifferentialCommand
from robot.motors import actuator as actuator_module
from robot.motors.actuator import Actuator, GuardLine
from robot.motors.board import BoardMotors
from robot.motors.i2c import I2cDevice
from robot.motors.pca9685 import MotorHat
from robot.motors.settings import MotorSettings
from robot.motors.wire import (
    ASK_BATTERY,
    BATTERY,
    BYE,
    FAILED,
    FREEZE_S,
    READY,
    STOP,
    TICK_S,
    TROUBLE,
    is_neutral,
    pack,
    unpack,
)

ROOT = Path(__file__).resolve().parents[2]
NEUTRAL, HALF = DifferentialCommand(), DifferentialCommand(left=0.5, right=0.5)
ALL_OFF = (0x60, 0xFD, b"\x10")
REST = (0x60, 0x26, bytes([0, 0, 0, 0x10] * 6))
pause = threading.Event().wait


def is_drive(done: tuple[int, int, bytes]) -> bool:
    return done[1] == 0x26 and done != REST


@dataclass
class Bench:
    actuator: Actuator
    bus: I2cModel
    brain: socket.socket
    guard: subprocess.Popen[bytes]
    now_s: float = 100.0

    def hear(self, data: bytes) -> bool:
        return self.actuator.hear(data, now_s=self.now_s)

    def tick(self, *, after_s: float = TICK_S, echo: bool = True) -> None:
        self.now_s += after_s
        self.actuator.tick(now_s=self.now_s)
        if echo and self.actuator._guard._heard_s != self.now_s and self.guard.poll() is None:
            # Real time is not the tests' time: the next tick shall find the answer to this one.
            self.wait_for_echo()

    def wait_for_echo(self) -> None:
        assert self.guard.stdout is not None
        assert select.select([self.guard.stdout], [], [], 20)[0]

    def driving(self) -> Bench:
        assert self.hear(pack(NEUTRAL))
        assert self.hear(pack(HALF))
        assert is_drive(self.bus.written[-1])
        return self

    def said(self) -> list[str]:
        """What the brain was told since the last question."""
        heard = []
        with suppress(BlockingIOError):
            while True:
                data = self.brain.recv(4096)
                assert data[:1] == TROUBLE
                heard.append(data[1:].decode())
        return heard


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    bus = I2cModel(0x60)
    install(bus, monkeypatch.setattr)
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    ours.setblocking(False)
    # It echoes what it is told, as a guard does.
    guard = subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0)
    with BoardMotors(MotorHat(I2cDevice(0x60, bus=7), wait=lambda _: None)) as motors:
        line = GuardLine(guard, now_s=100.0)
        yield Bench(Actuator(motors, brain=theirs, guard=line, now_s=100.0), bus, ours, guard)
        bus.fail = lambda: None
    guard.kill()
    with guard:
        pass
    ours.close()
    theirs.close()


def test_it_begins_with_stop_and_nothing_but_neutral_opens_the_way(bench: Bench) -> None:
    bench.tick()
    assert bench.bus.written[-1] == ALL_OFF
    bench.hear(pack(HALF))
    bench.tick()
    assert bench.bus.written[-1] == ALL_OFF
    bench.hear(pack(NEUTRAL))
    assert bench.bus.written[-1] == REST
    bench.hear(pack(HALF))
    assert is_drive(bench.bus.written[-1])
    assert bench.said() == []


def test_a_setpoint_is_written_at_once_and_again_every_tick(bench: Bench) -> None:
    bench.driving()
    before = len(bench.bus.written)
    for _ in range(3):
        bench.tick()
    assert len(bench.bus.written) == before + 3
    assert all(is_drive(done) for done in bench.bus.written[before:])


def test_the_first_neutral_needs_no_second_setting_up(bench: Bench) -> None:
    before = len(bench.bus.written)
    bench.hear(pack(NEUTRAL))
    assert bench.bus.written[before:] == [REST]


def test_stop_is_written_at_once_and_latched(bench: Bench) -> None:
    bench.driving()
    assert bench.hear(STOP)
    assert bench.bus.written[-1] == ALL_OFF
    assert bench.said() == []
    assert bench.hear(pack(HALF))
    bench.tick()
    assert bench.bus.written[-1] == ALL_OFF
    bench.driving()


@pytest.mark.parametrize("end", [b"", BYE])
def test_the_end_of_the_conversation_is_the_end_of_driving(bench: Bench, end: bytes) -> None:
    bench.driving()
    assert not bench.hear(end)
    bench.tick()
    assert bench.bus.written[-1] == ALL_OFF


@pytest.mark.parametrize(
    "data",
    [
        b"x", b"d" * 17, b"\0" * 17, pack(HALF) + b"x", pack(HALF)[:-1], b"a",
        pack(DifferentialCommand(left=nan)), pack(DifferentialCommand(right=nan)), pack(DifferentialCommand(right=inf)),
        pack(DifferentialCommand(left=1.01)), pack(DifferentialCommand(right=1.01)),
        pack(AckermannCommand(steering=-1.01)), pack(AckermannCommand(throttle=-1.01)),
    ],
)  # fmt: skip
def test_what_is_no_setpoint_stops_at_once(bench: Bench, data: bytes) -> None:
    bench.driving()
    assert bench.hear(data)
    assert bench.bus.written[-1] == ALL_OFF
    (said,) = bench.said()
    assert said.startswith("motors: ")
    assert said.endswith("; stopped")
    assert bench.hear(pack(HALF))
    assert bench.bus.written[-1] == ALL_OFF
    bench.driving()


def test_a_setpoint_for_another_vehicle_stops(bench: Bench) -> None:
    bench.driving()
    bench.hear(pack(AckermannCommand(throttle=0.5)))
    bench.tick()
    assert bench.bus.written[-1] == ALL_OFF
    assert "takes DifferentialCommand" in bench.said()[0]


@pytest.mark.parametrize(
    "command",
    [
        HALF, DifferentialCommand(left=-1, right=1), DifferentialCommand(left=1, right=-1),
        AckermannCommand(steering=1, throttle=-1), AckermannCommand(steering=-1, throttle=1),
    ],
)  # fmt: skip
def test_what_is_packed_is_unpacked(command: DifferentialCommand | AckermannCommand) -> None:
    assert unpack(pack(command)) == command


@pytest.mark.parametrize(
    ("command", "neutral"),
    [
        (DifferentialCommand(), True), (DifferentialCommand(left=0.1), False), (DifferentialCommand(right=-0.1), False),
        (AckermannCommand(steering=0.4), True), (AckermannCommand(throttle=0.1), False),
        (AckermannCommand(throttle=1.0), False),
    ],
)  # fmt: skip
def test_neutral_asks_for_no_drive_whatever_the_steering(
    command: DifferentialCommand | AckermannCommand, neutral: bool
) -> None:
    assert is_neutral(command) is neutral


def test_a_line_of_no_sense_is_told_in_short() -> None:
    with pytest.raises(ValueError, match=r"^b'x{16}' is no setpoint$"):
        unpack(b"x" * 1000)


def test_silence_of_the_brain_is_a_freeze_and_just_less_is_none(bench: Bench) -> None:
    bench.driving()
    ticks = int(FREEZE_S / TICK_S)
    for _ in range(ticks):
        bench.tick()
    assert is_drive(bench.bus.written[-1])
    bench.tick()
    assert bench.bus.written[-1] == ALL_OFF
    assert bench.said() == ["motors: no command for 160 ms, stopped"]
    bench.hear(pack(HALF))
    assert bench.bus.written[-1] == ALL_OFF


def test_exactly_the_patience_is_not_yet_too_long(bench: Bench) -> None:
    bench.driving()
    # Numbers that a computer adds without rounding.
    bench.actuator._heard_s = bench.actuator._ticked_s = 0.0
    bench.actuator.tick(now_s=FREEZE_S)
    assert is_drive(bench.bus.written[-1])


def test_a_pause_of_its_own_is_a_freeze_too_even_if_a_command_came_meanwhile(bench: Bench) -> None:
    bench.driving()
    bench.tick()
    bench.now_s += 0.3
    bench.hear(pack(HALF))
    bench.tick(after_s=0.0)
    assert bench.bus.written[-1] == ALL_OFF
    assert bench.said()[0] == "motors: no command for 320 ms, stopped"


def test_what_queued_up_during_a_freeze_of_its_own_never_drives(bench: Bench) -> None:
    bench.driving()
    bench.tick()
    before = len(bench.bus.written)
    bench.now_s += 0.3
    for _ in range(5):
        bench.hear(pack(HALF))
    bench.tick(after_s=0.0)
    assert set(bench.bus.written[before:]) == {ALL_OFF}
    bench.driving()


@pytest.mark.parametrize(("lasts_s", "stopped"), [(FREEZE_S, False), (FREEZE_S + 0.01, True)])
def test_frozen_in_the_middle_of_a_write_stop_follows_at_once(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, lasts_s: float, stopped: bool
) -> None:
    bench.driving()
    real_s = [0.0]
    monkeypatch.setattr(actuator_module, "monotonic", lambda: real_s[0])

    def freeze(done: tuple[int, int, bytes]) -> None:
        if is_drive(done):
            real_s[0] += lasts_s

    bench.bus.watch = freeze
    bench.tick()
    assert (bench.bus.written[-1] == ALL_OFF) is stopped
    bench.hear(pack(HALF))
    assert (bench.bus.written[-1] == ALL_OFF) is stopped


def test_silence_while_it_stands_stopped_is_no_trouble(bench: Bench) -> None:
    for _ in range(50):
        bench.tick()
    assert bench.said() == []


def test_each_command_starts_the_patience_anew(bench: Bench) -> None:
    bench.driving()
    for _ in range(20):
        bench.tick()
        bench.hear(pack(HALF))
    assert is_drive(bench.bus.written[-1])


def test_a_long_silence_is_told_in_milliseconds(bench: Bench) -> None:
    bench.driving()
    bench.tick(after_s=5.0)
    assert bench.said()[0] == "motors: no command for 5000 ms, stopped"


def test_one_refused_write_is_tried_again_in_the_same_tick(bench: Bench) -> None:
    bench.driving()
    answers = [errno.EIO]
    bench.bus.fail = lambda: answers.pop() if answers else None
    before = len(bench.bus.written)
    bench.tick()
    assert len(bench.bus.written) == before + 1
    assert is_drive(bench.bus.written[-1])
    assert bench.said() == []


def test_two_refused_writes_stop_and_it_is_tried_every_tick_until_it_gets_through(bench: Bench) -> None:
    bench.driving()
    asked: list[int] = []
    bench.bus.fail = lambda: asked.append(1) or errno.EREMOTEIO  # type: ignore[func-returns-value]
    bench.tick()
    assert len(asked) == 2
    assert bench.actuator._motors.board._chip.device._wire is None  # type: ignore[attr-defined]
    assert "MotorHAT at 0x60" in bench.said()[0]
    bench.tick()
    assert len(asked) == 4
    bench.bus.fail = lambda: None
    before = len(bench.bus.written)
    bench.hear(pack(HALF))
    bench.tick()
    assert bench.bus.written[before:] == [ALL_OFF]


def test_after_a_failed_wire_the_board_is_set_up_anew_before_anything_drives(bench: Bench) -> None:
    bench.driving()
    bench.bus.fail = lambda: errno.EIO
    bench.tick()
    bench.bus.fail = lambda: None
    bench.tick()
    before = len(bench.bus.written)
    bench.hear(pack(NEUTRAL))
    # As at the first start: off, then frequency and mode, then the setpoint.
    after = bench.bus.written[before:]
    assert after[0] == ALL_OFF
    assert (0x60, 0xFE, b"\x03") in after
    assert after[-1] == REST
    before = len(bench.bus.written)
    bench.hear(pack(HALF))
    assert len(bench.bus.written) == before + 1


def test_a_wire_that_fails_while_it_is_set_up_anew_stays_stopped(bench: Bench) -> None:
    bench.driving()
    bench.bus.fail = lambda: errno.EIO
    bench.tick()
    bench.hear(pack(NEUTRAL))
    bench.bus.fail = lambda: None
    before = len(bench.bus.written)
    bench.hear(pack(HALF))
    bench.tick()
    assert bench.bus.written[before:] == [ALL_OFF]


def test_lasting_trouble_is_said_again_but_not_every_tick(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    real_s = [50.0]
    monkeypatch.setattr(actuator_module, "monotonic", lambda: real_s[0])
    bench.bus.fail = lambda: errno.EIO
    bench.tick()
    assert len(bench.said()) == 1
    real_s[0] += 0.09
    bench.tick()
    assert bench.said() == []
    real_s[0] += 0.05
    bench.tick()
    assert len(bench.said()) == 1
    bench.bus.fail = lambda: errno.ENXIO
    bench.tick()
    assert len(bench.said()) == 1


def test_trouble_is_said_again_after_more_than_a_tenth_of_a_second(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    real_s = [0.0]
    monkeypatch.setattr(actuator_module, "monotonic", lambda: real_s[0])
    bench.bus.fail = lambda: errno.EIO
    bench.actuator.write()
    bench.said()
    real_s[0] = 0.1
    bench.actuator.write()
    assert bench.said() == []


def test_a_brain_that_does_not_listen_is_not_waited_for(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    numbers = iter(range(10**6))
    monkeypatch.setattr(actuator_module, "monotonic", lambda: float(next(numbers)))
    bench.bus.fail = lambda: errno.EIO
    for _ in range(2000):
        bench.actuator.write()
    bench.brain.close()
    bench.actuator.write()
    bench.bus.fail = lambda: None
    bench.actuator.write()
    assert bench.bus.written[-1] == ALL_OFF


@dataclass
class TellingHat(MotorHat):
    """With a voltmeter that fails, is late or tells, as ``answers`` says."""

    answers: list[float | type[OSError] | None]
    asked: int = 0

    def battery_v(self) -> float | None:
        self.asked += 1
        answer = self.answers.pop(0) if self.answers else None
        if answer is OSError:
            raise OSError(errno.EIO, "Input/output error")
        assert not isinstance(answer, type)
        return answer


def with_voltmeter(bench: Bench, *answers: float | type[OSError] | None) -> TellingHat:
    board = bench.actuator._motors.board
    assert isinstance(board, MotorHat)
    board.__class__ = TellingHat
    assert isinstance(board, TellingHat)
    board.answers, board.asked = list(answers), 0
    return board


def test_asked_for_the_battery_it_asks_the_board_after_its_bytes(bench: Bench) -> None:
    bench.driving()
    board = with_voltmeter(bench, None, 11.42, 12.0)
    assert bench.hear(ASK_BATTERY)
    # Not at once, and no setpoint: what drives goes on.
    assert board.asked == 0
    written = len(bench.bus.written)
    bench.tick()
    assert is_drive(bench.bus.written[-1])
    assert len(bench.bus.written) == written + 1
    with pytest.raises(BlockingIOError):
        bench.brain.recv(64)
    bench.tick()
    assert bench.brain.recv(64) == BATTERY + b"11.420"
    bench.tick()
    assert board.asked == 2


def test_a_board_is_not_asked_unless_somebody_wants_to_know(bench: Bench) -> None:
    board = with_voltmeter(bench, 12.0)
    bench.tick()
    assert board.asked == 0


def test_a_board_that_does_not_tell_is_asked_five_times(bench: Bench) -> None:
    board = with_voltmeter(bench)
    assert bench.hear(ASK_BATTERY)
    for _ in range(8):
        bench.tick()
    assert board.asked == 5
    assert bench.said() == []


def test_a_voltmeter_that_fails_stops_nothing(bench: Bench) -> None:
    bench.driving()
    with_voltmeter(bench, OSError, 12.0)
    assert bench.hear(ASK_BATTERY)
    bench.tick()
    assert is_drive(bench.bus.written[-1])
    bench.tick()
    assert bench.brain.recv(64) == BATTERY + b"12.000"


def test_a_wire_that_has_failed_is_not_asked(bench: Bench) -> None:
    bench.driving()
    board = with_voltmeter(bench, 12.0)
    bench.bus.fail = lambda: errno.EIO
    bench.tick()
    assert bench.hear(ASK_BATTERY)
    bench.tick()
    assert board.asked == 0


def test_a_board_without_a_voltmeter_is_asked_in_vain(bench: Bench) -> None:
    bench.driving()
    assert bench.hear(ASK_BATTERY)
    bench.tick()
    assert is_drive(bench.bus.written[-1])
    assert bench.said() == []


def test_a_brain_that_is_gone_needs_no_voltage(bench: Bench) -> None:
    with_voltmeter(bench, 12.0)
    assert bench.hear(ASK_BATTERY)
    bench.brain.close()
    bench.tick()


def test_each_tick_is_a_beat_for_the_guard(bench: Bench) -> None:
    # A pipe in the guard's place, to see what is written.
    read, write = os.pipe()
    bench.actuator._guard._beats = write
    for _ in range(3):
        bench.tick(echo=False)
    assert os.read(read, 16) == b"..."
    os.close(read)
    os.close(write)


def test_a_guard_that_answers_is_no_trouble(bench: Bench) -> None:
    bench.driving()
    for _ in range(50):
        bench.tick()
        bench.hear(pack(HALF))
    assert is_drive(bench.bus.written[-1])
    assert bench.said() == []


def test_a_frozen_guard_stops_after_the_same_patience(bench: Bench) -> None:
    bench.driving()
    bench.tick()
    bench.actuator.tick(now_s=bench.now_s)
    heard_s = bench.now_s
    os.kill(bench.guard.pid, signal.SIGSTOP)
    os.waitid(os.P_PID, bench.guard.pid, os.WSTOPPED)
    assert bench.guard.stdout is not None
    while bench.guard.stdout.read(64):
        # What it had answered before.
        continue
    bench.actuator._guard._heard_s = heard_s
    for _ in range(14):
        bench.hear(pack(HALF))
        bench.tick(after_s=0.01, echo=False)
    bench.now_s = heard_s + FREEZE_S
    bench.hear(pack(HALF))
    assert is_drive(bench.bus.written[-1])
    bench.hear(pack(HALF))
    bench.tick(after_s=0.005, echo=False)
    assert bench.bus.written[-1] == ALL_OFF
    assert bench.said()[0] == "motors: the guard process is frozen, stopped; start the drive again"
    bench.hear(pack(HALF))
    assert bench.bus.written[-1] == ALL_OFF


def test_exactly_the_patience_is_not_yet_too_long_for_the_guard_either(bench: Bench) -> None:
    os.kill(bench.guard.pid, signal.SIGSTOP)
    os.waitid(os.P_PID, bench.guard.pid, os.WSTOPPED)
    line = bench.actuator._guard
    line._heard_s = 0.0
    assert line.beat(now_s=FREEZE_S) == ""
    assert line.beat(now_s=FREEZE_S + 0.001) == "is frozen"


def test_the_guard_is_never_waited_for(bench: Bench) -> None:
    assert not os.get_blocking(bench.actuator._guard._beats)
    assert not os.get_blocking(bench.actuator._guard._echo)


def test_a_dead_guard_stops_at_the_next_tick(bench: Bench) -> None:
    bench.driving()
    bench.guard.kill()
    bench.guard.wait()
    bench.tick(echo=False)
    assert bench.bus.written[-1] == ALL_OFF
    assert bench.said() == ["motors: the guard process died, stopped; start the drive again"]


def test_saying_goodbye_to_the_guard_never_waits_and_never_fails(bench: Bench) -> None:
    line = bench.actuator._guard
    line.bye()
    bench.wait_for_echo()
    assert bench.guard.stdout is not None
    assert bench.guard.stdout.read(16) == BYE
    bench.guard.kill()
    bench.guard.wait()
    line.bye()


SETTINGS = MotorSettings(driver="tests.robot.i2c_model:motorhat").model_dump_json()


@dataclass
class Process:
    """The actuator as it is really started, and the brain's end of its line."""

    child: subprocess.Popen[bytes]
    line: socket.socket
    log: Path

    def written(self, *, by: int | None = None) -> list[str]:
        """All, or what one process wrote."""
        lines = self.log.read_text().splitlines() if self.log.exists() else []
        split = [line.split(" ", 2) for line in lines]
        return [what for _, who, what in split if by in (None, int(who))]

    def wait_for_drive(self) -> None:
        self.line.send(pack(NEUTRAL))
        for _ in range(500):
            self.line.send(pack(HALF))
            if any("ff07" in what for what in self.written()):
                return
            pause(0.01)
        raise AssertionError("it does not drive")


@pytest.fixture
def process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Process]:
    log = tmp_path / "bus.log"
    monkeypatch.setenv("LINEPILOT_I2C_LOG", str(log))
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    ours.settimeout(20)
    with theirs:
        child = subprocess.Popen(
            [sys.executable, "-m", "robot.motors.actuator", str(theirs.fileno()), SETTINGS],
            pass_fds=[theirs.fileno()], cwd=ROOT,
        )  # fmt: skip
    yield Process(child, ours, log)
    ours.close()
    child.kill()
    child.wait()


def test_the_process_says_ready_drives_and_ends_with_stop_when_the_line_closes(process: Process) -> None:
    assert process.line.recv(64) == READY
    process.wait_for_drive()
    process.line.close()
    assert process.child.wait(10) == 0
    assert process.written()[-1] == "60 fd 10"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_the_process_politely_with_stop(process: Process, number: int) -> None:
    assert process.line.recv(64) == READY
    process.wait_for_drive()
    process.child.send_signal(number)
    assert process.child.wait(10) == 0
    assert process.written()[-1] == "60 fd 10"


def test_interrupt_is_left_to_the_brain(process: Process) -> None:
    assert process.line.recv(64) == READY
    process.child.send_signal(signal.SIGINT)
    process.wait_for_drive()
    process.line.send(BYE)
    assert process.child.wait(10) == 0
    # The guard was told goodbye: but for its first STOP it had nothing to do.
    assert len(process.written()) - len(process.written(by=process.child.pid)) == 1


def test_a_board_that_does_not_answer_is_told_and_ends_the_process(process: Process) -> None:
    process.log.with_suffix(".fault").write_text(str(errno.ENXIO))
    said = process.line.recv(4096)
    assert said[:1] == FAILED
    assert b"i2cdetect" in said
    assert process.child.wait(10) == 1


def test_ticks_keep_their_rate_and_do_not_catch_up(process: Process) -> None:
    assert process.line.recv(64) == READY
    process.wait_for_drive()
    process.child.send_signal(signal.SIGSTOP)
    pause(0.5)
    process.child.send_signal(signal.SIGCONT)
    process.line.send(STOP)
    pause(0.05)
    count = len(process.written(by=process.child.pid))
    pause(1.0)
    # 50 ticks in a second; made up for it would be half as many again. Generous, the machine may be busy.
    assert 5 <= len(process.written(by=process.child.pid)) - count <= 65


def test_it_goes_before_all_others_where_it_may(process: Process) -> None:
    assert process.line.recv(64) == READY
    asks = "import os; os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))"
    may = subprocess.run([sys.executable, "-c", asks], stderr=subprocess.DEVNULL, check=False).returncode == 0
    policy = os.sched_getscheduler(process.child.pid) & ~os.SCHED_RESET_ON_FORK
    assert policy == (os.SCHED_RR if may else os.SCHED_OTHER)


def test_it_sleeps_between_its_ticks(process: Process) -> None:
    assert process.line.recv(64) == READY

    def used() -> float:
        fields = Path(f"/proc/{process.child.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    before_s = used()
    pause(0.7)
    assert used() - before_s < 0.35


def test_commands_between_ticks_are_no_ticks(process: Process) -> None:
    assert process.line.recv(64) == READY
    process.line.send(pack(NEUTRAL))
    before = len(process.written(by=process.child.pid))
    for _ in range(100):
        process.line.send(pack(NEUTRAL))
    pause(0.02)
    # Each is written once, and with it the few ticks of this moment; not each a second time.
    assert len(process.written(by=process.child.pid)) - before < 150


def test_nobody_drives_without_a_guard(process: Process, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert process.line.recv(64) == READY
    settings = MotorSettings(driver="tests.robot.safety_wires:guardless").model_dump_json()
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    ours.settimeout(20)
    with theirs, ours:
        child = subprocess.Popen(
            [sys.executable, "-m", "robot.motors.actuator", str(theirs.fileno()), settings],
            pass_fds=[theirs.fileno()], cwd=ROOT, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        assert ours.recv(4096) == FAILED + b"motors: the guard process did not start; look above for its error"
    assert child.wait(10) == 1
