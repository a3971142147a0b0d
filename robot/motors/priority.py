"""A place before all others at the processor, for the two processes that do next to nothing and must not wait."""

from __future__ import annotations

import os

_LOWEST = 1


def ask_for_realtime() -> bool:
    """False where this user may not: then a busy machine can cost some milliseconds, and all else is the same.

    root may, and whoever has ``rtprio 1`` in /etc/security/limits.conf, or LimitRTPRIO=1 from systemd.
    """
    try:
        # Children get it only by asking themselves.
        os.sched_setscheduler(0, os.SCHED_RR | os.SCHED_RESET_ON_FORK, os.sched_param(_LOWEST))
    except (OSError, AttributeError):
        # AttributeError: this system has no such schedulers.
        return False
    return True
