"""Repair and trim: all that is readable of a session, or of a part of its time, into a new and whole file."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

from mcap.records import Attachment, Channel, McapRecord, Message, Metadata, Schema
from mcap.writer import LIBRARY_IDENTIFIER, CompressionType, Writer

from control.errors import InputError, SessionError
from robot.sessions.encoding import NANOSECONDS
from robot.sessions.header import END
from robot.sessions.part import CHUNK_BYTES
from robot.sessions.record_scan import RecordScan
from robot.sessions.schema import CALIBRATION, TICK


@dataclass(slots=True, kw_only=True)
class Copied:
    path: Path
    ticks: int = 0
    messages: int = 0
    damage: list[str] = field(default_factory=list)
    """What could not be read of the source."""


def copy_session(source: Path, target: Path, *, from_s: float = 0.0, to_s: float | None = None) -> Copied:
    """Seconds count from the first message. The target appears whole or not at all. Raises SessionError, InputError."""
    if target.exists():
        raise InputError(f"{target}: is there already; a session is never overwritten, choose another name")
    temporary = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        with temporary.open("wb") as file:
            writer = Writer(file, chunk_size=CHUNK_BYTES, compression=CompressionType.NONE)
            writer.start(library=f"linepilot, {LIBRARY_IDENTIFIER}")
            copied = _Copy(writer, from_s=from_s, to_s=to_s).run(source, target)
            writer.finish()
            file.flush()
            os.fdatasync(file.fileno())
        temporary.replace(target)
    except OSError as error:
        raise InputError(f"{target}: cannot be written ({error.strerror}); choose another place") from error
    finally:
        temporary.unlink(missing_ok=True)
    return copied


class _Copy:
    def __init__(self, writer: Writer, *, from_s: float, to_s: float | None) -> None:
        self._writer, self._from_s, self._to_s = writer, from_s, to_s
        self._schemas: dict[int, int] = {}
        self._channels: dict[int, int] = {}
        self._topics: dict[int, str] = {}
        self._first_ns: int | None = None
        self._calibration: Message | None = None
        self._end: Metadata | None = None

    def run(self, source: Path, target: Path) -> Copied:
        scan = RecordScan(source)
        copied = Copied(path=target, damage=scan.damage)
        for record in scan:
            if isinstance(record, Message):
                self._message(record, copied)
            else:
                self._other(record)
        if not copied.messages:
            why = scan.damage[0] if scan.damage else "no message lies in the chosen time"
            raise SessionError(f"{source}: nothing to copy ({why})")
        if self._end is not None:
            self._writer.add_metadata(END, {**self._end.metadata, "ticks": str(copied.ticks)})
        return copied

    def _message(self, message: Message, copied: Copied) -> None:
        if message.channel_id not in self._channels:
            return
        if self._first_ns is None:
            self._first_ns = message.log_time
        since_s = (message.log_time - self._first_ns) / NANOSECONDS
        if since_s < self._from_s:
            if self._topics[message.channel_id] == CALIBRATION:
                self._calibration = message
            return
        if self._to_s is not None and since_s > self._to_s:
            return
        if self._calibration is not None:
            # It still holds where the copy begins.
            self._add(self._calibration, time_ns=message.log_time)
            self._calibration = None
        self._add(message, time_ns=message.log_time)
        copied.messages += 1
        copied.ticks += self._topics[message.channel_id] == TICK

    def _add(self, message: Message, *, time_ns: int) -> None:
        channel = self._channels[message.channel_id]
        self._writer.add_message(channel, time_ns, message.data, message.publish_time, message.sequence)

    def _other(self, record: McapRecord) -> None:
        """A closed file describes its channels twice; the second time says nothing new."""
        if isinstance(record, Schema) and record.id not in self._schemas:
            self._schemas[record.id] = self._writer.register_schema(record.name, record.encoding, record.data)
        elif isinstance(record, Channel) and record.id not in self._channels:
            schema = self._schemas.get(record.schema_id, 0)
            self._topics[record.id] = record.topic
            self._channels[record.id] = self._writer.register_channel(
                record.topic, record.message_encoding, schema, record.metadata
            )
        elif isinstance(record, Attachment):
            self._writer.add_attachment(
                record.create_time, record.log_time, record.name, record.media_type, record.data
            )
        elif isinstance(record, Metadata) and record.name == END:
            # It says how many ticks there are, which is known at the end.
            self._end = record
        elif isinstance(record, Metadata):
            self._writer.add_metadata(record.name, record.metadata)
