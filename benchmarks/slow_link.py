"""A link of few bytes a second and some delay each way, in front of a server of this computer."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

_PACKET_BYTES = 1460
_BUFFER_BYTES = 4096
"""Little: what the link cannot carry yet shall wait where it would on a real one, at the sender."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    bytes_per_s: float
    """All connections share it; each way has as much."""
    delay_s: float
    """Each way."""


class _Way:
    def __init__(self, link: Link) -> None:
        self._link, self._free_s = link, 0.0

    async def carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        loop = asyncio.get_running_loop()
        while data := await reader.read(_PACKET_BYTES):
            self._free_s = max(loop.time(), self._free_s) + len(data) / self._link.bytes_per_s
            await asyncio.sleep(self._free_s - loop.time())
            loop.call_later(self._link.delay_s, _write, writer, data)
        writer.close()


def _write(writer: asyncio.StreamWriter, data: bytes) -> None:
    if not writer.is_closing():
        writer.write(data)


@asynccontextmanager
async def slow_link(port: int, link: Link) -> AsyncIterator[int]:
    """The port to connect to in place of ``port``."""
    up, down = _Way(link), _Way(link)

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        bare = socket.socket()
        bare.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER_BYTES)
        bare.setblocking(False)
        await asyncio.get_running_loop().sock_connect(bare, ("127.0.0.1", port))
        from_server, to_server = await asyncio.open_connection(sock=bare, limit=_BUFFER_BYTES)
        with suppress(ConnectionError):
            await asyncio.gather(up.carry(reader, to_server), down.carry(from_server, writer))

    server = await asyncio.start_server(connected, "127.0.0.1", 0, limit=_BUFFER_BYTES)
    async with server:
        yield int(server.sockets[0].getsockname()[1])
