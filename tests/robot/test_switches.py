"""Keys of a real pseudo-terminal and a pin behind the real Jetson.GPIO: what stops and what arms."""

from __future__ import annotations

import os
import subprocess
import sys
import termios
import tty
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event, Timer, active_count

import pytest
from gpio_model import GpioModel, forget_the_library

from control.errors import DeviceError, MotorError
from robot.teleop import emergency as emergency_stop
from robot.teleop import open_switches
from robot.teleop.emergency import EmergencyStop
from robot.teleop.settings import EmergencyStopSettings
from robot.teleop.stop_pin import StopPin
from robot.teleop.switch import Switch, Wish
from robot.teleop.terminal import TerminalKeys, own_terminal

ROOT = Path(__file__).resolve().parents[2]
pause = Event().wait


@dataclass
class Keyboard:
    """The person's end of a terminal, and a clock that only the test moves."""

    master: int
    slave: int
    time_s: float = 100.0

    def press(self, keys: bytes) -> None:
        os.write(self.master, keys)
        # The kernel hands keys over at once, but not within the call.
        assert any(_readable(self.slave) or pause(0.01) for _ in range(200))


def _readable(fd: int) -> bool:
    import select

    return bool(select.select([fd], [], [], 0)[0])


@pytest.fixture
def keyboard() -> Iterator[Keyboard]:
    master, slave = os.openpty()
    yield Keyboard(master, slave)
    for fd in (master, slave):
        try:
            os.close(fd)
        except OSError:
            continue


def keys_of(keyboard: Keyboard) -> TerminalKeys:
    return TerminalKeys(keyboard.slave, now_s=lambda: keyboard.time_s)


@pytest.mark.parametrize("keys", [b" ", b"q", b"\x1b[A", b"\x1a", b"xx\r", b"\r\r"])
@pytest.mark.parametrize("driving", [False, True])
def test_any_key_stops(keyboard: Keyboard, keys: bytes, driving: bool) -> None:
    with keys_of(keyboard) as switch:
        assert switch.read(driving=driving) is Wish.NOTHING
        keyboard.press(keys)
        assert switch.read(driving=driving) is Wish.STOP
        assert switch.read(driving=driving) is Wish.NOTHING


def test_enter_arms_and_while_driving_it_stops_like_any_key(keyboard: Keyboard) -> None:
    with keys_of(keyboard) as switch:
        keyboard.press(b"\r")
        assert switch.read(driving=False) is Wish.ARM
        keyboard.time_s += 5
        keyboard.press(b"\r")
        assert switch.read(driving=True) is Wish.STOP


def test_hammering_on_enter_does_not_arm_again(keyboard: Keyboard) -> None:
    with keys_of(keyboard) as switch:
        keyboard.press(b"\r")
        assert switch.read(driving=True) is Wish.STOP
        for _ in range(5):
            keyboard.time_s += 0.9
            keyboard.press(b"\r")
            assert switch.read(driving=False) is Wish.STOP
        keyboard.time_s += 1.0
        keyboard.press(b"\r")
        assert switch.read(driving=False) is Wish.ARM


def test_keys_are_unseen_and_the_terminal_is_put_back(keyboard: Keyboard) -> None:
    before = termios.tcgetattr(keyboard.slave)
    # As some program may have left it: a read that waits half a second.
    before[6][termios.VMIN], before[6][termios.VTIME] = 0, 5
    before[3] &= ~termios.ICANON
    termios.tcsetattr(keyboard.slave, termios.TCSANOW, before)
    before = termios.tcgetattr(keyboard.slave)
    switch = keys_of(keyboard)
    with switch:
        during = termios.tcgetattr(keyboard.slave)
        assert during[6][termios.VMIN] == 1
        assert during[6][termios.VTIME] == 0
        assert not during[3] & (termios.ECHO | termios.ICANON)
        # ^C still ends the drive politely.
        assert during[3] & termios.ISIG
        keyboard.press(b"typed")
    assert termios.tcgetattr(keyboard.slave) == before
    # Nothing of it reaches the shell.
    tty.setraw(keyboard.slave)
    assert not _readable(keyboard.slave)
    switch.__exit__(None, None, None)


def test_only_a_terminal_has_keys_to_speak_of(keyboard: Keyboard) -> None:
    assert EmergencyStop([Button(), keys_of(keyboard)], stop=Stops()).has_keys
    assert not EmergencyStop([Button()], stop=Stops()).has_keys


def test_a_terminal_that_was_closed_stops(keyboard: Keyboard) -> None:
    with EmergencyStop([keys_of(keyboard)], stop=lambda: None) as emergency:
        os.close(keyboard.master)
        wait_until_pressed(emergency)


def test_no_terminal_and_one_in_the_background_are_not_ours(keyboard: Keyboard, tmp_path: Path) -> None:
    with (tmp_path / "file").open("wb") as file:
        assert own_terminal(file.fileno()) is None
    # A terminal of another session.
    assert own_terminal(keyboard.slave) is None


def test_the_terminal_in_the_foreground_is_ours() -> None:
    code = "import sys; from robot.teleop.terminal import own_terminal; print(own_terminal())"
    shell = f"import pty, sys; sys.exit(pty.spawn([sys.executable, '-c', {code!r}]))"
    done = subprocess.run([sys.executable, "-c", shell], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "0"


def wait_until_pressed(emergency: EmergencyStop) -> None:
    assert any(emergency.pressed or pause(0.01) for _ in range(500))


@dataclass
class Button:
    """Says what it is told to say, and again."""

    name: str = "a button"
    wish: Wish = Wish.NOTHING
    broken: bool = False
    open: bool = False
    asked: list[bool] = field(default_factory=list)

    def read(self, *, driving: bool) -> Wish:
        self.asked.append(driving)
        if self.broken:
            raise DeviceError("unplugged")
        return self.wish

    def __enter__(self) -> Button:
        self.open = True
        return self

    def __exit__(self, *_: object) -> None:
        self.open = False


class Stops:
    """Counts how often the motors were stopped."""

    def __init__(self, error: MotorError | None = None) -> None:
        self.count = 0
        self._error = error

    def __call__(self) -> None:
        self.count += 1
        if self._error is not None:
            raise self._error


def test_a_press_stops_the_motors_at_once_and_is_latched() -> None:
    button, stops = Button(), Stops()
    with EmergencyStop([button], stop=stops) as emergency:
        assert button.open
        assert not emergency.pressed
        assert not emergency.take_arming()
        button.wish = Wish.STOP
        wait_until_pressed(emergency)
        assert emergency.by == "a button"
        button.wish = Wish.NOTHING
        pause(0.05)
        assert emergency.pressed
        assert stops.count == 1
    assert not button.open
    asked = len(button.asked)
    pause(0.05)
    assert len(button.asked) == asked


def test_a_press_in_the_middle_of_a_write_stops_after_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(emergency_stop, "_WRITTEN_S", 10.0)
    order: list[str] = []
    button = Button()
    with EmergencyStop([button], stop=lambda: order.append("stop")) as emergency, emergency.writing() as pressed:
        assert not pressed
        button.wish = Wish.STOP
        wait_until_pressed(emergency)
        order.append("write")
    assert order == ["write", "stop"]


def test_a_write_that_hangs_does_not_hold_up_a_stop() -> None:
    button, stops = Button(), Stops()
    with EmergencyStop([button], stop=stops) as emergency, emergency.writing():
        button.wish = Wish.STOP
        assert any(stops.count or pause(0.01) for _ in range(500))


def test_a_write_after_a_press_is_told_of_it() -> None:
    with EmergencyStop([Button(wish=Wish.STOP)], stop=Stops()) as emergency, emergency.writing() as pressed:
        assert pressed


def test_switches_are_asked_many_times_a_second() -> None:
    button = Button()
    with EmergencyStop([button], stop=Stops()):
        # A hundred times by design; how often exactly is up to the machine.
        assert any(len(button.asked) >= 20 or pause(0.01) for _ in range(1000))


def test_without_switches_there_is_nothing_to_watch() -> None:
    before = active_count()
    with EmergencyStop([], stop=Stops()) as emergency:
        assert active_count() == before
        assert not emergency.pressed


def test_only_a_wish_to_arm_opens_the_latch_and_it_is_taken_once() -> None:
    button, stops = Button(wish=Wish.STOP), Stops()
    emergency = EmergencyStop([button], stop=stops)
    emergency.look()
    button.wish = Wish.ARM
    emergency.look()
    assert not emergency.pressed
    assert emergency.take_arming()
    assert not emergency.take_arming()
    button.wish = Wish.STOP
    emergency.look()
    assert stops.count == 2


def test_a_stop_after_a_wish_to_arm_takes_it_back() -> None:
    button = Button(wish=Wish.ARM)
    emergency = EmergencyStop([button], stop=Stops())
    emergency.look()
    button.wish = Wish.STOP
    emergency.look()
    assert not emergency.take_arming()
    assert emergency.pressed


def test_nobody_arms_while_another_switch_says_stop() -> None:
    mine, yours = Button("mine", wish=Wish.ARM), Button("yours", wish=Wish.STOP)
    emergency = EmergencyStop([mine, yours], stop=Stops())
    emergency.look()
    assert emergency.by == "yours"
    assert not emergency.take_arming()


def test_a_switch_that_can_no_longer_be_read_stops() -> None:
    stops = Stops()
    emergency = EmergencyStop([Button(broken=True)], stop=stops)
    emergency.look()
    assert emergency.by == "a button (unplugged)"
    assert stops.count == 1


def test_a_switch_is_known_to_be_pressed_before_the_first_pass() -> None:
    with EmergencyStop([Button(wish=Wish.STOP)], stop=Stops()) as emergency:
        assert emergency.pressed


def test_motors_that_are_gone_do_not_end_the_watch() -> None:
    button = Button(wish=Wish.STOP)
    with EmergencyStop([button], stop=Stops(MotorError("died"))) as emergency:
        seen = len(button.asked)
        assert any(len(button.asked) > seen or pause(0.01) for _ in range(500))
        assert emergency.by == "a button"


@dataclass
class SlowButton(Button):
    """Takes its time to answer, and may be let go only when nobody asks it."""

    asking: Event = field(default_factory=Event)
    answer: Event = field(default_factory=Event)
    closed_while_asked: bool = False
    asked_now: bool = False

    def read(self, *, driving: bool) -> Wish:
        if self.asked:
            self.asked_now = True
            self.asking.set()
            self.answer.wait(10.0)
            self.asked_now = False
        return super().read(driving=driving)

    def __exit__(self, *_: object) -> None:
        self.closed_while_asked = self.asked_now
        super().__exit__()


def test_a_switch_is_closed_after_its_last_answer() -> None:
    button = SlowButton()
    with EmergencyStop([button], stop=Stops()):
        assert button.asking.wait(10.0)
        Timer(0.1, button.answer.set).start()
    assert not button.closed_while_asked


_HANGING = """
import threading
from robot.teleop.emergency import EmergencyStop
from robot.teleop.switch import Wish
class Hangs:
    name, asked = "a switch", 0
    def read(self, *, driving):
        self.asked += 1
        if self.asked > 1:
            threading.Event().wait()
        return Wish.NOTHING
    def __enter__(self):
        return self
    def __exit__(self, *_):
        pass
with EmergencyStop([Hangs()], stop=lambda: None):
    pass
"""


def test_a_switch_that_hangs_does_not_keep_the_program_from_ending() -> None:
    subprocess.run([sys.executable, "-c", _HANGING], cwd=ROOT, check=True, timeout=30)


def test_switches_are_told_whether_it_drives() -> None:
    button = Button()
    emergency = EmergencyStop([button], stop=Stops())
    emergency.look()
    emergency.driving = True
    emergency.look()
    assert button.asked == [False, True]


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_watch_that_dies_is_a_pressed_switch() -> None:
    class Bug(Button):
        def read(self, *, driving: bool) -> Wish:
            self.asked.append(driving)
            if len(self.asked) > 1:
                raise ZeroDivisionError
            return Wish.NOTHING

    with EmergencyStop([Bug()], stop=Stops()) as emergency:
        wait_until_pressed(emergency)
        assert "died" in emergency.by


def test_when_a_switch_cannot_be_opened_the_others_are_closed_again() -> None:
    class Broken(Button):
        def __enter__(self) -> Button:
            raise DeviceError("no such pin")

    button = Button()
    with pytest.raises(DeviceError, match="no such pin"), EmergencyStop([button, Broken()], stop=Stops()):
        pytest.fail("opened")
    assert not button.open


def test_a_switch_that_fails_at_its_first_look_is_closed_again() -> None:
    class Bug(Button):
        def read(self, *, driving: bool) -> Wish:
            raise ZeroDivisionError

    button = Bug()
    with pytest.raises(ZeroDivisionError), EmergencyStop([button], stop=Stops()):
        pytest.fail("opened")
    assert not button.open


LINE_OF_PIN_22 = 123
"""On an Orin Nano."""


class Header(GpioModel):
    """With a switch on pin 22: an input keeps the level that the switch gives it."""

    def set_level(self, level: int) -> None:
        (self._lines / str(LINE_OF_PIN_22)).write_text(str(level))


@pytest.fixture
def header(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Header]:
    model = Header(tmp_path)
    forget_the_library(lambda name: monkeypatch.delitem(sys.modules, name))
    monkeypatch.setenv("JETSON_MODEL_NAME", "JETSON_ORIN_NANO")
    model.install(monkeypatch.setattr)
    yield model
    forget_the_library(lambda name: sys.modules.pop(name))


def test_a_pin_that_is_pulled_to_ground_is_at_rest_and_one_that_is_let_go_stops(header: Header) -> None:
    with StopPin(22) as switch:
        header.set_level(0)
        assert switch.read(driving=True) is Wish.NOTHING
        # A pressed switch, a broken wire and a lost plug look the same.
        header.set_level(1)
        assert switch.read(driving=True) is Wish.STOP
        header.set_level(0)
        assert switch.read(driving=True) is Wish.NOTHING
    assert switch.read(driving=True) is Wish.STOP


def test_a_pin_without_gpio_is_refused_in_one_line(header: Header) -> None:
    with pytest.raises(DeviceError, match=r"emergency_stop\.pin=6: .*free GPIO") as caught, StopPin(6):
        pytest.fail("opened")
    assert "\n" not in str(caught.value)


def test_off_a_jetson_a_pin_is_an_error_that_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("JETSON_MODEL_NAME", raising=False)
    with pytest.raises(DeviceError, match=r"emergency_stop\.pin=22: this is no Jetson.*; leave"), StopPin(22):
        pytest.fail("opened")


def test_a_board_that_the_library_does_not_know_is_one_line_with_a_way_out(
    header: Header, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JETSON_MODEL_NAME", "TOASTER")
    with pytest.raises(DeviceError, match=r"emergency_stop\.pin=22: Could not .*JETSON_MODEL_NAME.*leave") as caught:
        StopPin(22).__enter__()
    assert "\n" not in str(caught.value)


def test_a_chip_that_is_not_there_is_one_line_with_a_way_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    forget_the_library(lambda name: monkeypatch.delitem(sys.modules, name))
    monkeypatch.setenv("JETSON_MODEL_NAME", "JETSON_ORIN_NANO")
    Header(tmp_path, label="tegra194-gpio").install(monkeypatch.setattr)
    # For a chip that is not there the library raises a bare Exception.
    with pytest.raises(DeviceError, match=r"emergency_stop\.pin=22: tegra234-gpio: No such gpio device.*; choose"):
        StopPin(22).__enter__()
    forget_the_library(lambda name: sys.modules.pop(name))


def test_a_pin_that_one_may_not_use_names_the_group(header: Header) -> None:
    header.forbidden.append(Path("/dev/gpiochip0"))
    with pytest.raises(DeviceError, match=r"emergency_stop\.pin=22: /dev/gpiochip0 .*usermod -aG gpio"):
        StopPin(22).__enter__()


def test_the_settings_say_which_switches_there_are() -> None:
    def names(settings: EmergencyStopSettings, terminal: int | None) -> list[str]:
        switches: list[Switch] = open_switches(settings, terminal=terminal)
        return [switch.name for switch in switches]

    assert names(EmergencyStopSettings(), None) == []
    assert names(EmergencyStopSettings(pin=22), 0) == ["a key", "the switch on pin 22"]
