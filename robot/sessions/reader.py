"""Reads a session, whole or not: what can be read is, and what cannot is said."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from foxglove_schemas_protobuf.CompressedImage_pb2 import CompressedImage
from google.protobuf.message import DecodeError
from mcap.records import Attachment, Channel, Message, Metadata, Schema

from control.errors import SessionError
from control.messages import LinePoint
from robot.sessions.decoding import decode_point, decode_tick
from robot.sessions.header import BEGIN, END
from robot.sessions.record_scan import RecordScan
from robot.sessions.schema import CLASSES, IMAGE, TICK
from robot.sessions.session_tick import Image, SessionTick

_TICK_SCHEMA = "linepilot.Tick"


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredMessage:
    topic: str
    schema: str
    """Its name."""
    time_ns: int
    """Since 1970."""
    sequence: int
    """Of the tick that it belongs to."""
    data: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionFrame:
    """One tick as it is stored; decoded only when asked."""

    path: Path
    time_ns: int
    number: int
    message: Any
    """A ``linepilot.Tick``."""
    jpeg: bytes | None

    def tick(self) -> SessionTick:
        """With its picture decoded. Raises SessionError."""
        return decode_tick(self.message, picture=self.image())

    @property
    def target(self) -> LinePoint | None:
        """The image point that was followed."""
        decision = self.message.decision
        return decode_point(decision.target) if decision.HasField("target") else None

    def image(self) -> Image | None:
        """(H, W, 3) BGR. Raises SessionError when the picture is damaged."""
        if self.jpeg is None:
            return None
        image = cv2.imdecode(np.frombuffer(self.jpeg, dtype=np.uint8), cv2.IMREAD_COLOR) if self.jpeg else None
        if image is None:
            raise SessionError(f"{self.path}: the picture of tick {self.number} is damaged; try sessions repair")
        return np.asarray(image, dtype=np.uint8)


class SessionReader:
    """Each iteration reads the file anew; facts, attachments and damage are those of the last one."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.facts: dict[str, str] = {}
        self.end: dict[str, str] = {}
        """Empty when the writer did not come to its end."""
        self.attachments: dict[str, bytes] = {}
        self.damage: list[str] = []
        self.is_closed = False
        self.topics: Counter[str] = Counter()
        """How many messages are on each."""
        self.start_ns = self.end_ns = 0

    def messages(self) -> Iterator[StoredMessage]:
        """Raises SessionError when it is no MCAP file."""
        scan = RecordScan(self.path)
        self.facts, self.end, self.attachments, self.damage, self.is_closed = {}, {}, {}, scan.damage, False
        self.topics, self.start_ns, self.end_ns = Counter(), 0, 0
        names: dict[int, str] = {}
        channels: dict[int, tuple[str, str]] = {}
        orphans = 0
        for record in scan:
            if isinstance(record, Message):
                known = channels.get(record.channel_id)
                if known is None:
                    orphans += 1
                    continue
                self.topics[known[0]] += 1
                self.start_ns, self.end_ns = self.start_ns or record.log_time, record.log_time
                yield StoredMessage(
                    topic=known[0], schema=known[1], time_ns=record.log_time, sequence=record.sequence,
                    data=record.data,
                )  # fmt: skip
            elif isinstance(record, Schema):
                names[record.id] = record.name
            elif isinstance(record, Channel):
                channels[record.id] = (record.topic, names.get(record.schema_id, ""))
            else:
                self._note(record)
        if orphans:
            self.damage.append(f"{orphans} messages without the description of their channel")
        self.is_closed = scan.is_closed

    def _note(self, record: object) -> None:
        if isinstance(record, Attachment):
            self.attachments[record.name] = record.data
        elif isinstance(record, Metadata) and record.name == BEGIN:
            self.facts = record.metadata
        elif isinstance(record, Metadata) and record.name == END:
            self.end = record.metadata

    def frames(self) -> Iterator[SessionFrame]:
        """One for each tick, in order. Raises SessionError when it is no session of ours."""
        picture: tuple[int, bytes] | None = None
        found = False
        for message in self.messages():
            if message.topic == IMAGE:
                picture = (message.sequence, self._parsed(CompressedImage, message).data)
            elif message.topic == TICK and message.schema == _TICK_SCHEMA:
                found = True
                tick = self._parsed(CLASSES["Tick"], message)
                mine = picture is not None and picture[0] == message.sequence
                yield SessionFrame(
                    path=self.path, time_ns=message.time_ns, number=message.sequence, message=tick,
                    jpeg=picture[1] if mine and picture is not None else None,
                )  # fmt: skip
        if not found:
            why = f" ({self.damage[0]})" if self.damage else ""
            raise SessionError(f"{self.path}: holds no ticks{why}; name a file that `linepilot drive --record` wrote")

    def _parsed(self, kind: Any, message: StoredMessage) -> Any:
        try:
            return kind.FromString(message.data)
        except DecodeError as error:
            raise SessionError(
                f"{self.path}: message {message.sequence} on {message.topic} is no {kind.DESCRIPTOR.full_name}"
            ) from error
