"""Sticks at the robot: keys of a real pseudo-terminal, and a gamepad whose device is a pipe."""

from __future__ import annotations

import os
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from control.errors import DeviceError, InputError
from control.messages import DriveCommand
from robot.teleop.gamepad import Gamepad
from robot.teleop.gamepad_map import AXIS, BUTTON, Event, GamepadMap, learn_map, map_for
from robot.teleop.helm import Helm
from robot.teleop.settings import TeleopSettings
from robot.teleop.switch import Wish
from robot.teleop.terminal_stick import TerminalStick

LEFT, UP, RIGHT, DOWN = b"\x1b[D", b"\x1b[A", b"\x1b[C", b"\x1bOB"


def end(fd: int) -> None:
    """From now on it reads as a file at its end."""
    nothing = os.open("/dev/null", os.O_RDONLY)
    os.dup2(nothing, fd)
    os.close(nothing)


@dataclass
class Clock:
    time_s: float = 50.0

    def __call__(self) -> float:
        return self.time_s


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def helm(clock: Clock) -> Helm:
    return Helm(TeleopSettings(max_speed_mps=1.0, max_reverse=1.0, max_curvature_1pm=4.0), autopilot=False, now_s=clock)


@dataclass
class Typist:
    master: int
    stick: TerminalStick
    helm: Helm
    clock: Clock
    driving: bool = True

    def press(self, keys: bytes) -> Wish:
        os.write(self.master, keys)
        for _ in range(200):
            wish = self.stick.read(driving=self.driving)
            if wish is not Wish.NOTHING or self.clock.time_s == self.stick._held_s:
                return wish
        return Wish.NOTHING

    def command(self) -> DriveCommand | None:
        self.stick.read(driving=self.driving)
        return self.helm.read(driving=self.driving).command


@pytest.fixture
def typist(helm: Helm, clock: Clock) -> Iterator[Typist]:
    master, slave = os.openpty()
    with TerminalStick(slave, helm=helm, now_s=clock) as stick:
        yield Typist(master, stick, helm, clock)
    os.close(master)
    os.close(slave)


@pytest.mark.parametrize(
    ("keys", "command"),
    [
        (UP, DriveCommand(speed_mps=0.5)), (b"w", DriveCommand(speed_mps=0.5)), (DOWN, DriveCommand(speed_mps=-0.5)),
        (LEFT, DriveCommand(curvature_1pm=2.0)), (b"D", DriveCommand(curvature_1pm=-2.0)),
        (b"9" + UP + LEFT, DriveCommand(curvature_1pm=2.0, speed_mps=0.9)), (LEFT + UP, DriveCommand(speed_mps=0.5)),
    ],
)  # fmt: skip
def test_keys_drive_while_they_are_held(typist: Typist, keys: bytes, command: DriveCommand) -> None:
    assert typist.press(keys) is Wish.NOTHING
    assert typist.command() == command
    typist.clock.time_s += 0.5
    assert typist.command() == command
    typist.clock.time_s += 0.2
    assert typist.command() == DriveCommand()


def test_choosing_a_speed_keeps_no_other_key_alive(typist: Typist) -> None:
    typist.press(UP)
    typist.clock.time_s += 0.5
    assert typist.press(b"9") is Wish.NOTHING
    typist.clock.time_s += 0.2
    assert typist.command() == DriveCommand(), "nobody holds the key that drives"
    typist.press(UP)
    assert typist.command() == DriveCommand(speed_mps=0.9)


@pytest.mark.parametrize("keys", [b" ", b"x", b"\x1b", UP + b" ", b"0"])
def test_every_other_key_stops_and_centres_the_stick(typist: Typist, keys: bytes) -> None:
    typist.press(UP)
    typist.clock.time_s += 0.1
    assert typist.press(keys) is Wish.STOP
    assert typist.command() == DriveCommand()


def test_enter_takes_the_stick_and_arms(typist: Typist) -> None:
    typist.driving = False
    assert typist.press(b"\r") is Wish.ARM
    reading = typist.helm.read(driving=False)
    assert (reading.driver, reading.link_ok, reading.command) == ("a key", True, DriveCommand())


def test_keys_of_one_who_does_not_have_the_stick_move_nothing(typist: Typist) -> None:
    typist.helm.claim("page 1")
    typist.helm.read(driving=True)
    assert typist.press(UP) is Wish.NOTHING
    assert typist.command() == DriveCommand()
    assert typist.press(b" ") is Wish.STOP, "but everybody may stop"


def test_a_closed_terminal_stops(typist: Typist) -> None:
    typist.press(UP)
    end(typist.stick._fd)
    assert typist.stick.read(driving=True) is Wish.STOP


@dataclass
class Pad:
    pipe: int
    gamepad: Gamepad
    helm: Helm

    def event(self, kind: int, number: int, value: int) -> None:
        os.write(self.pipe, struct.pack("<IhBB", 0, value, kind, number))

    def read(self, *, driving: bool = True) -> tuple[Wish, DriveCommand | None]:
        wish = self.gamepad.read(driving=driving)
        return wish, self.helm.read(driving=driving).command


@pytest.fixture
def pad(tmp_path: Path, helm: Helm) -> Iterator[Pad]:
    path = tmp_path / "js0"
    os.mkfifo(path)
    pipe = os.open(path, os.O_RDWR)
    with Gamepad(path, helm=helm, identify=lambda _: "Xbox Wireless Controller") as gamepad:
        yield Pad(pipe, gamepad, helm)
    os.close(pipe)


AT_START = 0x80


def test_the_left_stick_drives_while_the_shoulder_button_is_held(pad: Pad) -> None:
    pad.event(AXIS | AT_START, 0, 0)
    pad.event(BUTTON | AT_START, 0, 1)
    pad.event(AXIS, 1, -32767)
    assert pad.read() == (Wish.NOTHING, DriveCommand())
    pad.event(BUTTON, 4, 1)
    pad.event(AXIS, 0, -32768)
    assert pad.read() == (Wish.NOTHING, DriveCommand(curvature_1pm=4.0, speed_mps=1.0))
    pad.event(BUTTON, 4, 0)
    assert pad.read() == (Wish.NOTHING, DriveCommand())


def test_start_arms_and_every_other_button_stops(pad: Pad) -> None:
    pad.event(BUTTON, 7, 1)
    assert pad.read(driving=False)[0] is Wish.ARM
    pad.event(BUTTON, 7, 1)
    assert pad.read(driving=True)[0] is Wish.STOP
    pad.event(BUTTON, 0, 1)
    pad.event(BUTTON, 7, 1)
    assert pad.read(driving=False)[0] is Wish.STOP, "a stop outranks"
    pad.event(BUTTON, 0, 0)
    assert pad.read()[0] is Wish.NOTHING


def test_a_pad_that_is_pulled_out_is_an_error_and_so_a_stop(pad: Pad) -> None:
    assert pad.gamepad._fd is not None
    end(pad.gamepad._fd)
    with pytest.raises(DeviceError, match="js0: the gamepad is gone"):
        pad.read()


def test_no_pad_says_what_to_do(tmp_path: Path, helm: Helm) -> None:
    with (
        pytest.raises(DeviceError, match="plug a gamepad in, or join the group input"),
        Gamepad(tmp_path / "js7", helm=helm),
    ):
        pass


@pytest.mark.parametrize("make", [lambda path: path.write_bytes(b"x" * 800), os.mkfifo])
def test_a_file_that_is_no_gamepad_is_refused(tmp_path: Path, helm: Helm, make: Callable[[Path], object]) -> None:
    path = tmp_path / "notes.txt"
    make(path)
    with (
        pytest.raises(InputError, match=r"notes.txt: is no gamepad; give one of /dev/input/js\*"),
        Gamepad(path, helm=helm),
    ):
        pass


def test_pads_are_known_by_their_makers_names() -> None:
    assert map_for("Sony Interactive Entertainment Wireless Controller").arm == 9
    assert map_for("Nintendo Switch Pro Controller").hold == 5
    assert map_for("Microsoft X-Box 360 pad") == map_for("something new") == GamepadMap()


def test_another_pad_is_learnt_by_one_move_after_the_other() -> None:
    moves = [
        # A trigger rests at its end; it is no stick.
        Event(AXIS | AT_START, 5, -32767), Event(AXIS | AT_START, 2, 100), Event(AXIS | AT_START, 3, 0),
        Event(AXIS, 5, 32767), Event(AXIS, 2, 32000), Event(AXIS, 3, -31000), Event(AXIS, 2, 0),
        Event(AXIS, 3, 0), Event(AXIS, 3, -32000), Event(AXIS, 3, 10),
        Event(BUTTON, 6, 1), Event(BUTTON, 6, 0), Event(BUTTON, 6, 1), Event(BUTTON, 11, 1),
    ]  # fmt: skip
    asked: list[str] = []
    learnt = learn_map(iter(moves), asked.append)
    assert learnt == GamepadMap(side=2, side_sign=1, ahead=3, ahead_sign=-1, hold=6, arm=11)
    assert len(asked) == 4
