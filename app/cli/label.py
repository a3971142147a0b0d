"""``linepilot label``: label a data set by click in a browser, with the model's guess already placed."""

from __future__ import annotations

import secrets
import socket
from pathlib import Path

from app.cli.options import count, parser
from control.errors import ConfigError, InputError, MissingExtraError
from perception.engines import open_engine
from perception.labelling.book import LabelBook
from robot.drive.pilots import SHIPPED_MODEL

_PORT = 8421


def run(arguments: list[str]) -> int:
    options = parser(
        "label",
        what="Serve a page to label a data set (see linepilot data import): click or keys, undo, no line, the model's\n"
        "guess already placed, least sure first. Each label is on disk at once; ^C ends it. On this machine only;\n"
        "from elsewhere through ssh -L.",
        example="linepilot label data/track",
    )
    add = options.add_argument
    add("folder", type=Path)
    add("--model", default=str(SHIPPED_MODEL), help="whose guesses are placed; default: as shipped")
    add("--port", type=count, default=_PORT, metavar="N", help=f"default: {_PORT}")
    chosen = options.parse(arguments)
    if chosen.port > 65_535:
        raise ConfigError(f"--port: up to 65535, got {chosen.port}")
    book = LabelBook(chosen.folder)
    estimator = open_engine(chosen.model, target="line")
    try:
        import uvicorn

        from app.web.access import LOOPBACK, Access
        from app.web.label import LabelDesk, label_application
    except ImportError as error:
        raise MissingExtraError(error.name or "starlette", extra="web", purpose="the label page") from error
    desk = LabelDesk(book, estimator)
    token = secrets.token_urlsafe(16)
    access = Access(token=token, cookie=f"linepilot-label-{chosen.port}", hosts=LOOPBACK)
    listener = _listener(chosen.port)
    print(f"label: http://127.0.0.1:{chosen.port}/?token={token}", flush=True)
    print(f"{book.done} of {len(book.photos)} are labelled; ^C when done", flush=True)
    desk.start()
    server = uvicorn.Server(uvicorn.Config(label_application(desk, access), log_level="warning", ws="none"))
    try:
        server.run(sockets=[listener])
    except KeyboardInterrupt:
        pass  # uvicorn ends in order and then raises it again; ending is what was wanted
    finally:
        desk.end()
        listener.close()
        book.save()
    print(f"{chosen.folder}: {book.done} of {len(book.photos)} are labelled")
    print(f"next: linepilot train --data {chosen.folder} --out runs/{chosen.folder.name}")
    return 0


def _listener(port: int) -> socket.socket:
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(("127.0.0.1", port))
    except OSError as error:
        listener.close()
        raise InputError(f"port {port}: {error.strerror}; choose another with --port") from error
    return listener
