"""`linepilot teleop` and `drive --web` as a person starts them: in a terminal, and with the page."""

from __future__ import annotations

import fcntl
import json
import os
import re
import select
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import pytest
from web_stand import Client, Place, state

from app.cli.main import main

ROOT = Path(__file__).resolve().parents[2]
SIMULATED = ("--track", "oval", "model=classical")
PATIENCE_S = 60.0


@dataclass
class Terminal:
    master: int
    process: subprocess.Popen[bytes]
    shown: str = ""

    def listen(self) -> None:
        if select.select([self.master], [], [], 0.05)[0]:
            with suppress(OSError):
                self.shown += os.read(self.master, 65536).decode(errors="replace")

    def wait_for(self, pattern: str, *, pressing: bytes = b"") -> str:
        deadline = time.monotonic() + PATIENCE_S
        while not (found := re.search(pattern, self.shown)):
            assert time.monotonic() < deadline, self.shown
            if pressing:
                os.write(self.master, pressing)
            self.listen()
        return found.group(0)

    def end(self) -> int:
        """^C, and the exit code."""
        os.write(self.master, b"\x03")
        deadline = time.monotonic() + PATIENCE_S
        while self.process.poll() is None and time.monotonic() < deadline:
            self.listen()
        self.listen()
        return self.process.wait(1)


@pytest.fixture
def start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Terminal]]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    made: list[Terminal] = []

    def started(*arguments: str) -> Terminal:
        master, slave = os.openpty()
        program = f"import sys; from app.cli.main import main; sys.exit(main({arguments!r}))"
        process = subprocess.Popen(
            [sys.executable, "-c", program], stdin=slave, stdout=slave, stderr=slave, start_new_session=True,
            # The terminal that ^C comes from.
            preexec_fn=lambda: fcntl.ioctl(slave, termios.TIOCSCTTY, 0) and None,
        )  # fmt: skip
        os.close(slave)
        made.append(Terminal(master, process))
        return made[-1]

    yield started
    for each in made:
        each.process.kill()
        each.process.wait()
        os.close(each.master)


def test_keys_drive_the_simulated_robot_and_let_it_stand(start: Callable[..., Terminal]) -> None:
    at = start("teleop", *SIMULATED, "--json", "driven.json")
    at.wait_for("arrows or WASD drive")
    # Again and again: the first pictures take their time, and whoever hammers on Enter stops.
    until = time.monotonic() + PATIENCE_S
    while "armed: any key stops" not in at.shown:
        assert time.monotonic() < until, at.shown
        os.write(at.master, b"\r")
        quiet = time.monotonic() + 1.2
        while time.monotonic() < quiet:
            at.listen()
    held = time.monotonic() + 1.5
    while time.monotonic() < held:
        os.write(at.master, b"w")
        at.listen()
    os.write(at.master, b" ")
    at.wait_for("stopped: emergency stop")
    assert at.end() == 130
    driven = json.loads(Path("driven.json").read_text())
    assert driven["driven_m"] > 0.02
    assert driven["by_hand"] == 1.0
    assert "by hand" in at.shown


def test_drive_with_the_page_prints_its_address_and_the_page_arms(start: Callable[..., Terminal]) -> None:
    at = start("drive", "--web", "--web-port", "0", *SIMULATED)
    place = Place(at.wait_for(r"http://127\.0\.0\.1:\d+/\?token=[\w-]+"))
    at.wait_for("ready")
    with place.client() as page:
        page.send(do="claim")
        page.until(lambda one: one.status["driver"] == one.name, stick=(0.0, 0.0))
        page.arm()
        page.until(lambda one: one.status["speed_mps"] > 0.2, stick=(0.0, 0.0))
        assert not page.status["by_hand"]
        # A key of the terminal stops it as ever.
        os.write(at.master, b"x")
        page.until(state("stopped"), stick=(0.0, 0.0))
    assert at.end() == 130
    assert "warning" not in at.shown


def arm(page: Client) -> None:
    page.send(do="claim")
    page.until(lambda one: one.status["driver"] == one.name, stick=(0.0, 0.0))
    # The first pictures take their time, so that some are dropped, which is told.
    while page.status["state"] != "armed":
        page.arm()
        page.until(lambda one: one.status["state"] == "armed" or bool(one.status["notice"]), stick=(0.0, 0.0))
        page.hear()
        page.stick()


def make_clip() -> None:
    Path("clip").mkdir()
    for number in range(7):
        image = np.full((120, 160, 3), 90, np.uint8)
        cv2.line(image, (80 + number % 7, 119), (80, 40), (40, 200, 235), 8)
        cv2.imwrite(f"clip/{number:03d}.png", image)
    for number in range(7, 900):
        Path(f"clip/{number:03d}.png").symlink_to(f"{number % 7:03d}.png")


def test_a_motor_board_is_driven_from_the_page_and_stopped_when_the_page_is_gone(
    start: Callable[..., Terminal], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = tmp_path / "bus.log"
    monkeypatch.setenv("LINEPILOT_I2C_LOG", str(log))
    make_clip()
    board = "motors.driver=tests.robot.i2c_model:motorhat"
    at = start("teleop", "--web", "--web-port", "0", "--camera", "file:clip", board, "model=classical")
    place = Place(at.wait_for(r"http://127\.0\.0\.1:\d+/\?token=[\w-]+"))
    with place.client() as page:
        arm(page)
        page.until(lambda one: one.status["speed_mps"] > 0.3, stick=(0.2, 1.0))
    at.wait_for("stopped: operator link lost")
    written = [line.split(" ", 2)[2] for line in log.read_text().splitlines()]
    duties = [what for what in written if what.startswith("60 26")]
    assert len(set(duties)) > 5
    assert duties[-1] == "60 26 " + "00000010" * 6
    assert at.end() == 130
    assert log.read_text().splitlines()[-1].endswith("60 fd 10")


def test_a_recording_is_looked_at_in_real_time(start: Callable[..., Terminal]) -> None:
    make_clip()
    at = start("drive", "--web", "--web-port", "0", "--camera", "file:clip", "--motors", "dry-run", "model=classical")
    place = Place(at.wait_for(r"http://127\.0\.0\.1:\d+/\?token=[\w-]+"))
    with place.client() as page:
        arm(page)
    assert at.end() == 130


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["drive", "--web-host", "0.0.0.0"], "are for the page; give --web too"),
        (["drive", "--web", "--web-port", "70000"], "there is no such port"),
        (["drive", "--web", "--web-host", "203.0.113.7"], "give another --web-port, or an address of this computer"),
        (["teleop", "--gamepad", "missing"], "missing: No such file or directory; plug a gamepad in"),
        (["teleop", "--gamepad", "/dev/null"], "/dev/null: is no gamepad; give one of /dev/input/js*"),
        (["teleop", "--map-gamepad", "--gamepad", "/dev/null"], "/dev/null: is no gamepad"),
    ],
)
def test_mistakes_are_told_in_one_line(
    arguments: list[str], told: str, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main([*arguments, "--track", "oval", "model=classical"]) in (1, 2)
    complaint = capsys.readouterr().err.splitlines()[-1]
    assert told in complaint
    assert complaint.startswith(f"linepilot {arguments[0]}: ")
