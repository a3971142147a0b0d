"""`linepilot drive` in a real terminal: real motors wait for Enter, any key stops, the terminal is put back."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[2]
BOARD = "motors.driver=tests.robot.i2c_model:motorhat"
STOP = "60 fd 10"
_ARMED = "\x1b[2Karmed: any key stops"


@pytest.fixture(autouse=True)
def _in_a_folder_with_a_clip(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LINEPILOT_I2C_LOG", str(tmp_path / "bus.log"))
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    Path("clip").mkdir()
    for number in range(7):
        image = np.full((120, 160, 3), 90, np.uint8)
        cv2.line(image, (80 + number % 7, 119), (80, 40), (40, 200, 235), 8)
        cv2.imwrite(f"clip/{number:03d}.png", image)
    for number in range(7, 900):
        Path(f"clip/{number:03d}.png").symlink_to(f"{number % 7:03d}.png")


@dataclass
class Terminal:
    """The person's end, and what was shown."""

    master: int
    process: subprocess.Popen[bytes]
    shown: str = ""
    before: list[object] = field(default_factory=list)

    def wait_for(self, text: str, *, within_s: float = 60.0) -> None:
        deadline = time.monotonic() + within_s
        while text not in self.shown:
            assert time.monotonic() < deadline, self.shown
            self.listen()

    def listen(self) -> None:
        if select.select([self.master], [], [], 0.05)[0]:
            with suppress(OSError):
                self.shown += os.read(self.master, 65536).decode(errors="replace")

    def press(self, keys: bytes) -> None:
        os.write(self.master, keys)

    def arm(self) -> None:
        """Enter, and again after a quiet second as long as something speaks against it, such as a slow start."""
        seen = self.shown.count(_ARMED)
        deadline = time.monotonic() + 60
        while self.shown.count(_ARMED) == seen:
            assert time.monotonic() < deadline, self.shown
            self.press(b"\r")
            quiet_s = time.monotonic() + 1.2
            while time.monotonic() < quiet_s:
                self.listen()

    def end(self) -> int:
        """^C, and the exit code."""
        self.press(b"\x03")
        deadline = time.monotonic() + 60
        while self.process.poll() is None and time.monotonic() < deadline:
            self.listen()
        return self.process.wait(1)


def commands() -> list[str]:
    log = Path("bus.log")
    lines = log.read_text().splitlines() if log.exists() else []
    return [line.split(" ", 2)[2] for line in lines]


def drives() -> list[str]:
    """A duty on a wheel, in the one block that both are written in."""
    return [what for what in commands() if what.startswith("60 26") and what != "60 26 " + "00000010" * 6]


@pytest.fixture
def terminal() -> Iterator[list[Terminal]]:
    """Filled by ``start``."""
    made: list[Terminal] = []
    yield made
    for each in made:
        each.process.kill()
        each.process.wait()
        os.close(each.master)


def start(made: list[Terminal], *arguments: str) -> Terminal:
    master, slave = os.openpty()
    before = termios.tcgetattr(slave)
    given = ["drive", "--camera", "file:clip", BOARD, "model=classical", "camera.realtime=true", *arguments]
    program = f"import sys; from app.cli.main import main; sys.exit(main({given!r}))"
    process = subprocess.Popen(
        [sys.executable, "-c", program], stdin=slave, stdout=slave, stderr=slave, start_new_session=True,
        preexec_fn=lambda: _take(slave),
    )  # fmt: skip
    os.close(slave)
    made.append(Terminal(master, process, before=before))
    return made[-1]


def _take(slave: int) -> None:
    """Make it the terminal that ^C comes from."""
    import fcntl

    fcntl.ioctl(slave, termios.TIOCSCTTY, 0)


def wait_until(holds: str, *, within_s: float = 20.0) -> None:
    deadline = time.monotonic() + within_s
    while not {"drives": drives, "stopped": stopped}[holds]():
        assert time.monotonic() < deadline, commands()[-3:]
        select.select([], [], [], 0.02)


def stopped() -> bool:
    """Nothing but rest among the last writes."""
    last = commands()[-10:]
    return bool(drives()) and not any(what in drives() for what in last)


def test_real_motors_wait_for_enter_and_any_key_stops_them(terminal: list[Terminal]) -> None:
    at = start(terminal)
    at.wait_for("Enter drives")
    assert drives() == []
    assert commands()[0] == STOP
    at.arm()
    wait_until("drives")
    at.press(b" ")
    at.wait_for("stopped: emergency stop (a key)")
    wait_until("stopped")
    assert STOP in commands()[1:]
    before = len(drives())
    # Enter opens again only when the keys were quiet for a second.
    select.select([], [], [], 1.2)
    at.arm()
    assert len(drives()) > before
    assert at.end() == 128 + signal.SIGINT
    assert commands()[-1] == STOP
    assert termios.tcgetattr(at.master)[3] == at.before[3]


def test_a_drive_that_was_armed_beforehand_ends_with_a_key(terminal: list[Terminal]) -> None:
    at = start(terminal, "--arm")
    wait_until("drives")
    at.press(b"x")
    deadline = time.monotonic() + 30
    while at.process.poll() is None and time.monotonic() < deadline:
        at.listen()
    assert at.process.wait(1) == 1
    assert commands()[-1] == STOP
    assert "emergency stop" in at.shown


def test_without_a_terminal_real_motors_need_arm() -> None:
    program = (
        f"import sys; from app.cli.main import main; sys.exit(main(['drive', '--camera', 'file:clip', '{BOARD}']))"
    )
    done = subprocess.run([sys.executable, "-c", program], stdin=subprocess.DEVNULL, capture_output=True, text=True)
    assert done.returncode == 2
    assert "give --arm" in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert commands() == []
