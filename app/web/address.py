"""Where the page is served: loopback unless a host is named; the listening socket, and the address to open."""

from __future__ import annotations

import secrets
import socket
from dataclasses import dataclass

from control.errors import InputError

PORT = 8420
_WAITING_BYTES = 16 * 1024
"""That the kernel takes of what a link cannot carry yet: behind a slow one nothing grows old in a queue."""
_LOOPBACK = ("127.0.0.1", "localhost", "::1")
_EVERYWHERE = ("0.0.0.0", "::")
_WARNING = (
    "warning: everybody in the network of {host} who has this address may drive the robot, and nothing is encrypted; "
    "safer from elsewhere: ssh -L {port}:127.0.0.1:{port} {name}, without --web-host"
)
_WARNING_HTTPS = (
    "warning: everybody in the network of {host} who has this address may drive the robot; the browser does not know "
    "the certificate and asks once"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Knows the token, so it is not for logs."""

    host: str
    port: int
    token: str
    https: bool = False

    @property
    def scheme(self) -> str:
        return "https" if self.https else "http"

    @property
    def url(self) -> str:
        host = _outward_address() if self.host in _EVERYWHERE else self.host
        return f"{self.scheme}://{f'[{host}]' if ':' in host else host}:{self.port}/?token={self.token}"

    @property
    def warning(self) -> str:
        """Empty on loopback, which only this computer reaches."""
        if self.host in _LOOPBACK:
            return ""
        if self.https:
            return _WARNING_HTTPS.format(host=self.host)
        return _WARNING.format(host=self.host, port=self.port, name=socket.gethostname())

    def access(self) -> dict[str, object]:
        """For ``access.Access``."""
        name = socket.gethostname().lower()
        lan = self.host not in _LOOPBACK
        hosts = [*_LOOPBACK, *((self.host.lower(), name, f"{name}.local") if lan else ())]
        return {
            "token": self.token, "cookie": f"linepilot_{self.port}", "hosts": hosts, "any_address": lan,
            "scheme": self.scheme,
        }  # fmt: skip


def listen(host: str, port: int, *, https: bool = False) -> tuple[socket.socket, Address]:
    """``port`` 0 takes a free one. Raises InputError when it cannot be had."""
    try:
        (family, *_, place), *_ = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        listener = socket.socket(family, socket.SOCK_STREAM)
    except OSError as error:
        raise InputError(f"--web-host {host}: {error.strerror}; give an address of this computer") from error
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        # Each connection inherits it.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, _WAITING_BYTES)
        listener.bind(place)
        listener.listen()
    except OSError as error:
        listener.close()
        raise InputError(
            f"--web-host {host} --web-port {port}: {error.strerror}; give another --web-port, "
            "or an address of this computer"
        ) from error
    return listener, Address(host=host, port=listener.getsockname()[1], token=secrets.token_urlsafe(16), https=https)


def _outward_address() -> str:
    """Of the interface that leads out of here. Nothing is sent: UDP only looks up the route."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:
            return "127.0.0.1"
        return str(probe.getsockname()[0])
