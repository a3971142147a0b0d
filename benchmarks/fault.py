"""A fault that is brought about at a moment that is known."""

from __future__ import annotations

import os
import signal
from time import monotonic

from robot.motors.priority import ask_for_realtime


def send_signal(pid: int, number: signal.Signals) -> float:
    """When it was sent; nobody may come between the clock and the signal, or the clock would be wrong."""
    realtime = ask_for_realtime()
    moment_s = monotonic()
    os.kill(pid, number)
    if realtime:
        os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
    return moment_s
