"""Who may speak to the page's server: the token, the Host allow-list and the Origin, checked before anything else."""

from __future__ import annotations

import hmac
from collections.abc import Collection
from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import parse_qs

from starlette.datastructures import Headers
from starlette.requests import cookie_parser
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

LOOPBACK = ("127.0.0.1", "localhost", "::1")
_ENTRY = "/"
"""Only here the token may stand in the address; from then on it comes in a cookie."""
_NO_TOKEN = "Open the whole address that linepilot printed, with its token.\n"
_WRONG_HOST = "This robot is not known by that name.\n"
_WRONG_ORIGIN = "A page of another site may not steer this robot.\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    token: str
    cookie: str
    """Its name: browsers tell apart hosts, not ports."""
    hosts: Collection[str]
    """Names that are ours, without port: through an SSH tunnel it is another one."""
    scheme: str = "http"
    any_address: bool = False
    """In a network every IP address may be ours; a site that lures us (DNS rebinding) has a name."""

    def refusal(self, scope: Scope) -> str:
        """Why this request is refused; empty when it is not."""
        headers = Headers(scope=scope)
        host = headers.get("host", "")
        if not self._is_ours(host):
            return _WRONG_HOST
        origin = headers.get("origin")
        # A browser names the origin of each socket and of all that changes something; of what only asks it may not.
        asks = scope["type"] == "http" and scope["method"] in ("GET", "HEAD")
        if origin != f"{self.scheme}://{host}" and (origin is not None or not asks):
            return _WRONG_ORIGIN
        return "" if self._knows_token(scope, headers) else _NO_TOKEN

    def token_in_address(self, scope: Scope) -> bool:
        given = parse_qs(scope.get("query_string", b"").decode("latin-1")).get("token", [""])[0]
        return scope["type"] == "http" and scope["path"] == _ENTRY and self._is_token(given)

    @property
    def set_cookie(self) -> str:
        secure = "; Secure" if self.scheme == "https" else ""
        return f"{self.cookie}={self.token}; Path=/; HttpOnly; SameSite=Strict{secure}"

    def _knows_token(self, scope: Scope, headers: Headers) -> bool:
        given = cookie_parser(headers.get("cookie", "")).get(self.cookie, "")
        return self._is_token(given) or self.token_in_address(scope)

    def _is_token(self, given: str) -> bool:
        return hmac.compare_digest(given.encode(), self.token.encode())

    def _is_ours(self, host: str) -> bool:
        name = _without_port(host)
        if name in self.hosts:
            return True
        return self.any_address and _is_address(name)


def _without_port(host: str) -> str:
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0].lower()


def _is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True


class Gate:
    """ASGI: nothing behind it is reached without access, and every answer carries the headers that browsers heed."""

    def __init__(self, app: ASGIApp, access: Access) -> None:
        self._app, self._access = app, access

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            return
        refusal = self._access.refusal(scope)
        if not refusal:
            await self._app(scope, receive, _with_headers(send, self._headers(scope)))
        elif scope["type"] == "websocket":
            # Before it is accepted: the client is told 403.
            await send({"type": "websocket.close", "code": 1008, "reason": refusal.strip()})
        else:
            await PlainTextResponse(refusal, status_code=403)(scope, receive, send)

    def _headers(self, scope: Scope) -> list[tuple[bytes, bytes]]:
        host = Headers(scope=scope).get("host", "")
        socket = "wss" if self._access.scheme == "https" else "ws"
        policy = (
            f"default-src 'self'; connect-src 'self' {socket}://{host}; img-src 'self' blob: data:; "
            "frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
        )
        headers = {
            "content-security-policy": policy, "x-content-type-options": "nosniff", "referrer-policy": "no-referrer",
            "cache-control": "no-store",
        }  # fmt: skip
        if self._access.token_in_address(scope):
            headers["set-cookie"] = self._access.set_cookie
        return [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]


def _with_headers(send: Send, headers: list[tuple[bytes, bytes]]) -> Send:
    async def sending(message: dict[str, object]) -> None:
        if message["type"] == "http.response.start":
            message = {**message, "headers": [*message.get("headers", []), *headers]}  # type: ignore[misc]
        await send(message)

    return sending  # type: ignore[return-value]
