"""Every fault on every motor driver: afterwards STOP was the last word on the wire, and nothing drives by itself.

Real processes, real libraries, a model of the wire. How fast is measured by benchmarks/safety.py; here nothing is
timed, so that a busy machine fails nothing. By default every driver is tried with the worst faults and three drivers
with all; ``-m slow`` tries the rest.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from robot.motors.boards import BOARDS
from tests.robot.safety_stand import KINDS, Stand, pause
from tests.robot.safety_wires import SerialLine

Fault = Callable[[Stand], None]
"""Brings it about; returns when STOP must be the last word."""


def _signal(process: str, number: signal.Signals) -> Fault:
    def bring(stand: Stand) -> None:
        os.kill(stand.pid(process), number)
        stand.assert_stays_stopped()
        if number is signal.SIGSTOP:
            _wake(stand, stand.pid(process))

    return bring


def _wake(stand: Stand, pid: int) -> None:
    """Of what a frozen process had in its hands one write may still come, and STOP at once after it."""
    before = len(stand.wire.said())
    os.kill(pid, signal.SIGCONT)
    pause(0.1)
    stand.assert_stays_stopped()
    said = stand.wire.said()[before:]
    assert sum(stand.kind.stop not in data for _, data in said) <= 1


def _wish(what: str) -> Fault:
    return lambda stand: stand.wish(what)


def _broken_wire(stand: Stand) -> None:
    stand.wire.fail()
    stand.wait_until_told()
    before = len(stand.wire.said())
    stand.wire.mend()
    stand.assert_stays_stopped()
    # STOP is the first word too.
    assert b"".join(data for _, data in stand.wire.said()[before:]).startswith(stand.kind.stop)


FAULTS: dict[str, Fault] = {
    "brain-killed": _signal("brain", signal.SIGKILL),
    "brain-terminated": _signal("brain", signal.SIGTERM),
    "brain-frozen": _signal("brain", signal.SIGSTOP),
    "actuator-killed": _signal("actuator", signal.SIGKILL),
    "actuator-terminated": _signal("actuator", signal.SIGTERM),
    "actuator-frozen": _signal("actuator", signal.SIGSTOP),
    "guard-killed": _signal("guard", signal.SIGKILL),
    "guard-frozen": _signal("guard", signal.SIGSTOP),
    "broken-wire": _broken_wire,
    "not-a-number": _wish("nan"),
    "garbage-from-the-brain": _wish("garbage"),
    "stale-brain": _wish("silence"),
    "emergency-stop": _wish("stop"),
}
_ALWAYS = ("brain-killed", "broken-wire")
_THOROUGH = ("motorhat", "roboclaw")


def _cases() -> Iterator[object]:
    for name in KINDS:
        for fault in FAULTS:
            often = fault in _ALWAYS or name in _THOROUGH
            yield pytest.param(name, fault, id=f"{name}-{fault}", marks=() if often else pytest.mark.slow)


@pytest.fixture
def stand(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Stand]:
    made = Stand(request.param, tmp_path)
    yield made
    made.close()


def test_every_driver_has_its_stand() -> None:
    assert set(KINDS) == set(BOARDS)


@pytest.mark.parametrize(("stand", "fault"), list(_cases()), indirect=["stand"])
def test_after_a_fault_stop_was_the_last_word_on_the_wire(stand: Stand, fault: str) -> None:
    FAULTS[fault](stand)
    stand.assert_stays_stopped()


@pytest.mark.parametrize("stand", ["motorhat", pytest.param("roboclaw", marks=pytest.mark.slow)], indirect=True)
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_signal_that_ends_the_others_leaves_the_guard_on_its_post(stand: Stand, number: int) -> None:
    os.kill(stand.guard, number)
    os.kill(stand.actuator, signal.SIGKILL)
    stand.assert_stays_stopped()


@pytest.mark.parametrize("stand", ["motorhat", "esp32-json"], indirect=True)
def test_after_a_freeze_only_neutral_opens_the_way_again(stand: Stand) -> None:
    os.kill(stand.brain.pid, signal.SIGSTOP)
    stand.assert_stays_stopped()
    os.kill(stand.brain.pid, signal.SIGCONT)
    stand.assert_stays_stopped()
    stand.wish("neutral")
    stand._wait(stand.is_driving, "neutral did not open the way")


@pytest.mark.parametrize("stand", ["roboclaw"], indirect=True)
def test_noise_instead_of_acknowledgements_stops(stand: Stand) -> None:
    line = stand.wire
    assert isinstance(line, SerialLine)
    while not stand.told():
        line.answer(b"\x00\xfe{noise}" * 20)
    stand.assert_stays_stopped()


@pytest.mark.parametrize("stand", ["esp32-json", "vesc", "sabertooth", "motoron"], indirect=True)
def test_noise_on_a_line_that_nobody_reads_does_no_harm(stand: Stand) -> None:
    line = stand.wire
    assert isinstance(line, SerialLine)
    for _ in range(20):
        line.answer(b"\x00\xfe{noise}" * 100)
    assert not stand.is_stopped()
    assert stand.told() == ""
    os.kill(stand.brain.pid, signal.SIGKILL)
    stand.assert_stays_stopped()
