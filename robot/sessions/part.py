"""One MCAP file that is being written: whole chunks only, also when the disk is full or the process is killed."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from mcap.well_known import MessageEncoding
from mcap.writer import LIBRARY_IDENTIFIER, CompressionType, Writer
from mcap_protobuf.schema import register_schema

from robot.sessions.header import BEGIN, END, MEASURED, SCENE, SETTINGS, SessionHeader
from robot.sessions.schema import TRUTH, TYPES, VERSION

CHUNK_BYTES = 256 * 1024
"""A damaged byte costs its chunk: a second of driving, or less."""


class _Output:
    """Unbuffered, so that what is written is the kernel's, and survives the process."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644)
        self._at = 0

    def write(self, data: bytes) -> int:
        """All of it or nothing: the library writes whole records, and half of one would look like damage."""
        rest = memoryview(data)
        try:
            while rest:
                rest = rest[os.write(self._file, rest) :]
        except OSError:
            # A disk that does not even do this leaves half a record, which readers pass over.
            with suppress(OSError):
                os.ftruncate(self._file, self._at)
            raise
        self._at += len(data)
        return len(data)

    def tell(self) -> int:
        return self._at

    def flush(self) -> None:
        """Nothing is held back."""

    def sync(self) -> None:
        os.fdatasync(self._file)

    def room_bytes(self) -> int:
        """That an ordinary user may still write."""
        disk = os.fstatvfs(self._file)
        return disk.f_bavail * disk.f_frsize

    def close(self) -> None:
        os.close(self._file)


class Part:
    """Not compressed: pictures are already, and the rest weighs little. Raises OSError from every method."""

    def __init__(self, path: Path, *, header: SessionHeader, started_ns: int, number: int) -> None:
        self.path = path
        self._output = _Output(path)
        # Typed as IO, of which it uses write, tell and flush.
        output: Any = self._output
        self._writer = Writer(output, chunk_size=CHUNK_BYTES, compression=CompressionType.NONE)
        self._channels: dict[str, int] = {}
        self._unflushed_bytes = 0
        self._closed = False
        self.has_ticks = False
        """Whether anything but the head is in the file."""
        try:
            self._begin(header, started_ns=started_ns, number=number)
        except OSError:
            # Not even its head found room: an empty file helps nobody.
            self.give_up()
            path.unlink(missing_ok=True)
            raise

    def _begin(self, header: SessionHeader, *, started_ns: int, number: int) -> None:
        self._writer.start(library=f"linepilot, {LIBRARY_IDENTIFIER}")
        facts = {"version": VERSION, "started": header.started.isoformat(timespec="seconds"), "part": str(number)}
        self._writer.add_metadata(BEGIN, {**facts, **{name: str(value) for name, value in header.facts.items()}})
        for name, kind, text in (
            (SETTINGS, "yaml", header.settings_yaml), (MEASURED, "yaml", header.calibration_yaml),
            (SCENE, "json", header.scene_json),
        ):  # fmt: skip
            if text:
                self._writer.add_attachment(started_ns, started_ns, name, f"application/{kind}", text.encode())
        # All in the first chunk, so that later ones can be read whatever is missing between.
        for topic in TYPES:
            if topic != TRUTH:
                self._register(topic)

    def _register(self, topic: str) -> int:
        schema = register_schema(self._writer, TYPES[topic])
        encoding = MessageEncoding.Protobuf
        self._channels[topic] = number = self._writer.register_channel(topic, encoding, schema)
        return number

    @property
    def size_bytes(self) -> int:
        return self._output.tell() + self._unflushed_bytes

    def add(self, topic: str, message: Any, *, time_ns: int, published_ns: int, sequence: int) -> None:
        number = self._channels.get(topic) or self._register(topic)
        data: bytes = message.SerializeToString()
        self._unflushed_bytes += len(data)
        self._writer.add_message(number, time_ns, data, published_ns, sequence)

    def flush(self) -> None:
        """Everything until now to the kernel, then to the disk."""
        self._writer.flush()
        self.has_ticks = self.has_ticks or self._unflushed_bytes > 0
        self._unflushed_bytes = 0
        self._output.sync()

    def room_bytes(self) -> int:
        return self._output.room_bytes()

    def finish(self, end: Mapping[str, str]) -> None:
        """With index and footer."""
        self.flush()
        self._writer.add_metadata(END, dict(end))
        self._writer.finish()
        self._output.sync()
        self._close()

    def give_up(self) -> None:
        """What is written stays: readable, but without an index, as after a kill. Works twice, and after finish."""
        if not self._closed:
            self._close()

    def _close(self) -> None:
        self._closed = True
        self._output.close()
