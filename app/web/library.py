"""The recorded sessions for the page: listed, played back, cut and repaired, by their bare names in one folder."""

from __future__ import annotations

from datetime import datetime, timezone
from pathlib import Path
from threading import Lock
from typing import Any

from control.errors import InputError, SessionError
from robot.sessions.playback import Playback, first_picture
from robot.sessions.session_copy import copy_session
from robot.sessions.summary import Outline, outline

_MOST_SHOWN = 200
_FRESH_S = 2.0
"""A file without an end that was written to so lately is one that is being recorded."""


class UnknownSessionError(Exception):
    """No session of that name."""


class Library:
    """Safe from several threads; one at a time reads."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = Lock()
        self._open: tuple[Path, int, Playback] | None = None

    def list(self) -> list[dict[str, Any]]:
        """The newest first."""
        with self._lock:
            paths = sorted(self._paths().values(), key=lambda path: path.stat().st_mtime, reverse=True)
            return [_row(path) for path in paths[:_MOST_SHOWN]]

    def path(self, name: str) -> Path:
        """Only of what lies in the folder itself: a name is looked up, never joined. Raises UnknownSessionError."""
        try:
            return self._paths()[name]
        except KeyError:
            raise UnknownSessionError from None

    def outline(self, name: str) -> dict[str, Any]:
        """Raises UnknownSessionError, SessionError."""
        with self._lock:
            return {"name": name, **self._playback(name).outline()}

    def picture(self, name: str, number: int) -> tuple[dict[str, Any], bytes]:
        """Raises UnknownSessionError, SessionError."""
        with self._lock:
            return self._playback(name).picture(number)

    def thumbnail(self, name: str) -> bytes:
        """Raises UnknownSessionError, SessionError."""
        with self._lock:
            return first_picture(self.path(name))

    def trim(self, name: str, *, from_s: float, to_s: float) -> str:
        """The name of the new session. Raises UnknownSessionError, InputError."""
        if not 0 <= from_s < to_s:
            raise InputError(f"the end, {to_s:g} s, is not after the start, {from_s:g} s")
        return self._copied(name, "trimmed", from_s=from_s, to_s=to_s)

    def repair(self, name: str) -> str:
        """The name of the new session. Raises UnknownSessionError, InputError."""
        return self._copied(name, "repaired", from_s=0.0, to_s=None)

    def _copied(self, name: str, how: str, *, from_s: float, to_s: float | None) -> str:
        with self._lock:
            source = self.path(name)
            target, number = source.with_name(f"{source.stem}-{how}.mcap"), 1
            while target.exists():
                number += 1
                target = source.with_name(f"{source.stem}-{how}{number}.mcap")
            copy_session(source, target, from_s=from_s, to_s=to_s)
            return target.name

    def _paths(self) -> dict[str, Path]:
        """No link either: it may lead out of the folder."""
        return {
            path.name: path
            for path in self._folder.glob("*.mcap")
            if path.is_file() and not path.is_symlink() and not path.name.startswith(".")
        }

    def _playback(self, name: str) -> Playback:
        path = self.path(name)
        written_ns = path.stat().st_mtime_ns
        if self._open is None or self._open[:2] != (path, written_ns):
            if self._open is not None:
                self._open[2].__exit__(None, None, None)
                self._open = None
            self._open = (path, written_ns, Playback(path))
        return self._open[2]


def _row(path: Path) -> dict[str, Any]:
    try:
        short = outline(path)
    except SessionError as error:
        why = str(error).removeprefix(f"{path}: ").partition(";")[0]
        return {"name": path.name, "size": path.stat().st_size, "state": why, "pictures": 0}
    return {
        "name": path.name, "size": short.size_bytes, "started_s": short.start_ns // 10**9,
        "length_s": round(short.length_s, 1), "ticks": short.ticks, "pictures": short.pictures, "state": _state(short),
    }  # fmt: skip


def _state(short: Outline) -> str:
    now_s = datetime.now(tz=timezone.utc).timestamp()
    if not short.is_closed and abs(now_s - short.path.stat().st_mtime) < _FRESH_S:
        return "being recorded"
    return short.state
