"""A session to look at again: its numbers as curves, and any of its pictures with what was drawn on it."""

from __future__ import annotations

import struct
from pathlib import Path
from types import TracebackType
from typing import Any

from foxglove_schemas_protobuf.CompressedImage_pb2 import CompressedImage
from google.protobuf.message import DecodeError
from mcap.exceptions import McapError
from mcap.reader import SeekingReader

from control.errors import SessionError
from robot.sessions.encoding import NANOSECONDS
from robot.sessions.overlay import finite, overlay
from robot.sessions.reader import SessionReader
from robot.sessions.schema import CLASSES, IMAGE, TICK, words

_DAMAGED = (McapError, DecodeError, ValueError, struct.error, RuntimeError)


class Playback:
    """Reads the whole file once, without its pictures; then any picture costs its chunk. Raises SessionError."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._times_ns: list[int] = []
        self._curves: dict[str, list[Any]] = {
            name: [] for name in ("t", "speed_mps", "curvature_1pm", "confidence", "by_hand", "state")
        }
        self._events: list[tuple[float, str]] = []
        self._reader = SessionReader(path)
        self._read()
        if not self._reader.is_closed:
            raise SessionError(f"{path}: was cut off; repair it first")
        self._file = path.open("rb")
        self._seeking = SeekingReader(self._file)

    def _read(self) -> None:
        first_ns, said = None, ""
        for frame in self._reader.frames():
            tick = frame.message
            first_ns = frame.time_ns if first_ns is None else first_ns
            t = round((frame.time_ns - first_ns) / NANOSECONDS, 3)
            says = _verdict(tick)
            if says != said:
                self._events.append((t, says))
                said = says
            if tick.hand_over:
                self._events.append((t, tick.hand_over))
            if frame.jpeg is None:
                continue
            self._times_ns.append(frame.time_ns)
            row = (
                t, finite(tick.verdict.command.speed_mps), finite(tick.verdict.command.curvature_1pm),
                finite(tick.estimate.confidence), tick.HasField("by_hand"), tick.verdict.state.lower(),
            )  # fmt: skip
            for values, value in zip(self._curves.values(), row, strict=True):
                values.append(value)
        if not self._times_ns:
            raise SessionError(f"{self._path}: holds no picture")

    def outline(self) -> dict[str, Any]:
        """Of JSON; one value of each curve for each picture."""
        return {
            "facts": self._reader.facts, "ended": self._reader.end.get("ended", ""), "damage": self._reader.damage,
            "pictures": len(self._times_ns), "curves": self._curves, "events": self._events,
        }  # fmt: skip

    def picture(self, number: int) -> tuple[dict[str, Any], bytes]:
        """What is drawn on it, in image points, and the JPEG as it was recorded. Raises SessionError."""
        if not 0 <= number < len(self._times_ns):
            raise SessionError(f"{self._path}: has {len(self._times_ns)} pictures, there is none of number {number}")
        time_ns, tick, jpeg = self._times_ns[number], None, b""
        try:
            for _, channel, message in self._seeking.iter_messages([IMAGE, TICK], time_ns, time_ns + 1):
                if channel.topic == TICK:
                    tick = CLASSES["Tick"].FromString(message.data)
                else:
                    jpeg = CompressedImage.FromString(message.data).data
        except _DAMAGED as error:
            raise SessionError(f"{self._path}: the picture of number {number} is damaged; repair it first") from error
        if tick is None or not jpeg:
            raise SessionError(f"{self._path}: the picture of number {number} is damaged; repair it first")
        return {"index": number, **_overlay(tick)}, jpeg

    def __enter__(self) -> Playback:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()


def first_picture(path: Path) -> bytes:
    """A JPEG, also of a file that was cut off; empty when there is none. Raises SessionError."""
    for message in SessionReader(path).messages():
        if message.topic == IMAGE:
            try:
                return bytes(CompressedImage.FromString(message.data).data)
            except DecodeError:
                continue
    return b""


def _overlay(tick: Any) -> dict[str, Any]:
    target = tick.decision.target if tick.decision.HasField("target") else None
    return {
        **overlay(tick.estimate.points, target),
        "now": _verdict(tick), "by_hand": tick.HasField("by_hand"),
        "speed_mps": finite(tick.verdict.command.speed_mps),
        "curvature_1pm": finite(tick.verdict.command.curvature_1pm),
    }  # fmt: skip


def _verdict(tick: Any) -> str:
    causes = [words(cause) for cause in tick.verdict.causes if cause != "LIMITED"]
    return f"{words(tick.verdict.state)}: {', '.join(causes)}" if causes else words(tick.verdict.state)
