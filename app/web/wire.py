"""What goes between the loop's process and the page's: whole packets over a socket pair, newest only."""

from __future__ import annotations

import errno
import json
import socket
import struct
from typing import Any

MOST_BYTES = 1 << 20
"""No packet is larger; the kernel's own limit is often lower."""
_LENGTH = struct.Struct("<I")
_BUFFER_BYTES = 1 << 20
_FULL = (errno.EMSGSIZE, errno.ENOBUFS)


def line_pair() -> tuple[socket.socket, socket.socket]:
    """Two ends; what one cannot take at once is dropped by whoever sends."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    for end in (ours, theirs):
        end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _BUFFER_BYTES)
    return ours, theirs


def pack(head: dict[str, Any], body: bytes = b"") -> bytes:
    """Length of the head, the head as JSON, the body. Raises ValueError for a number that JSON does not know."""
    text = json.dumps(head, allow_nan=False, separators=(",", ":")).encode()
    return _LENGTH.pack(len(text)) + text + body


def unpack(packet: bytes) -> tuple[dict[str, Any], bytes]:
    (length,) = _LENGTH.unpack_from(packet)
    start = _LENGTH.size
    head: dict[str, Any] = json.loads(packet[start : start + length])
    return head, packet[start + length :]


def send(line: socket.socket, packet: bytes) -> bool:
    """Never waits; False when the other end does not keep up, or the packet is too large. Raises OSError when gone."""
    try:
        line.send(packet, socket.MSG_DONTWAIT)
    except BlockingIOError:
        return False
    except OSError as error:
        if error.errno in _FULL:
            return False
        raise
    return True
