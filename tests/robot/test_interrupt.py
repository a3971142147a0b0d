from __future__ import annotations

import os
import signal

import pytest

from robot.drive.interrupt import Ended, ended_by_signals, stop_on_signals


@pytest.mark.parametrize(("number", "exit_code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_a_signal_is_remembered_not_raised(number: signal.Signals, exit_code: int) -> None:
    with stop_on_signals() as interrupted:
        assert not interrupted()
        assert interrupted.exit_code == 0
        os.kill(os.getpid(), number)
        assert interrupted()
        assert interrupted.exit_code == exit_code


def test_a_second_signal_ends_at_once() -> None:
    with stop_on_signals() as interrupted:
        os.kill(os.getpid(), signal.SIGTERM)
        assert interrupted()
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)


def test_the_handlers_of_before_come_back() -> None:
    before = signal.getsignal(signal.SIGTERM)
    with stop_on_signals():
        assert signal.getsignal(signal.SIGTERM) != before
    assert signal.getsignal(signal.SIGTERM) == before


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_an_end_unwinds_the_stack_and_keeps_its_number(number: signal.Signals) -> None:
    tidied = []
    before = signal.getsignal(number)
    with pytest.raises(Ended) as caught, ended_by_signals():  # noqa: PT012 - the signal comes within
        try:
            signal.raise_signal(number)
        finally:
            tidied.append(True)
    assert tidied
    assert caught.value.exit_code == 128 + number
    assert signal.getsignal(number) == before


def test_a_closed_terminal_stays_ignored_where_it_was() -> None:
    """As under nohup."""
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with ended_by_signals(), stop_on_signals() as request:
            signal.raise_signal(signal.SIGHUP)
            assert request.number is None
        assert signal.getsignal(signal.SIGHUP) == signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)
