"""The datagrams that systemd reads, received on real sockets."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from robot.drive.service_manager import ServiceManager
from tests.robot.fakes import FakeClock


@pytest.fixture(params=["file", "abstract"])
def systemd(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[str, socket.socket]]:
    """(what NOTIFY_SOCKET says, the other end)"""
    name = str(tmp_path / "notify") if request.param == "file" else f"@linepilot-test-{os.getpid()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as end:
        end.bind("\0" + name[1:] if name.startswith("@") else name)
        end.setblocking(False)
        yield name, end


def heard(end: socket.socket) -> list[list[str]]:
    messages = []
    while True:
        try:
            messages.append(end.recv(4096).decode().splitlines())
        except BlockingIOError:
            return messages


def test_the_first_pass_says_ready_and_the_following_ones_alive(systemd: tuple[str, socket.socket]) -> None:
    name, end = systemd
    clock = FakeClock()
    manager = ServiceManager(address=name, patience_s=2.0, clock=clock)
    assert heard(end) == []
    for _ in range(60):
        manager.beat("armed")
        clock.time_s += 1 / 30
    manager.stopping()
    first, *beats, last = heard(end)
    assert first == ["READY=1", "WATCHDOG=1", "STATUS=armed"]
    assert all(beat[0] == "WATCHDOG=1" for beat in beats)
    assert [beat for beat in beats if "STATUS=armed" in beat] == [["WATCHDOG=1", "STATUS=armed"]]
    # Four within the two seconds that systemd waits.
    assert len(beats) == 3
    assert last == ["STOPPING=1"]


def test_a_loop_that_hangs_says_nothing(systemd: tuple[str, socket.socket]) -> None:
    name, end = systemd
    clock = FakeClock()
    manager = ServiceManager(address=name, patience_s=2.0, clock=clock)
    manager.beat("armed")
    heard(end)
    clock.time_s += 60
    assert heard(end) == []


def test_a_status_is_one_line(systemd: tuple[str, socket.socket]) -> None:
    name, end = systemd
    ServiceManager(address=name, patience_s=None).beat("no line\nREADY=0")
    assert heard(end) == [["READY=1", "WATCHDOG=1", "STATUS=no line READY=0"]]


@pytest.mark.parametrize(
    ("more", "beats"),
    [
        ({"WATCHDOG_USEC": "2000000", "WATCHDOG_PID": str(os.getpid())}, 10),
        ({"WATCHDOG_USEC": "2000000", "WATCHDOG_PID": "1"}, 5),
        ({"WATCHDOG_USEC": "0"}, 5),
        ({"WATCHDOG_USEC": "soon"}, 5),
        ({}, 5),
    ],
)
def test_the_environment_says_how_often(systemd: tuple[str, socket.socket], more: dict[str, str], beats: int) -> None:
    name, end = systemd
    clock = FakeClock(time_s=0.0)
    manager = ServiceManager.from_environment({"NOTIFY_SOCKET": name, **more}, clock=clock)
    for _ in range(500):
        manager.beat("armed")
        clock.time_s += 0.01
    assert len(heard(end)) == beats


def test_without_a_service_manager_nothing_happens() -> None:
    manager = ServiceManager.from_environment({})
    manager.beat("armed")
    manager.stopping()


@pytest.mark.parametrize("full", [True, False])
def test_systemd_that_does_not_listen_cannot_hold_up_the_loop(tmp_path: Path, full: bool) -> None:
    name = str(tmp_path / "notify")
    clock = FakeClock()
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as end:
        if full:
            end.bind(name)
        manager = ServiceManager(address=name, patience_s=0.04, clock=clock)
        for _ in range(5000):
            manager.beat("armed")
            clock.time_s += 0.02
        manager.stopping()
