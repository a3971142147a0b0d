"""systemd's ear: the loop says that it is ready, that it is alive, and that it is done.

The datagrams of sd_notify(3). Beats come from the loop's own passes, never from a thread of their own: a loop that
hangs falls silent, and systemd ends the process and stops the motors.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping

from robot.drive.clock import Clock, MonotonicClock

_BEATS_PER_PATIENCE = 4
"""systemd asks for at least two within its WatchdogSec."""
_STATUS_EVERY_S = 1.0


class ServiceManager:
    """Without a service manager (no NOTIFY_SOCKET, as in a terminal) every call does nothing."""

    def __init__(self, *, address: str | None, patience_s: float | None, clock: Clock | None = None) -> None:
        self._address = address
        self._clock: Clock = clock or MonotonicClock()
        self._every_s = _STATUS_EVERY_S
        if patience_s is not None:
            self._every_s = min(_STATUS_EVERY_S, patience_s / _BEATS_PER_PATIENCE)
        self._said_s: float | None = None
        self._status_s = 0.0

    @classmethod
    def from_environment(
        cls, environment: Mapping[str, str] = os.environ, *, clock: Clock | None = None
    ) -> ServiceManager:
        """A WATCHDOG_PID that is not ours means that the watchdog waits for another process."""
        microseconds = environment.get("WATCHDOG_USEC", "")
        meant = environment.get("WATCHDOG_PID", str(os.getpid())) == str(os.getpid())
        patience_s = int(microseconds) / 1e6 if microseconds.isdecimal() and int(microseconds) and meant else None
        return cls(address=environment.get("NOTIFY_SOCKET") or None, patience_s=patience_s, clock=clock)

    def beat(self, status: str) -> None:
        """One pass of the loop is done; ``status`` is what `systemctl status` shows, at most once a second."""
        if self._address is None:
            return
        now_s = self._clock.now_s()
        if self._said_s is not None and now_s - self._said_s < self._every_s:
            return
        lines = ["WATCHDOG=1"] if self._said_s is not None else ["READY=1", "WATCHDOG=1"]
        if self._said_s is None or now_s - self._status_s >= _STATUS_EVERY_S:
            lines.append(f"STATUS={' '.join(status.split())}")
            self._status_s = now_s
        self._said_s = now_s
        self._send(lines)

    def stopping(self) -> None:
        """The motors are stopped; what is left is the report, for which the watchdog must not wait."""
        if self._address is not None:
            self._send(["STOPPING=1"])

    def _send(self, lines: list[str]) -> None:
        """Never waits. A datagram that does not get through is like a missed beat: if none do, systemd ends us."""
        address = self._address or ""
        # A leading @ stands for the zero byte of an abstract address.
        where = "\0" + address[1:] if address.startswith("@") else address
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as line:
            line.setblocking(False)
            try:
                line.sendto("\n".join(lines).encode(), where)
            except OSError:
                return
