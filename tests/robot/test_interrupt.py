from __future__ import annotations

import os
import signal

import pytest

from robot.drive.interrupt import stop_on_signals


@pytest.mark.parametrize(
    ("number", "exit_code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]
)
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
