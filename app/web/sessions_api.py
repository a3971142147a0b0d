"""Requests about recorded sessions. Reading is done by threads, so that the sockets of whoever drives go on."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from app.web.wire import pack
from app.web.wishes import MOST_BYTES
from control.errors import LinepilotError

if TYPE_CHECKING:
    from app.web.library import Library

_Endpoint = Callable[[Request], Awaitable[Response]]
_NOT_FOUND, _REFUSED = 404, 422


class _BadRequestError(Exception):
    pass


def session_routes(folder: Path) -> list[Route]:
    """Nothing is changed by a GET; a POST is checked for its origin before it comes here."""
    shelf = _Shelf(folder)
    return [
        Route("/sessions", _answering(shelf.list)),
        Route("/sessions/{name}", _answering(shelf.outline)),
        Route("/sessions/{name}/thumbnail", _answering(shelf.thumbnail)),
        Route("/sessions/{name}/file", _answering(shelf.file)),
        Route("/sessions/{name}/pictures/{number:int}", _answering(shelf.picture)),
        Route("/sessions/{name}/trim", _answering(shelf.trim), methods=["POST"]),
        Route("/sessions/{name}/repair", _answering(shelf.repair), methods=["POST"]),
    ]


def _answering(endpoint: _Endpoint) -> _Endpoint:
    """Refusals become answers, here only."""

    async def answer(request: Request) -> Response:
        from app.web.library import UnknownSessionError

        try:
            return await endpoint(request)
        except UnknownSessionError:
            return PlainTextResponse("no session of that name\n", status_code=_NOT_FOUND)
        except (LinepilotError, _BadRequestError) as error:
            return PlainTextResponse(f"{error}\n", status_code=_REFUSED)
        except OSError as error:
            # Taken away, or made unreadable, while we looked.
            return PlainTextResponse(f"it cannot be read ({error.strerror})\n", status_code=_REFUSED)

    return answer


class _Shelf:
    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._library: Library | None = None

    def _books(self) -> Library:
        """What reads sessions is loaded with the first question: until then the page shall be there quickly."""
        if self._library is None:
            from app.web.library import Library

            self._library = Library(self._folder)
        return self._library

    async def list(self, _: Request) -> Response:
        return JSONResponse(await run_in_threadpool(lambda: self._books().list()))

    async def outline(self, request: Request) -> Response:
        return JSONResponse(await run_in_threadpool(lambda: self._books().outline(_name(request))))

    async def thumbnail(self, request: Request) -> Response:
        jpeg = await run_in_threadpool(lambda: self._books().thumbnail(_name(request)))
        return Response(jpeg, media_type="image/jpeg") if jpeg else Response(status_code=_NOT_FOUND)

    async def file(self, request: Request) -> Response:
        path = await run_in_threadpool(lambda: self._books().path(_name(request)))
        return FileResponse(path, media_type="application/octet-stream", filename=path.name)

    async def picture(self, request: Request) -> Response:
        number = request.path_params["number"]
        head, jpeg = await run_in_threadpool(lambda: self._books().picture(_name(request), number))
        return Response(pack(head, jpeg), media_type="application/octet-stream")

    async def trim(self, request: Request) -> Response:
        asked = await _asked(request, "from_s", "to_s")
        made = await run_in_threadpool(
            lambda: self._books().trim(_name(request), from_s=asked["from_s"], to_s=asked["to_s"])
        )
        return JSONResponse({"name": made})

    async def repair(self, request: Request) -> Response:
        await _asked(request)
        return JSONResponse({"name": await run_in_threadpool(lambda: self._books().repair(_name(request)))})


def _name(request: Request) -> str:
    return str(request.path_params["name"])


async def _asked(request: Request, *fields: str) -> dict[str, float]:
    """Raises _BadRequestError unless it is JSON with just these numbers."""
    if request.headers.get("content-type") != "application/json":
        raise _BadRequestError("send JSON, with that content type")
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > MOST_BYTES:
            raise _BadRequestError(f"more than {MOST_BYTES} bytes")
    try:
        asked: Any = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise _BadRequestError("not JSON") from error
    if not isinstance(asked, dict) or set(asked) != set(fields):
        raise _BadRequestError(f"takes {', '.join(fields) or 'an empty object'}")
    for name, value in asked.items():
        if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < 1e9 or not isfinite(value):
            raise _BadRequestError(f"{name} must be a finite number")
    return asked
