"""Ticks go to a file in a thread of their own: the loop hands them over and goes on, whatever the disk does."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Thread

from control.errors import InputError
from robot.sessions.encoding import encode_picture
from robot.sessions.header import SessionHeader
from robot.sessions.part import Part
from robot.sessions.place import Place
from robot.sessions.session_tick import Jpeg, SessionTick
from robot.sessions.tick_stream import TickStream

_IDLE_S = 0.02
"""Looks this often whether there is something to write. The loop wakes nobody: that would cost it a switch."""
_CLOSE_S = 20.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    flush_every_s: float = 0.4
    """A killed process loses less than this and a moment: half a second and some margin for a busy computer."""
    part_bytes: int = 512 * 1024 * 1024
    """A file that grew to this size is finished, and the next one begins."""
    queue_ticks: int = 256
    queue_bytes: int = 64 * 1024 * 1024
    """Of pictures that wait to be written."""
    keep_free_bytes: int = 64 * 1024 * 1024
    """The rest of the system needs some disk, too."""
    jpeg_quality: int = 90


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionReport:
    files: tuple[Path, ...]
    ticks: int
    pictures: int
    dropped: int
    """Ticks that found the queue full."""
    size_bytes: int
    trouble: str
    """Why the recording ended before the drive; empty when it did not."""


class SessionWriter:
    """``write`` never blocks and never raises; what does not fit is counted.

    ``lossless`` waits instead of dropping: for time that only the loop moves, as in the simulator.
    ``notice`` is told, in the writer's thread, when the recording ends early. Raises InputError when it cannot begin.
    """

    def __init__(
        self, chosen: Path, *, header: SessionHeader, limits: Limits | None = None, lossless: bool = False,
        notice: Callable[[str], None] = lambda _: None,
    ) -> None:  # fmt: skip
        self._header, self._limits = header, limits or Limits()
        self._lossless, self._notice = lossless, notice
        self._place = Place(chosen, started=header.started)
        self._files: list[Path] = []
        self._stream = TickStream(header)
        self._queue: deque[tuple[Callable[[], SessionTick], int]] = deque()
        # Each written by one thread only; the difference is what waits.
        self._bytes_in = self._bytes_out = 0
        self._dropped = 0
        self._trouble = ""
        self._closing, self._ended = Event(), Event()
        self._part = self._open()
        self._thread = Thread(target=self._run, name="session writer", daemon=True)
        self._thread.start()

    @property
    def trouble(self) -> str:
        """Why it ended before it was closed; empty while it records."""
        return self._trouble

    def write(self, tick: SessionTick) -> None:
        self.write_later(lambda: tick, weight_bytes=_weight(tick))

    def write_later(self, make: Callable[[], SessionTick], *, weight_bytes: int) -> None:
        """As ``write``, of what ``make`` gives: called in the writer's thread, so that the loop does not pay for it.

        ``weight_bytes``: of the picture, which is kept until then.
        """
        while self._is_full():
            if self._ended.is_set():
                return
            if not self._lossless:
                self._dropped += 1
                return
            self._ended.wait(_IDLE_S / 10)
        if not self._ended.is_set():
            self._bytes_in += weight_bytes
            self._queue.append((make, weight_bytes))

    def _is_full(self) -> bool:
        waiting = self._bytes_in - self._bytes_out
        return len(self._queue) >= self._limits.queue_ticks or waiting >= self._limits.queue_bytes

    def close(self) -> SessionReport:
        """Write what waits and finish the file; of a drive without a tick none is left. Works twice."""
        self._closing.set()
        self._thread.join(timeout=_CLOSE_S)
        if self._thread.is_alive():
            self._trouble = self._trouble or f"the disk did not take the rest within {_CLOSE_S:g} s"
        return SessionReport(
            files=tuple(self._files), ticks=self._stream.ticks, pictures=self._stream.pictures, dropped=self._dropped,
            size_bytes=sum(path.stat().st_size for path in self._files), trouble=self._trouble,
        )  # fmt: skip

    def _open(self) -> Part:
        number = len(self._files) + 1
        path = self._place.part(number)
        try:
            part = Part(path, header=self._header, started_ns=self._stream.started_ns, number=number)
        except OSError as error:
            raise InputError(f"{path}: cannot be written ({error.strerror}); choose another place") from error
        self._files.append(path)
        return part

    def _run(self) -> None:
        # Stands when an error comes that nobody thought of: Python prints it, and the report says that it was not all.
        trouble = "a mistake in linepilot, printed above"
        try:
            trouble = self._write_all()
            self._part.finish(self._end(trouble or "with the drive"))
        except (OSError, InputError, ValueError, TypeError) as error:
            trouble = (isinstance(error, OSError) and error.strerror) or str(error) or type(error).__name__
        finally:
            self._trouble = trouble
            self._ended.set()
            self._queue.clear()
            self._part.give_up()
        if not self._part.has_ticks:
            self._files.pop().unlink()
        if self._trouble:
            self._notice(f"recording ended: {self._trouble}; the drive goes on")

    def _write_all(self) -> str:
        """Until everything is written; why it ended before, if it did."""
        flush_s = 0.0
        while True:
            # Asked first: what is handed over before closing is still written.
            closing = self._closing.is_set()
            self._write_waiting(until_s=flush_s)
            # The first tick at once, in a small chunk: that one describes all others.
            if self._stream.ticks and time.monotonic() >= flush_s:
                flush_s = time.monotonic() + self._limits.flush_every_s
                self._part.flush()
                if self._part.room_bytes() < self._limits.keep_free_bytes:
                    return f"less than {self._limits.keep_free_bytes / 1e6:.0f} MB are free on the disk"
            # Only for a tick that waits, so that no part stays empty.
            if self._queue and self._part.size_bytes >= self._limits.part_bytes:
                self._next_part()
                flush_s = 0.0
            if not self._queue:
                if closing:
                    return ""
                self._closing.wait(_IDLE_S)

    def _write_waiting(self, *, until_s: float) -> None:
        while self._queue:
            make, weight_bytes = self._queue.popleft()
            self._bytes_out += weight_bytes
            tick = make()
            # In this thread: others for the pictures alone cost more in taking turns than they save.
            self._stream.write(tick, self._encoded(tick), to=self._part, dropped=self._dropped)
            if time.monotonic() >= until_s:
                return

    def _encoded(self, tick: SessionTick) -> Jpeg | None:
        picture = tick.picture
        return None if picture is None else encode_picture(picture, quality=self._limits.jpeg_quality)

    def _next_part(self) -> None:
        self._part.finish(self._end("goes on in the next part"))
        self._part = self._open()
        self._stream.begin_part()

    def _end(self, ended: str) -> dict[str, str]:
        return {"ticks": str(self._stream.ticks), "dropped": str(self._dropped), "ended": ended}


def _weight(tick: SessionTick) -> int:
    picture = tick.picture
    if picture is None:
        return 0
    return len(picture.data) if isinstance(picture, Jpeg) else picture.nbytes
