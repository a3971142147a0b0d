"""What the server passes on to the loop, also while the loop does not keep up."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from typing import Any

import pytest

from app.web.hub import Hub
from app.web.wire import MOST_BYTES, line_pair, pack, send, unpack
from app.web.wishes import Arm, Plain, RefusedError, Tune

KP = Tune(name="follower.steering.kp", value=1.0)


@pytest.fixture
def ends() -> Iterator[tuple[Hub, socket.socket]]:
    ours, theirs = line_pair()
    with ours, theirs:
        hub = Hub(theirs)
        hub.lease.claim("page 1")
        yield hub, ours


def arm_now() -> Arm:
    return Arm(seen_ms=time.monotonic() * 1000)


def choke(hub: Hub) -> None:
    """Until the loop's process takes no more."""
    while send(hub._line, pack({"alive": 0})):
        pass


def heard(line: socket.socket) -> list[str]:
    """Of all wishes that arrived."""
    said: list[dict[str, Any]] = []
    while True:
        try:
            said.append(unpack(line.recv(MOST_BYTES, socket.MSG_DONTWAIT))[0])
        except BlockingIOError:
            return [one["do"] for one in said if "do" in one]


def test_a_stop_that_finds_no_room_is_said_later_and_without_what_was_asked_before(
    ends: tuple[Hub, socket.socket],
) -> None:
    hub, line = ends
    choke(hub)
    hub.wish("page 1", KP)
    hub.wish("page 2", Plain("stop"))
    assert heard(line) == []
    hub._say_waiting()
    assert heard(line) == ["stop"]


def test_what_waits_is_refused_when_it_is_too_much_and_never_pushes_out_a_stop(
    ends: tuple[Hub, socket.socket],
) -> None:
    hub, line = ends
    choke(hub)
    hub.wish("page 2", Plain("stop"))
    for _ in range(63):
        hub.wish("page 1", KP)
    with pytest.raises(RefusedError, match="does not listen just now"):
        hub.wish("page 1", KP)
    heard(line)
    hub._say_waiting()
    assert heard(line)[0] == "stop"


def test_a_wish_to_arm_is_passed_on_at_once_or_refused(ends: tuple[Hub, socket.socket]) -> None:
    hub, line = ends
    hub.wish("page 1", arm_now())
    assert heard(line) == ["arm"]
    choke(hub)
    with pytest.raises(RefusedError, match="does not listen just now"):
        hub.wish("page 1", arm_now())
    heard(line)
    hub._say_waiting()
    assert heard(line) == []
