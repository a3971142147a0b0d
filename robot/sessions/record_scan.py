"""Walks through the records of an MCAP file as far as they are whole, past those that are not, and says which.

The library's own readers stop at the first trouble, with errors of many kinds.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

from mcap.data_stream import ReadDataStream
from mcap.exceptions import McapError
from mcap.opcode import Opcode
from mcap.records import Attachment, Channel, Chunk, McapRecord, Message, Metadata, Schema
from mcap.stream_reader import breakup_chunk
from mcap.writer import MCAP0_MAGIC
from zstandard import ZstdError

from control.errors import SessionError

_HEADER = struct.Struct("<BQ")
_CHUNK = struct.Struct("<QQQII")
"""Times, uncompressed size, its checksum, length of the compression's name."""
_LARGEST_CHUNK = 256 * 1024 * 1024
_BLOCK = 1024 * 1024
_TAIL_BYTES = _HEADER.size + 20 + len(MCAP0_MAGIC)
"""Footer and magic."""
_TROUBLE = (McapError, ZstdError, ValueError, RuntimeError, struct.error, OverflowError)
"""What the library raises for bytes that are not what they should be."""


class RecordScan:
    """Iterate once; ``damage`` and ``is_closed`` are known after it. Raises SessionError when it is no MCAP file."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.damage: list[str] = []
        """What could not be read, for people."""
        self.is_closed = False
        """Whether the writer came to its end; otherwise it was killed, or its disk was full."""

    def __iter__(self) -> Iterator[McapRecord]:
        """Schema, Channel, Message, Attachment and Metadata; those inside of chunks, too."""
        try:
            if self.path.is_fifo():
                raise SessionError(f"{self.path}: is a pipe; write the session to a file first")
            with self.path.open("rb") as file:
                size = file.seek(0, 2)
                self._check_magic(file, size)
                yield from self._summary(file, size)
                yield from self._records(file, size)
        except OSError as error:
            raise SessionError(f"{self.path}: cannot be read ({error.strerror}); name a session file") from error

    def _check_magic(self, file: BinaryIO, size: int) -> None:
        file.seek(0)
        if file.read(len(MCAP0_MAGIC)) != MCAP0_MAGIC:
            what = "is empty" if not size else "is no MCAP file"
            raise SessionError(f"{self.path}: {what}; name a file that `linepilot drive --record` wrote")

    def _summary(self, file: BinaryIO, size: int) -> Iterator[McapRecord]:
        """The descriptions of the channels, which a closed file repeats at its end: the first chunk may be damaged."""
        file.seek(max(0, size - _TAIL_BYTES))
        tail = file.read()
        if len(tail) < _TAIL_BYTES or not tail.endswith(MCAP0_MAGIC) or tail[0] != Opcode.FOOTER:
            return
        (at,) = struct.unpack_from("<Q", tail, _HEADER.size)
        while len(MCAP0_MAGIC) <= at < size - _TAIL_BYTES:
            file.seek(at)
            code, length = _HEADER.unpack(file.read(_HEADER.size))
            if code not in (Opcode.SCHEMA, Opcode.CHANNEL) or at + length > size:
                return
            yield from self._parsed(code, file, length, at)
            at += _HEADER.size + length

    def _records(self, file: BinaryIO, size: int) -> Iterator[McapRecord]:
        at = len(MCAP0_MAGIC)
        while at < size:
            file.seek(at)
            head = file.read(_HEADER.size)
            code, length = _HEADER.unpack(head) if len(head) == _HEADER.size else (0, size)
            end = at + _HEADER.size + length
            if end > size or not _known(code):
                # A length that is wrong, or a tail that was never written: go on where the next whole chunk begins.
                found = self._next_chunk(file, at + 1, size)
                self.damage.append(f"{(found or size) - at} bytes at {at} are not readable")
                if found is None:
                    return
                at = found
                continue
            if code == Opcode.DATA_END:
                # What follows repeats what was read, but for the last bytes, which say that the file is whole.
                file.seek(size - len(MCAP0_MAGIC))
                self.is_closed = file.read() == MCAP0_MAGIC
                return
            yield from self._parsed(code, file, length, at)
            at = end

    def _parsed(self, code: int, file: BinaryIO, length: int, at: int) -> list[McapRecord]:
        if code != Opcode.MESSAGE and code not in _READ:
            return []
        data = file.read(length)
        stream = ReadDataStream(BytesIO(data))
        try:
            if code == Opcode.CHUNK:
                return _broken_up(Chunk.read(stream))
            if code == Opcode.ATTACHMENT:
                _check_attachment(data)
            return [Message.read(stream, length) if code == Opcode.MESSAGE else _READ[code](stream)]
        except _TROUBLE as error:
            why = " ".join(str(error).split()) or type(error).__name__
            self.damage.append(f"the {Opcode(code).name.lower()} at {at} is damaged ({why})")
            return []

    def _next_chunk(self, file: BinaryIO, at: int, size: int) -> int | None:
        """Where the next uncompressed chunk with a true checksum begins."""
        fixed = _HEADER.size + _CHUNK.size + 8
        while at + fixed <= size:
            file.seek(at)
            block = file.read(_BLOCK + fixed)
            place = block.find(bytes((Opcode.CHUNK,)))
            while 0 <= place < _BLOCK:
                if self._is_chunk(file, block[place : place + fixed], at + place, size):
                    return at + place
                place = block.find(bytes((Opcode.CHUNK,)), place + 1)
            at += _BLOCK
        return None

    def _is_chunk(self, file: BinaryIO, head: bytes, at: int, size: int) -> bool:
        if len(head) < _HEADER.size + _CHUNK.size + 8:
            return False
        _, length = _HEADER.unpack_from(head)
        _, _, bytes_inside, checksum, name_length = _CHUNK.unpack_from(head, _HEADER.size)
        if name_length or length != _CHUNK.size + 8 + bytes_inside or at + _HEADER.size + length > size:
            return False
        file.seek(at + len(head))
        found: int = zlib.crc32(file.read(bytes_inside))
        return found == int(checksum)


_READ: dict[int, Callable[[ReadDataStream], McapRecord]] = {
    Opcode.SCHEMA: Schema.read, Opcode.CHANNEL: Channel.read, Opcode.CHUNK: Chunk.read,
    Opcode.ATTACHMENT: Attachment.read, Opcode.METADATA: Metadata.read,
}  # fmt: skip


def _known(code: int) -> bool:
    return Opcode.HEADER <= code <= Opcode.DATA_END


def _check_attachment(data: bytes) -> None:
    """The library's reader passes over its checksum."""
    checksum = int.from_bytes(data[-4:], "little")
    if checksum and zlib.crc32(data[:-4]) != checksum:
        raise ValueError("its checksum is another")


def _broken_up(chunk: Chunk) -> list[McapRecord]:
    if chunk.uncompressed_size > _LARGEST_CHUNK:
        raise ValueError(f"says that it holds {chunk.uncompressed_size} bytes")
    return breakup_chunk(chunk, validate_crc=True)
