"""Pages that drive, watch, stop, tune, talk nonsense or vanish, against a simulated robot in real time."""

from __future__ import annotations

import errno
import json
import os
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from web_stand import PATIENCE_S, Client, Stand, driven, state
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection

from control.follower import LineFollower
from control.messages import Cause
from robot.sessions.part import Part
from robot.sessions.reader import SessionReader
from sim.vehicle.actuators import standing


@pytest.fixture
def by_hand() -> Iterator[Stand]:
    with driven(autopilot=False) as stand:
        yield stand


@pytest.fixture(scope="module")
def shared() -> Iterator[Stand]:
    """One robot for the tests that do not end its page."""
    with driven(autopilot=False) as stand:
        yield stand


def take_and_arm(client: Client) -> None:
    client.send(do="claim")
    client.until(lambda one: one.status.get("driver") == one.name, stick=(0.0, 0.0))
    client.arm()
    client.until(state("armed"), stick=(0.0, 0.0))


def stops(stand: Stand) -> Cause:
    """Why, once it has."""
    deadline = time.monotonic() + PATIENCE_S
    while True:
        assert time.monotonic() < deadline, stand.newest
        tick = stand.newest
        if tick is not None and tick.verdict.state.value == "stopped" and tick.wheels == standing(stand.world.params):
            return tick.verdict.causes[0]
        time.sleep(0.01)  # noqa: TID251 - the robot drives in a thread of its own


def pid_of(stand: Stand) -> int:
    pid = stand.page.server_pid
    # Of 0 or less the kernel takes more than one process.
    assert pid is not None
    assert pid > 1
    return pid


def test_a_page_takes_the_stick_arms_and_drives(by_hand: Stand) -> None:
    with by_hand.place.client() as page:
        take_and_arm(page)
        page.until(lambda one: one.status["speed_mps"] > 0.35, stick=(0.5, 1.0))
        assert page.status["curvature_1pm"] == pytest.approx(4.0)
        assert page.status["by_hand"]
        page.until(lambda one: one.status["speed_mps"] < -0.2, stick=(0.0, -1.0))
        page.until(lambda one: one.status["speed_mps"] == 0.0, stick=(0.0, 0.0))
        assert page.status["state"] == "armed", "letting go of the stick is no fault"
    assert by_hand.world.vehicle.travelled_m > 0.02


def test_nothing_arms_before_somebody_has_the_stick(shared: Stand) -> None:
    with shared.place.client() as page:
        page.arm()
        assert page.refusal() == "take the stick first"
        page.stick(0.0, 1.0)
        assert page.refusal() == "take the stick first"
        assert "operator link lost" in page.status["causes"]


def test_a_page_that_falls_silent_stops_the_robot(by_hand: Stand) -> None:
    with by_hand.place.client() as page:
        take_and_arm(page)
        page.until(lambda one: one.status["speed_mps"] > 0.2, stick=(0.0, 1.0))
        # It still listens, as a page does whose thumb is frozen.
        page.until(state("ramping", "stopped"))
        assert stops(by_hand) is Cause.LINK_LOST
        page.until(state("stopped"))
        page.stick(0.0, 1.0)
        assert page.refusal() == "take the stick first"


def test_a_page_that_sees_the_past_does_not_steer(by_hand: Stand) -> None:
    with by_hand.place.client() as page:
        take_and_arm(page)
        page.until(lambda one: one.status["speed_mps"] > 0.2, stick=(0.0, 1.0))
        old_ms = page.status["now_ms"]
        # It goes on to speak, but of what it saw when the link began to choke.
        while "link lost" not in str(page.status["causes"]):
            page.send(do="stick", steering=0, throttle=1, seen_ms=old_ms)
            page.hear(0.05)
        assert stops(by_hand) is Cause.LINK_LOST
        assert page.refused[-1].startswith("late: there and back takes ")
        page.send(do="claim")
        page.send(do="stick", steering=0, throttle=0, seen_ms=old_ms + 1e8)
        # Refusals of what was sent before may still be under way.
        page.until(lambda one: one.refused[-1].startswith("late: there and back takes -"))


def test_a_press_of_arm_that_comes_late_arms_nothing(shared: Stand) -> None:
    with shared.place.client() as page:
        page.send(do="claim")
        old_ms = page.status["now_ms"]
        page.until(lambda one: one.status["now_ms"] > old_ms + 600, stick=(0.0, 0.0))
        page.send(do="arm", seen_ms=old_ms)
        assert page.refusal().startswith("late: there and back takes ")
        assert page.status["state"] != "armed"
        page.send(do="leave")


def test_a_page_that_vanishes_stops_the_robot(by_hand: Stand) -> None:
    with by_hand.place.client() as page:
        take_and_arm(page)
        page.until(lambda one: one.status["speed_mps"] > 0.2, stick=(0.0, 1.0))
        page.socket.socket.shutdown(2)
    assert stops(by_hand) is Cause.LINK_LOST


@pytest.mark.parametrize("number", [signal.SIGSTOP, signal.SIGKILL])
@pytest.mark.parametrize("autopilot", [False, True])
def test_a_server_that_hangs_or_dies_stops_the_robot(number: signal.Signals, autopilot: bool) -> None:
    with driven(autopilot=autopilot) as stand, stand.place.client() as page:
        take_and_arm(page)
        page.until(lambda one: one.status["speed_mps"] > 0.2, stick=(0.0, 0.0 if autopilot else 1.0))
        os.kill(pid_of(stand), number)
        assert stops(stand) in (Cause.LINK_LOST, Cause.EMERGENCY_STOP)


@pytest.mark.parametrize("number", [signal.SIGSTOP, signal.SIGKILL])
def test_a_lost_server_also_stops_a_robot_that_nobody_steers(number: signal.Signals) -> None:
    with driven(autopilot=True) as stand, stand.place.client() as page:
        take_and_arm(page)
        page.send(do="leave")
        page.until(lambda one: one.status["driver"] == "" and one.status["speed_mps"] > 0.2)
        os.kill(pid_of(stand), number)
        assert stops(stand) is Cause.EMERGENCY_STOP


def test_one_page_drives_and_every_page_stops(by_hand: Stand) -> None:
    with by_hand.place.client() as driver, by_hand.place.client() as other:
        take_and_arm(driver)
        moves = ({"do": "stick", "steering": 0, "throttle": 1, "seen_ms": 0}, {"do": "arm", "seen_ms": 0})
        for wish in ({"do": "claim"}, *moves):
            other.send(**wish)
            assert other.refusal() == f"{driver.name} has the stick"
            driver.stick()
        driver.until(lambda one: one.status["speed_mps"] > 0.2, stick=(0.0, 1.0))
        other.send(do="stop")
        driver.until(state("stopped"), stick=(0.0, 1.0))
        assert driver.status["causes"] == ["emergency stop"]
        # Latched: only arming goes on, and only with the stick at rest.
        driver.arm()
        driver.until(lambda one: "not neutral" in one.status["notice"], stick=(0.0, 1.0))
        driver.until(state("stopped"), stick=(0.0, 0.0))
        driver.arm()
        driver.until(state("armed"), stick=(0.0, 0.0))
        driver.send(do="leave")
        other.until(lambda one: one.status["holder"] == "")
        other.until(state("stopped"))
        take_and_arm(other)


def test_touching_the_stick_takes_over_from_the_autopilot_and_is_recorded(tmp_path: Path) -> None:
    with driven(autopilot=True, record=tmp_path / "drive.mcap") as stand, stand.place.client() as page:
        take_and_arm(page)
        page.until(lambda one: one.status["speed_mps"] > 0.2 and not one.status["by_hand"], stick=(0.0, 0.0))
        page.until(lambda one: one.status["by_hand"] and one.status["curvature_1pm"] > 3, stick=(0.5, 0.3))
        page.until(lambda one: not one.status["by_hand"], stick=(0.0, 0.0))
        assert page.status["recording"]
        page.send(do="stop")
        page.until(state("stopped"), stick=(0.0, 0.0))
    ticks = [frame.tick() for frame in SessionReader(tmp_path / "drive.mcap").frames()]
    corrections = [tick for tick in ticks if tick.by_hand is not None]
    assert 3 < len(corrections) < len(ticks)
    assert max(tick.by_hand.curvature_1pm for tick in corrections if tick.by_hand) == pytest.approx(4.0)


NONSENSE = {
    "": "not JSON",
    "stick": "not JSON",
    "[1, 2]": "not a JSON object",
    "[" * 4000: "not JSON",
    "{}": "unknown wish None",
    '{"do": "explode"}': "unknown wish 'explode'",
    '{"do": ["stop"]}': "unknown wish",
    '{"do": "arm"}': "arm takes seen_ms, not nothing",
    '{"do": "stop", "now": 1}': "stop takes nothing, not now",
    '{"do": "stick"}': "stick takes steering, throttle, seen_ms, not nothing",
    '{"do": "stick", "steering": NaN, "throttle": 0}': "not JSON",
    '{"do": "stick", "steering": 0, "throttle": Infinity}': "not JSON",
    '{"do": "stick", "steering": 0, "throttle": 1e999, "seen_ms": 0}': "throttle is inf; it must be a finite number",
    '{"do": "stick", "steering": "0.5", "throttle": 0, "seen_ms": 0}': "steering is '0.5'; it must be a finite number",
    '{"do": "stick", "steering": true, "throttle": 0, "seen_ms": 0}': "steering is True; it must be a finite number",
    '{"do": "stick", "steering": null, "throttle": 0, "seen_ms": 0}': "steering is None; it must be a finite number",
    '{"do": "stick", "steering": 0, "throttle": 1.01, "seen_ms": 0}': "throttle is 1.01; it must be from -1 to 1",
    '{"do": "stick", "steering": 0, "seen_ms": 0, "throttle": ' + "9" * 3000 + "}": "throttle is 9",
    '{"do": "tune", "name": 3, "value": 1}': "name is 3; it must be a string",
    '{"do": "record", "on": 1}': "on is 1; it must be true or false",
}


def test_nonsense_is_refused_with_a_reason_and_moves_nothing(shared: Stand) -> None:
    with shared.place.client() as page:
        page.send(do="claim")
        for text, reason in NONSENSE.items():
            page.socket.send(text)
            assert page.refusal().startswith(reason), text[:60]
        page.socket.send(b"\x00\x01")
        assert page.refusal() == "bytes; send JSON as text"
        assert page.status["speed_mps"] == 0
        page.send(do="leave")


def test_a_message_over_4_kib_ends_its_connection_alone(shared: Stand) -> None:
    with shared.place.client() as other:
        with shared.place.open() as socket:
            socket.send(json.dumps({"do": "stop", "x": "x" * 5000}))
            assert Client(socket).closed_with()[0] == 1009
        other.hear(PATIENCE_S)


@pytest.mark.parametrize("path", ["control", "video"])
def test_a_flood_ends_its_connection_and_the_driver_drives_on(by_hand: Stand, path: str) -> None:
    with by_hand.place.client() as driver, by_hand.place.open(path) as flood:
        take_and_arm(driver)
        with suppress(ConnectionClosed):
            for _ in range(100):
                for _ in range(50):
                    flood.send('{"do": "claim"}')
                driver.stick(0.0, 0.5)
                driver.hear(0.02)
        assert Client(flood).closed_with() == (1008, "more than 60 messages a second")
        driver.until(lambda one: one.status["speed_mps"] > 0.1, stick=(0.0, 0.5))
        assert driver.status["state"] == "armed"


def test_each_message_brings_one_newer_picture_with_the_line_on_it(shared: Stand) -> None:
    with shared.place.open("video") as video:
        indices = []
        for _ in range(3):
            video.send("next")
            packet = video.recv(PATIENCE_S)
            assert isinstance(packet, bytes)
            length = int.from_bytes(packet[:4], "little")
            head = json.loads(packet[4 : 4 + length])
            assert packet[4 + length :].startswith(b"\xff\xd8")
            assert len(head["line"]) > 3
            indices.append(head["index"])
        assert indices == sorted(set(indices))
        with pytest.raises(TimeoutError):
            video.recv(0.2)


@contextmanager
def reading_slowly(stand: Stand, path: str) -> Iterator[ClientConnection]:
    """A socket that takes next to nothing while nobody reads it."""
    host, _, port = stand.place.host.partition(":")
    with socket.socket() as bare:
        bare.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        bare.connect((host, int(port)))
        # The library reads ahead, a little.
        with stand.place.open(path, sock=bare, max_queue=1) as client:
            yield client


def test_pictures_do_not_pile_up_before_a_reader_that_falls_behind(shared: Stand) -> None:
    """Whatever it asks for meanwhile."""
    asked = 120
    with reading_slowly(shared, "video") as video:
        for _ in range(asked):
            seen = shared.newest
            while shared.newest is seen:
                time.sleep(0.001)  # noqa: TID251 - the robot drives in a thread of its own
            video.send("next")
        got = 0
        with suppress(TimeoutError):
            while video.recv(1.0):
                got += 1
    assert 1 <= got < asked / 3


def test_gains_are_turned_within_bounds_and_reach_the_follower(shared: Stand) -> None:
    pilot = shared.rig.pilot
    assert isinstance(pilot, LineFollower)

    def tune(page: Client, name: str, value: float) -> None:
        page.send(do="claim")
        page.send(do="tune", name=name, value=value)

    with shared.place.client() as page:
        tune(page, "follower.steering.kp", 3.0)
        shown: dict[str, Any] = {}
        while shown.get("follower.steering.kp") != 3.0:
            page.until(lambda one: bool(one.status["knobs"]))
            shown = {knob["key"]: knob["value"] for knob in page.status["knobs"]}
            page.hear()
        assert pilot.settings.steering.kp == 3.0
        tune(page, "follower.speed.max_speed_mps", 99.0)
        page.until(lambda one: one.status["notice"] == "follower.speed.max_speed_mps must be from 0.15 to 1.5, not 99")
        tune(page, "supervisor.max_speed_mps", 1.0)
        page.until(lambda one: one.status["notice"] == "supervisor.max_speed_mps cannot be turned here")
        assert pilot.settings.speed.max_speed_mps == 0.7
        page.send(do="leave")


def test_the_record_button_writes_a_session_each_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with driven() as stand, stand.place.client() as page:
        for _ in range(2):
            page.send(do="claim")
            page.send(do="record", on=True)
            page.until(lambda one: one.status["recording"])
            page.send(do="record", on=False)
            page.until(lambda one: not one.status["recording"])
    sessions = sorted((tmp_path / "sessions").glob("*.mcap"))
    assert len(sessions) == 2


def test_a_recording_that_ends_by_itself_is_told_and_can_begin_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: Part) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with driven(folder=tmp_path) as stand, stand.place.client() as page:
        page.send(do="claim")
        with monkeypatch.context() as disk:
            disk.setattr(Part, "flush", full)
            page.send(do="record", on=True)
            page.until(lambda one: one.status["notice"] == "recording ended: No space left on device")
            assert not page.status["recording"]
        page.send(do="claim")
        page.send(do="record", on=True)
        page.until(lambda one: one.status["recording"] and one.status["notice"] == "")
