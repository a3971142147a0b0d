"""The serial boards' bytes, as their makers document them, through the real pyserial over a pty."""

from __future__ import annotations

import os
import struct
import tty
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from threading import Thread

import pytest
from hypothesis import given
from hypothesis import strategies as st

from control.errors import MotorError
from control.messages import AckermannCommand, DifferentialCommand
from robot.motors.board import Board, BoardMotors
from robot.motors.serial import esp32_json, motoron, roboclaw, sabertooth, vesc
from robot.motors.serial.checksums import crc7, crc16
from robot.motors.serial.esp32_json import Esp32Json
from robot.motors.serial.motoron import Motoron
from robot.motors.serial.port import SerialPort
from robot.motors.serial.roboclaw import RoboClaw
from robot.motors.serial.sabertooth import Sabertooth
from robot.motors.serial.vesc import Vesc


@dataclass
class Peer:
    """The board's end of a pty."""

    master: int
    path: str

    def heard(self) -> bytes:
        os.set_blocking(self.master, False)
        got = b""
        with suppress(BlockingIOError):
            while True:
                got += os.read(self.master, 4096)
        return got

    def answer(self, data: bytes) -> None:
        os.write(self.master, data)


@pytest.fixture
def peer() -> Iterator[Peer]:
    master, slave = os.openpty()
    tty.setraw(slave)
    path = os.ttyname(slave)
    yield Peer(master, path)
    os.close(slave)
    with suppress(OSError):
        os.close(master)


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        (vesc.duty(0.2), "02 05 05 00 00 4e 20 29 f6 03"),
        (vesc.duty(-0.1), "02 05 05 ff ff d8 f0 d4 06 03"),
        (vesc.duty(0.0), "02 05 05 00 00 00 00 23 57 03"),
        (vesc.servo(0.5), "02 03 0c 01 f4 e9 cb 03"),
        (roboclaw.packet(0x80, 14, b"\x05"), "80 0e 05 48 f0"),
        (roboclaw.both(0x80, 16384, -8192), "80 22 40 00 e0 00 e6 39"),
        (roboclaw.both(0x80, 0, 0), "80 22 00 00 00 00 98 17"),
        (roboclaw.both(0x80, 32767, 32767), "80 22 7f ff 7f ff c7 78"),
        (roboclaw.packet(0x80, 0, b"\x40"), "80 00 40 73 9e"),
        (sabertooth.packet(128, 14, 5), "80 0e 05 13"),
        (sabertooth.speed(128, 0, 0.5), "80 00 40 40"),
        (sabertooth.speed(128, 0, -1.0), "80 01 7f 00"),
        (sabertooth.packet(128, 5, 10), "80 05 0a 0f"),
        (sabertooth.packet(130, 0, 64), "82 00 40 42"),
        (motoron.packet(0x96), "96 74"),
        (motoron.timeout(0.2), "9c 00 05 32 00 40"),
        (motoron.packet(0xA9, 0, 4), "a9 00 04 06"),
        (motoron.speeds(400, -400), "e1 10 03 70 7c 2c"),
        (motoron.speeds(0, 0, now=True), "e2 00 00 00 00 41"),
    ],
)
def test_packets_are_those_of_the_manuals(made: bytes, expected: str) -> None:
    assert made == bytes.fromhex(expected)


def test_check_sums_of_known_texts() -> None:
    assert crc16(b"123456789") == 0x31C3
    assert crc7(bytes([0x96])) == 0x74


def test_volts_of_a_roboclaw_are_believed_only_with_their_check_sum() -> None:
    assert roboclaw.battery_v(0x80, bytes.fromhex("007bf806")) == 12.3
    assert roboclaw.battery_v(0x80, bytes.fromhex("007bf807")) is None
    assert roboclaw.battery_v(0x80, b"") is None


def test_the_chatter_of_an_esp32_gives_its_volts() -> None:
    feedback = b'{"T":1001,"L":0,"R":0,"v":11.92}\n'
    assert esp32_json.battery_v(b'0.1,"v":9}\n' + feedback + b'{"T":10') == 11.92
    assert esp32_json.battery_v(b"\xff\xfe[1]\n{}\n") is None
    # Boards with encoders tell hundredths.
    assert esp32_json.battery_v(b'{"T":1001,"L":0,"R":0,"v":1192}\n') == 11.92


def values_of_a_vesc(volts: float) -> bytes:
    """As its firmware orders them: temperatures, currents, duty, turns, volts, and more."""
    head = struct.pack(">Bhhiiiihi", 4, 251, 250, 120, 80, 0, 120, 200, 4100)
    return vesc.packet(head + struct.pack(">hii", round(volts * 10), 7, 0))


def test_the_values_of_a_vesc_give_its_volts() -> None:
    answer = values_of_a_vesc(11.8)
    assert vesc.battery_v(answer) == 11.8
    # Behind half a packet, noise that looks like a beginning, and an older answer.
    assert vesc.battery_v(answer[20:] + b"\x02\x05\x02" + values_of_a_vesc(12.0) + answer) == 11.8
    assert vesc.battery_v(answer[:-1]) is None
    assert vesc.battery_v(answer[:-2] + b"\x00\x03") is None
    assert vesc.battery_v(vesc.duty(0.2)) is None


@given(st.binary(max_size=300))
def test_garbage_from_a_vesc_is_no_voltage_and_no_crash(noise: bytes) -> None:
    vesc.battery_v(noise)
    vesc.battery_v(b"\x02" + noise)


def test_a_vesc_is_asked_in_its_own_words_and_may_answer_in_pieces(peer: Peer) -> None:
    board = Vesc(SerialPort(peer.path, baud=115_200))
    assert board.battery_v() is None
    assert peer.heard() == bytes.fromhex("02 01 04 40 84 03")
    answer = values_of_a_vesc(14.8)
    peer.answer(answer[:9])
    assert board.battery_v() is None
    peer.answer(answer[9:])
    assert board.battery_v() == 14.8
    assert board.battery_v() is None
    board.close()


def test_an_esp32_is_asked_in_its_own_words_and_may_answer_in_pieces(peer: Peer) -> None:
    board = Esp32Json(SerialPort(peer.path, baud=115_200))
    assert board.battery_v() is None
    assert peer.heard() == b'{"T":130}\n'
    peer.answer(b'{"T":1001,"L":0,"R":0,')
    assert board.battery_v() is None
    peer.answer(b'"v":11.92}\n')
    assert board.battery_v() == 11.92
    assert board.battery_v() is None
    board.close()


def test_a_roboclaw_is_asked_in_its_own_words(peer: Peer) -> None:
    board = RoboClaw(SerialPort(peer.path, baud=38_400))
    thread = answering(peer, bytes.fromhex("007bf806"), times=1)
    assert board.battery_v() == 12.3
    thread.join(2.0)
    # Nobody answers: no voltage, and no longer wait than an answer needs.
    assert board.battery_v() is None
    os.set_blocking(peer.master, False)
    assert peer.heard() == bytes.fromhex("80 18")
    board.close()


@given(st.binary(max_size=300))
def test_garbage_on_the_line_is_no_voltage_and_no_crash(noise: bytes) -> None:
    found = esp32_json.battery_v(noise)
    assert found is None or 0 <= found < 100


HALF = DifferentialCommand(left=0.5, right=-0.25)


@pytest.mark.parametrize(
    ("make", "first", "last"),
    [
        (lambda p: Esp32Json(p), b'{"T":1,"L":0,"R":0}\n{"T":136,"cmd":200}\n', b'{"T":1,"L":0,"R":0}\n'),
        (lambda p: Sabertooth(p), bytes.fromhex("aa 80000000 80040004 800e0210"), bytes.fromhex("80000000 80040004")),
        (lambda p: Motoron(p), bytes.fromhex("e20000000041 9674 9c0005320040 a9000406"), bytes.fromhex("e20000000041")),
    ],
)
def test_stop_comes_first_then_the_boards_own_watchdog_and_stop_comes_last(
    peer: Peer, make: Callable[[SerialPort], Board], first: bytes, last: bytes
) -> None:
    with BoardMotors(make(SerialPort(peer.path, baud=115_200))) as motors:
        assert peer.heard() == first
        motors.apply(HALF)
        assert peer.heard() != b""
    assert peer.heard() == last


def test_an_esp32_gets_half_of_the_duty_as_its_full_power(peer: Peer) -> None:
    with BoardMotors(Esp32Json(SerialPort(peer.path, baud=115_200))) as motors:
        peer.heard()
        motors.apply(DifferentialCommand(left=1.0, right=-0.5))
        assert peer.heard() == b'{"T":1,"L":0.5,"R":-0.25}\n'


def test_the_duty_of_a_vesc_is_written_after_its_servo(peer: Peer) -> None:
    with BoardMotors(Vesc(SerialPort(peer.path, baud=115_200))) as motors:
        assert vesc.duty(0.0) in peer.heard()
        motors.apply(AckermannCommand(steering=1.0, throttle=0.2))
        assert peer.heard() == vesc.servo(0.0) + vesc.duty(0.2)


def answering(peer: Peer, answer: bytes, *, times: int) -> Thread:
    os.set_blocking(peer.master, True)

    def run() -> None:
        with suppress(OSError):
            for _ in range(times):
                os.read(peer.master, 64)
                os.write(peer.master, answer)

    thread = Thread(target=run, daemon=True)
    thread.start()
    return thread


def test_a_roboclaw_that_acknowledges_is_driven(peer: Peer) -> None:
    thread = answering(peer, b"\xff", times=4)
    with BoardMotors(RoboClaw(SerialPort(peer.path, baud=38_400))) as motors:
        motors.apply(HALF)
    thread.join(2.0)
    assert not thread.is_alive()


@pytest.mark.parametrize("answer", [b"\x00", b"?"])
def test_a_roboclaw_that_does_not_is_an_error(peer: Peer, answer: bytes) -> None:
    answering(peer, answer, times=1)
    with (
        pytest.raises(MotorError, match="instead of ff; check mode, address and baud"),
        BoardMotors(RoboClaw(SerialPort(peer.path, baud=38_400))),
    ):
        pytest.fail("opened")


def test_a_port_that_is_not_there_is_one_line_that_says_what_to_look_at() -> None:
    board = Esp32Json(SerialPort("/dev/ttyNONE0", baud=115_200))
    with pytest.raises(MotorError, match="ls -l /dev/ttyNONE0") as caught, BoardMotors(board):
        pytest.fail("opened")
    assert "\n" not in str(caught.value)


def test_an_unplugged_port_is_an_error_and_closing_still_works(peer: Peer) -> None:
    motors = BoardMotors(Esp32Json(SerialPort(peer.path, baud=115_200)))
    motors.__enter__()
    os.close(peer.master)
    with pytest.raises(MotorError, match="Waveshare ESP32 board"):
        motors.apply(HALF)
    with pytest.raises(MotorError):
        motors.close()
    motors.close()


def flood(port: SerialPort) -> None:
    for _ in range(2000):
        port.write(b"x" * 512)


def test_a_board_that_does_not_listen_is_an_error_within_its_time(peer: Peer) -> None:
    port = SerialPort(peer.path, baud=115_200)
    with pytest.raises((MotorError, OSError)):
        flood(port)
    peer.heard()
    port.close()
