"""One stick for all pages, so many messages for each, and where the page is served."""

from __future__ import annotations

import socket
import sys
from dataclasses import dataclass

import pytest
from web_stand import CONFIG

from app.cli.recording import Recording
from app.web.address import listen
from app.web.lease import Allowance, Lease
from app.web.page import Page
from app.web.wire import line_pair, pack, send, unpack
from control.errors import DeviceError, InputError, MissingExtraError
from robot.teleop.helm import Helm
from robot.teleop.switch import Wish


@dataclass
class Clock:
    time_s: float = 5.0

    def __call__(self) -> float:
        return self.time_s


def test_the_stick_is_held_by_speaking_and_lost_by_silence() -> None:
    clock = Clock()
    lease = Lease(clock)
    assert lease.claim("a")
    assert not lease.claim("b")
    assert not lease.heard("b")
    for _ in range(5):
        clock.time_s += 0.9
        assert lease.heard("a")
    clock.time_s += 1.1
    assert lease.holder == ""
    assert not lease.heard("a"), "whoever was silent must ask again"
    assert lease.claim("b")
    assert not lease.leave("a")
    assert lease.leave("b")
    assert lease.claim("a")


def test_an_allowance_is_60_at_once_and_60_a_second() -> None:
    clock = Clock()
    allowance = Allowance(60.0, clock)
    assert sum(allowance.take() for _ in range(100)) == 60
    clock.time_s += 0.5
    assert sum(allowance.take() for _ in range(100)) == 30
    clock.time_s += 100.0
    assert sum(allowance.take() for _ in range(100)) == 60


def test_packets_are_whole_and_a_slow_reader_costs_the_sender_nothing() -> None:
    ours, theirs = line_pair()
    with ours, theirs:
        assert send(ours, pack({"a": 1.5}, b"\xff\xd8"))
        assert unpack(theirs.recv(1 << 20)) == ({"a": 1.5}, b"\xff\xd8")
        sent = 0
        while send(ours, pack({}, bytes(50_000))):
            sent += 1
        assert 0 < sent < 100
        assert not send(ours, bytes(1 << 22))
        theirs.close()
        with pytest.raises(OSError, match=r"pipe|reset|endpoint"):
            send(ours, pack({}))
    with pytest.raises(ValueError, match="not JSON compliant"):
        pack({"a": float("nan")})


def test_the_page_is_for_this_computer_alone_unless_a_host_is_named() -> None:
    listener, address = listen("127.0.0.1", 0)
    with listener:
        assert address.url == f"http://127.0.0.1:{listener.getsockname()[1]}/?token={address.token}"
        assert len(address.token) >= 20
        assert address.warning == ""
        assert address.access()["any_address"] is False


def test_in_a_network_it_says_what_that_means() -> None:
    listener, address = listen("0.0.0.0", 0)
    with listener:
        assert "0.0.0.0" not in address.url
        assert "may drive the robot" in address.warning
        assert "nothing is encrypted" in address.warning
        assert "ssh -L" in address.warning
        assert address.access()["any_address"] is True


def test_a_port_that_is_taken_and_a_host_that_is_not_ours_are_told_in_one_line() -> None:
    taken = pytest.raises(InputError, match="Address already in use; give another --web-port")
    with socket.create_server(("127.0.0.1", 0)) as other, taken:
        listen("127.0.0.1", other.getsockname()[1])
    for host in ("203.0.113.7", "no such host"):
        with pytest.raises(InputError, match=r"--web-host .*address of this computer"):
            listen(host, 0)


def test_without_its_libraries_the_page_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'linepilot\[web\]'"), Recording(None) as recording:
        Page(CONFIG, helm=Helm(autopilot=True), recordings=recording)


def test_a_drive_begins_when_its_page_can_be_heard_and_not_when_it_cannot(monkeypatch: pytest.MonkeyPatch) -> None:
    with Recording(None) as recording, Page(CONFIG, helm=Helm(autopilot=True), recordings=recording) as page:
        assert page.read(driving=False) is Wish.NOTHING
    monkeypatch.setattr(sys, "executable", "/bin/false")
    died = pytest.raises(DeviceError, match="its server died")
    with Recording(None) as recording, Page(CONFIG, helm=Helm(autopilot=True), recordings=recording) as page, died:
        page.read(driving=False)


def test_a_stop_that_was_not_read_yet_outranks_what_is_asked_after_it() -> None:
    with Recording(None) as recording:
        page = Page(CONFIG, helm=Helm(autopilot=True), recordings=recording, now_s=lambda: 0.0)
    for do in ("arm", "stop", "arm"):
        page._hear({"by": "page 1", "do": do, "heard_s": 0.0})
    assert [page.read(driving=False) for _ in range(2)] == [Wish.STOP, Wish.NOTHING]
    page._hear({"by": "page 1", "do": "arm", "heard_s": 0.0})
    assert page.read(driving=True) is Wish.NOTHING, "it is armed already"
    page._hear({"by": "page 1", "do": "arm", "heard_s": -1.5})
    assert page.read(driving=False) is Wish.NOTHING, "asked before the process was frozen"
    page.__exit__(None, None, None)
