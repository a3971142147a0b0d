"""The page's server, a process of its own: if it hangs or dies, the loop stops the wheels and nothing else suffers.

    python -m app.web.server LINE_FD LISTENER_FD

The first packet on the line holds the token, the names of the host, and what the page tells of the robot.
"""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
import time
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from app.web.access import Access, Gate
from app.web.hub import Hub
from app.web.lease import Allowance
from app.web.sessions_api import session_routes
from app.web.wire import MOST_BYTES as MOST_PACKET_BYTES
from app.web.wire import unpack
from app.web.wishes import MOST_BYTES, RefusedError, read_wish

_STATIC = Path(__file__).with_name("static")
_SCRIPTS = (
    "page.js", "stick.js", "video.js", "plots.js", "tuning.js", "views.js", "sessions.js", "player.js", "about.js",
    "collection.js",
)  # fmt: skip
_FILES = {
    "/": ("index.html", "text/html"), "/style.css": ("style.css", "text/css"),
    "/icon.svg": ("icon.svg", "image/svg+xml"),
    **{f"/{name}": (name, "text/javascript") for name in _SCRIPTS},
}  # fmt: skip
"""By their address, with their kind."""
_PER_S = 60.0
_NICE = 5
_SWITCH_S = 0.0005
_STATUS_S = 0.05
_SILENT_S = 0.5
"""Without news from the loop the status is told anew, so that a page sees that the server lives."""
_MOST_CONNECTIONS = 64
_PING_S = 5.0
_MOST_REFUSALS = 16
_LEFT = (WebSocketDisconnect, RuntimeError)
"""Starlette's words for a client that left while we sent."""
_POLICY, _TOO_MANY = 1008, "more than 60 messages a second"


def application(hub: Hub, access: Access, *, sessions: Path, about: dict[str, Any]) -> Gate:
    numbers = count(1)

    async def control(client: WebSocket) -> None:
        await client.accept()
        await _control(client, hub, who=f"page {next(numbers)}")

    async def video(client: WebSocket) -> None:
        await client.accept()
        await _video(client, hub)

    # One route for each file: there is no path to climb out of.
    files = [Route(path, _file(_STATIC / name, kind)) for path, (name, kind) in _FILES.items()]

    async def told(_: Request) -> Response:
        return JSONResponse(about)

    routes = [*files, Route("/about", told), *session_routes(sessions)]
    sockets = [WebSocketRoute("/control", control), WebSocketRoute("/video", video)]
    return Gate(Starlette(routes=[*routes, *sockets]), access)


def _file(path: Path, kind: str) -> Callable[[Request], Response]:
    content = path.read_bytes()
    return lambda _: Response(content, media_type=kind)


async def _control(client: WebSocket, hub: Hub, *, who: str) -> None:
    refusals: deque[str] = deque(maxlen=_MOST_REFUSALS)
    telling = asyncio.create_task(_tell(client, hub, refusals, who=who))
    try:
        await _listen(client, hub, refusals, who=who)
    finally:
        telling.cancel()
        # Not told to the loop: a driver whose page closes is a lost link, and the robot stops.
        hub.lease.leave(who)


async def _listen(client: WebSocket, hub: Hub, refusals: deque[str], *, who: str) -> None:
    """Never sends: a page that reads slowly must still be heard when it says stop."""
    async for message in _messages(client):
        try:
            hub.wish(who, read_wish(_text(message)))
        except RefusedError as refusal:
            refusals.append(str(refusal))


async def _messages(client: WebSocket) -> AsyncIterator[Any]:
    """Until the client leaves, or says too much."""
    allowance = Allowance(_PER_S, time.monotonic)
    while (message := await client.receive())["type"] != "websocket.disconnect":
        if not allowance.take():
            await client.close(_POLICY, _TOO_MANY)
            return
        yield message


def _text(message: Any) -> str:
    text = message.get("text")
    if not isinstance(text, str):
        raise RefusedError("bytes; send JSON as text")
    return text


async def _tell(client: WebSocket, hub: Hub, refusals: deque[str], *, who: str) -> None:
    """What changed of the status, at most 20 times a second, and what was refused; a slow client gets fewer."""
    number, known = 0, dict[str, Any]()
    with suppress(*_LEFT):
        await client.send_json({"you": who})
        while True:
            with suppress(asyncio.TimeoutError):
                await asyncio.wait_for(hub.status.newer_than(number), _SILENT_S)
            number = hub.status.number
            while refusals:
                await client.send_json({"refused": refusals.popleft()})
            status = hub.told()
            # The rest it knows: labels of knobs, said 20 times a second, would take a slow link from the pictures.
            await client.send_json(
                {name: value for name, value in status.items() if name not in known or known[name] != value}
            )
            known = status
            await asyncio.sleep(_STATUS_S)


async def _video(client: WebSocket, hub: Hub) -> None:
    """A picture for a message, newer than the last one: one in flight, so nothing queues up anywhere."""
    wanted = asyncio.Event()
    showing = asyncio.create_task(_show(client, hub, wanted))
    hub.viewers += 1
    try:
        async for _ in _messages(client):
            wanted.set()
    finally:
        hub.viewers -= 1
        showing.cancel()


async def _show(client: WebSocket, hub: Hub, wanted: asyncio.Event) -> None:
    number = 0
    with suppress(*_LEFT):
        while True:
            await wanted.wait()
            picture, number = await hub.picture.newer_than(number)
            # What was asked for meanwhile is answered by this one.
            wanted.clear()
            await client.send_bytes(picture)


async def _serve_until_ended(line: socket.socket, listener: socket.socket) -> None:
    settings, _ = unpack(line.recv(MOST_PACKET_BYTES))
    hub = Hub(line)
    hub.listen()
    config = uvicorn.Config(
        application(
            hub, Access(**settings["access"]), sessions=Path(settings["sessions"]), about=settings["about"]
        ),
        lifespan="off", log_config=None, access_log=False, server_header=False,
        proxy_headers=False, ws_max_size=MOST_BYTES, ws_per_message_deflate=False, ws_ping_interval=_PING_S,
        ws_ping_timeout=_PING_S, limit_concurrency=_MOST_CONNECTIONS, timeout_graceful_shutdown=1,
        ssl_certfile=settings["certificate"] or None,
    )  # fmt: skip
    server = uvicorn.Server(config)
    beating = asyncio.create_task(hub.beat())
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    ended = asyncio.create_task(hub.ended.wait())
    # A server that ends by itself beats no more either, and the loop notices.
    await asyncio.wait((ended, serving), return_when=asyncio.FIRST_COMPLETED)
    server.should_exit = True
    await serving
    beating.cancel()


def main() -> None:
    # ^C is for the loop; we end when it closes the line.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # Many viewers may cost pictures, but not the loop its time.
    os.nice(_NICE)
    # Threads that read sessions must let the sockets of whoever drives go on at once.
    sys.setswitchinterval(_SWITCH_S)
    line, listener = (socket.socket(fileno=int(number)) for number in sys.argv[1:3])
    asyncio.run(_serve_until_ended(line, listener))


if __name__ == "__main__":
    main()
