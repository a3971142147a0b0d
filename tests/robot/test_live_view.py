"""A drive in Foxglove while it goes on, seen by a client that speaks its protocol."""

from __future__ import annotations

import json
import socket
import struct
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from fakes import Bench, Kept
from foxglove_schemas_protobuf.CompressedImage_pb2 import CompressedImage
from websockets.sync.client import ClientConnection, connect

from control.errors import InputError, MissingExtraError
from robot.config import RobotConfig
from robot.drive.live_view import LiveView
from robot.drive.loop import Tick, drive
from robot.sessions.schema import CLASSES, TYPES

pytest.importorskip("foxglove", reason="pip install 'linepilot[foxglove]'")
PATIENCE_S = 30.0
_DATA = struct.Struct("<BIQ")
"""Kind, number of the subscription, nanoseconds."""


@contextmanager
def viewer(live: LiveView) -> Iterator[tuple[ClientConnection, dict[str, int]]]:
    """Channels by their topics."""
    with connect(live.url, subprotocols=["foxglove.sdk.v1"], max_size=None) as client:  # type: ignore[list-item]
        channels: dict[str, int] = {}
        while len(channels) < len(TYPES):
            told = json.loads(client.recv(PATIENCE_S))
            for channel in told.get("channels", []):
                assert channel["encoding"] == "protobuf"
                assert channel["schemaName"] == TYPES[channel["topic"]].DESCRIPTOR.full_name
                channels[channel["topic"]] = channel["id"]
        yield client, channels


def subscribe(client: ClientConnection, channels: dict[str, int], *topics: str) -> None:
    wanted = [{"id": number, "channelId": channels[topic]} for number, topic in enumerate(topics)]
    client.send(json.dumps({"op": "subscribe", "subscriptions": wanted}))


def one_tick() -> Tick:
    bench, kept = Bench(), Kept()
    bench.camera.count = 3
    drive(bench.rig(), kept, timer=bench.timer)
    return kept.ticks[-1]


def heard(client: ClientConnection, live: LiveView, tick: Tick, *, topics: int) -> dict[int, Any]:
    """The newest of each subscription, while the drive goes on."""
    found: dict[int, Any] = {}
    for _ in range(600):
        live(tick, {"see": 0.01})
        try:
            data = client.recv(0.05)
        except TimeoutError:
            continue
        if isinstance(data, bytes) and data[0] == 1:
            _, number, _ = _DATA.unpack_from(data)
            found[number] = data[_DATA.size :]
        if len(found) == topics:
            return found
    raise AssertionError(found)


def test_a_viewer_sees_pictures_and_ticks_in_foxglove_s_own_words() -> None:
    tick = one_tick()
    with LiveView(RobotConfig(), port=0) as live, viewer(live) as (client, channels):
        subscribe(client, channels, "/camera/image", "/tick")
        seen = heard(client, live, tick, topics=2)
    image = CompressedImage.FromString(seen[0])
    assert image.format == "jpeg"
    assert image.data.startswith(b"\xff\xd8")
    assert CLASSES["Tick"].FromString(seen[1]).verdict.state == tick.verdict.state.name


def test_pictures_that_nobody_looks_at_are_not_encoded(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError

    monkeypatch.setattr("robot.drive.live_view.encode_picture", refuse)
    with LiveView(RobotConfig(), port=0) as live, viewer(live) as (client, channels):
        subscribe(client, channels, "/tick")
        heard(client, live, one_tick(), topics=1)


def test_a_port_that_is_taken_is_told_in_one_line() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with (
            pytest.raises(InputError, match=f"--foxglove-port {port}: .*give another one"),
            LiveView(RobotConfig(), port=port),
        ):
            pass


def test_without_the_library_its_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "foxglove", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'linepilot\[foxglove\]'"):
        LiveView(RobotConfig(), port=0)
