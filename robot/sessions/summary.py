"""What is in a session: at a glance from its index, or in full from every tick."""

from __future__ import annotations

import struct
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mcap.exceptions import McapError
from mcap.reader import SeekingReader

from robot.sessions.encoding import NANOSECONDS
from robot.sessions.reader import SessionReader
from robot.sessions.schema import IMAGE, TICK, words


@dataclass(frozen=True, slots=True, kw_only=True)
class Outline:
    """One line of a list."""

    path: Path
    size_bytes: int
    start_ns: int
    """Since 1970."""
    length_s: float
    ticks: int
    pictures: int
    is_closed: bool
    damage: tuple[str, ...] = ()

    @property
    def state(self) -> str:
        if not self.is_closed:
            return "cut off"
        return "damaged" if self.damage else "whole"


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    outline: Outline
    facts: dict[str, str]
    ended: str
    """As the writer said; empty when it was killed."""
    attachments: tuple[str, ...]
    topics: dict[str, int]
    seen: float
    """Share of the ticks in which the line was seen."""
    dropped: int
    speed_mps: float
    """Commanded, mean."""
    states: Counter[str]
    causes: Counter[str]
    lateral_rms_m: float | None
    """Where the truth was recorded."""


def outline(path: Path, *, thorough: bool = False) -> Outline:
    """From the index where there is one, which says nothing of damage; others, and with ``thorough``, are read through.

    Raises SessionError when it is no MCAP file.
    """
    if thorough or path.is_fifo():
        return _read_through(path)
    try:
        with path.open("rb") as file:
            summary = SeekingReader(file).get_summary()
    except (OSError, McapError, ValueError, struct.error):
        # Also of a file too short to look for an index in. Reading it through says what is wrong.
        summary = None
    statistics = summary.statistics if summary is not None else None
    if summary is None or statistics is None or not summary.chunk_indexes:
        return _read_through(path)
    counts = Counter({
        channel.topic: statistics.channel_message_counts.get(number, 0) for number, channel in summary.channels.items()
    })  # fmt: skip
    return Outline(
        path=path, size_bytes=path.stat().st_size, start_ns=statistics.message_start_time,
        length_s=(statistics.message_end_time - statistics.message_start_time) / NANOSECONDS,
        ticks=counts[TICK], pictures=counts[IMAGE], is_closed=True,
    )  # fmt: skip


def _read_through(path: Path) -> Outline:
    reader = SessionReader(path)
    for _ in reader.messages():
        pass
    return _outlined(reader)


def _outlined(reader: SessionReader) -> Outline:
    return Outline(
        path=reader.path, size_bytes=reader.path.stat().st_size, start_ns=reader.start_ns,
        length_s=(reader.end_ns - reader.start_ns) / NANOSECONDS, ticks=reader.topics[TICK],
        pictures=reader.topics[IMAGE], is_closed=reader.is_closed, damage=tuple(reader.damage),
    )  # fmt: skip


def summarise(path: Path, *, min_confidence: float = 0.5) -> Summary:
    """Every tick is looked at, no picture is decoded. Raises SessionError."""
    reader, sums = SessionReader(path), _Sums()
    for frame in reader.frames():
        sums.add(frame.message, min_confidence=min_confidence)
    ticks = max(1, sums.ticks)
    return Summary(
        outline=_outlined(reader), facts=reader.facts, ended=reader.end.get("ended", ""),
        attachments=tuple(reader.attachments), topics=dict(reader.topics), seen=sums.seen / ticks,
        dropped=max(sums.dropped, int(reader.end.get("dropped", "0"))), speed_mps=sums.speed_mps / ticks,
        states=sums.states, causes=sums.causes,
        lateral_rms_m=(sums.square_m2 / sums.truths) ** 0.5 if sums.truths else None,
    )  # fmt: skip


@dataclass(slots=True)
class _Sums:
    ticks: int = 0
    seen: int = 0
    dropped: int = 0
    speed_mps: float = 0.0
    states: Counter[str] = field(default_factory=Counter)
    causes: Counter[str] = field(default_factory=Counter)
    truths: int = 0
    square_m2: float = 0.0

    def add(self, tick: Any, *, min_confidence: float) -> None:
        """``tick`` is a ``linepilot.Tick``."""
        self.ticks += 1
        self.seen += tick.estimate.confidence >= min_confidence
        self.dropped = max(self.dropped, tick.dropped_before)
        self.speed_mps += tick.verdict.command.speed_mps
        self.states[words(tick.verdict.state)] += 1
        self.causes.update(words(cause) for cause in tick.verdict.causes)
        if tick.HasField("truth"):
            self.truths += 1
            self.square_m2 += tick.truth.lateral_error_m**2
