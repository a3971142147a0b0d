"""A drive as systemd sees it: real datagrams of a real process."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import cv2
import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[2]
_PATIENCE_US = 400_000
_PLAIN = "import sys; from app.cli.main import main; sys.exit(main(sys.argv[1:]))"


@pytest.fixture(autouse=True)
def _in_a_folder_with_a_clip(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("clip").mkdir()
    for number in range(120):
        image = np.full((120, 160, 3), 90, np.uint8)
        cv2.line(image, (80 + number % 7, 119), (80, 40), (40, 200, 235), 8)
        cv2.imwrite(f"clip/{number:03d}.png", image)


@contextmanager
def driving(end: socket.socket, *, program: str = _PLAIN) -> Iterator[subprocess.Popen[bytes]]:
    """With systemd's environment, in the recording's own time."""
    end.bind("notify")
    end.settimeout(30)
    environment = {
        **os.environ, "PYTHONPATH": str(ROOT), "NOTIFY_SOCKET": str(Path("notify").absolute()),
        "WATCHDOG_USEC": str(_PATIENCE_US),
    }  # fmt: skip
    command = [
        sys.executable, "-c", program, "drive", "--camera", "file:clip", "--motors", "dry-run", "model=classical",
        "camera.realtime=true",
    ]  # fmt: skip
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def test_it_is_ready_then_alive_then_stopping() -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as end, driving(end) as process:
        said = [end.recv(4096).decode().splitlines()]
        while said[-1] != ["STOPPING=1"]:
            said.append(end.recv(4096).decode().splitlines())
        assert process.wait(30) == 0
    assert said[0] == ["READY=1", "WATCHDOG=1", "STATUS=disarmed"]
    beats = said[1:-1]
    assert all(beat[0] == "WATCHDOG=1" for beat in beats)
    # Four seconds of recording, a beat every tenth of a second when the machine has time.
    assert len(beats) >= 4
    assert ["WATCHDOG=1", "STATUS=armed"] in beats


def test_a_loop_that_hangs_falls_silent_though_its_process_lives() -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as end, driving(end, program=_HANGING) as process:
        said = ""
        while "hangs" not in said:
            assert process.stdout is not None
            said = process.stdout.readline().decode()
        end.setblocking(False)
        while waiting(end):
            pass
        end.settimeout(2 * _PATIENCE_US / 1e6)
        with pytest.raises(TimeoutError):
            end.recv(4096)
        assert process.poll() is None


def waiting(end: socket.socket) -> bytes:
    try:
        return end.recv(4096)
    except BlockingIOError:
        return b""


_HANGING = """
import sys
from threading import Event
from app.cli.main import main
from perception.engines.classical import ColourEstimator

original, calls = ColourEstimator.estimate, []

def estimate(self, image):
    calls.append(1)
    if len(calls) == 10:
        print("hangs", flush=True)
        Event().wait()
    return original(self, image)

ColourEstimator.estimate = estimate
sys.exit(main(sys.argv[1:]))
"""
