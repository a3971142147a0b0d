"""Which pictures were taken together, told from the time that notebooks hide in their file names."""

from __future__ import annotations

import re
from collections.abc import Sequence
from uuid import UUID

_PAUSE_S = 300.0
"""Between two pictures of one session. It finds the sessions of four people's folders as they were counted by hand."""
_TIMED = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-1[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}$")


def taken_s(stem: str) -> float | None:
    """Seconds on the clock of a version 1 UUID at the end of a file's name; None without one."""
    found = _TIMED.search(stem.lower())
    return UUID(found[0]).time / 1e7 if found else None


def recording_sessions(stems: Sequence[str]) -> list[str]:
    """A session for each name, counted by time; all "0" when some names do not tell theirs."""
    times = [taken_s(stem) for stem in stems]
    known = [time for time in times if time is not None]
    if len(known) < len(times):
        return ["0"] * len(times)
    sessions, number, before = [""] * len(stems), 0, min(known, default=0.0)
    for time, index in sorted(zip(known, range(len(stems)), strict=True)):
        number += time - before > _PAUSE_S
        sessions[index], before = str(number), time
    return sessions
