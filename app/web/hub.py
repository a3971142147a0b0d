"""What the server knows: the newest status and picture, and which page has the stick. Lives in one event loop."""

from __future__ import annotations

import asyncio
import socket
import time
from collections import deque
from dataclasses import dataclass, field
from typing import Any

from app.web.lease import Lease
from app.web.wire import MOST_BYTES, pack, send, unpack
from app.web.wishes import Arm, Plain, Record, RefusedError, Stick, Tune, Wish

BEAT_S = 0.05
_MOST_WAITING = 64
OLD_S = 0.5
"""Who answers an older status neither steers nor arms; of a stick the silence then stops the robot."""
_DEAF = "the robot does not listen just now; try again"


@dataclass(eq=False)
class News:
    """The newest of something; whoever wants it waits for a newer one than it had."""

    value: bytes = b""
    number: int = 0
    _changed: asyncio.Event = field(default_factory=asyncio.Event)

    def put(self, value: bytes) -> None:
        self.value, self.number = value, self.number + 1
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()

    async def newer_than(self, number: int) -> tuple[bytes, int]:
        while self.number <= number:
            await self._changed.wait()
        return self.value, self.number


class Hub:
    """The server's end of the line to the loop's process."""

    def __init__(self, line: socket.socket) -> None:
        self._line = line
        self.status, self.picture = News(), News()
        self._numbers: dict[str, Any] = {}
        self.viewers = 0
        self.lease = Lease(time.monotonic)
        self.ended = asyncio.Event()
        self._waiting: deque[bytes] = deque()

    def listen(self) -> None:
        asyncio.get_running_loop().add_reader(self._line.fileno(), self._hear)

    async def beat(self) -> None:
        """Tells the loop that we are alive, and how many look at the picture; says again what found no room."""
        while not self.ended.is_set():
            self._say_waiting()
            self._try({"alive": self.viewers})
            await asyncio.sleep(BEAT_S)

    def wish(self, who: str, wish: Wish) -> None:
        """Raises RefusedError."""
        if isinstance(wish, Stick | Arm):
            self._move(who, wish)
        elif wish == Plain("claim"):
            if not self.lease.claim(who):
                raise RefusedError(f"{self.lease.holder} has the stick")
            self._say({"by": who, "do": "claim"})
        elif wish == Plain("leave"):
            if self.lease.leave(who):
                self._say({"by": who, "do": "leave"})
        elif wish == Plain("stop"):
            # Nothing that was asked before it may come after it, and nothing may push it out.
            self._waiting.clear()
            self._say({"by": who, "do": "stop"})
        else:
            self._need_lease(who)
            self._say({"by": who, **_asked(wish)})

    def _move(self, who: str, wish: Stick | Arm) -> None:
        """At once or not at all: nobody expects a robot that moves some seconds later."""
        self._need_lease(who)
        heard_s = _now_s_if_fresh(wish.seen_ms)
        if isinstance(wish, Stick):
            self._try({"by": who, "steering": wish.steering, "throttle": wish.throttle, "heard_s": heard_s})
        elif self._waiting or not self._try({"by": who, "do": "arm", "heard_s": heard_s}):
            raise RefusedError(_DEAF)

    def told(self) -> dict[str, Any]:
        """The newest status, with who has the stick."""
        return {**self._numbers, "holder": self.lease.holder, "now_ms": round(time.monotonic() * 1000, 1)}

    def _need_lease(self, who: str) -> None:
        if not self.lease.heard(who):
            holder = self.lease.holder
            raise RefusedError(f"{holder} has the stick" if holder else "take the stick first")

    def _hear(self) -> None:
        while True:
            try:
                packet = self._line.recv(MOST_BYTES, socket.MSG_DONTWAIT)
            except BlockingIOError:
                return
            except OSError:
                packet = b""
            if not packet:
                asyncio.get_running_loop().remove_reader(self._line.fileno())
                self.ended.set()
                return
            head, body = unpack(packet)
            if body:
                self.picture.put(packet)
            else:
                self._numbers = head
                self.status.put(packet)

    def _say(self, head: dict[str, Any]) -> None:
        """Now, or with a later beat. Raises RefusedError when too much waits already."""
        self._say_waiting()
        if len(self._waiting) >= _MOST_WAITING:
            raise RefusedError(_DEAF)
        self._waiting.append(pack(head))
        self._say_waiting()

    def _say_waiting(self) -> None:
        while self._waiting and self._send(self._waiting[0]):
            self._waiting.popleft()

    def _try(self, head: dict[str, Any]) -> bool:
        """Whether it found room."""
        return self._send(pack(head))

    def _send(self, packet: bytes) -> bool:
        try:
            return send(self._line, packet)
        except OSError:
            # The loop's process is gone: so are the wheels' commands.
            self.ended.set()
            return True


def _now_s_if_fresh(seen_ms: float) -> float:
    """Raises RefusedError for an answer to a status of some time ago."""
    now_s = time.monotonic()
    age_s = now_s - seen_ms / 1000
    if not 0 <= age_s <= OLD_S:
        raise RefusedError(f"late: there and back takes {age_s * 1000:.0f} ms, more than {OLD_S * 1000:.0f}")
    return now_s


def _asked(wish: Tune | Record | Plain) -> dict[str, Any]:
    if isinstance(wish, Tune):
        return {"do": "tune", "name": wish.name, "value": wish.value}
    if isinstance(wish, Record):
        return {"do": "record", "on": wish.on}
    return {"do": wish.do}
