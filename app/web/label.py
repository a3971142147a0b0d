"""The label page's server: pictures, the model's guess, and labels that are on disk before they are answered."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from threading import Lock, Thread
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from app.web.access import Access, Gate
from control.errors import DatasetError, InputError
from control.messages import LineEstimate
from perception.dataset.photos import read_picture
from perception.estimator import Estimator
from perception.labelling.book import LabelBook

_STATIC = Path(__file__).with_name("static")
_FILES = {
    "/": ("label.html", "text/html"), "/label.css": ("label.css", "text/css"),
    "/label.js": ("label.js", "text/javascript"),
}  # fmt: skip
_MOST_BYTES = 10_000


class LabelDesk:
    """One book, one model; requests come from several threads and people."""

    def __init__(self, book: LabelBook, estimator: Estimator) -> None:
        self.book = book
        self._estimator, self._lock = estimator, Lock()
        self._guesses: dict[int, LineEstimate] = {}
        self._ended = False

    def start(self) -> None:
        """Guess all pictures while people look at the first, so that the least sure can come first."""
        Thread(target=self._guess_all, daemon=True).start()

    def end(self) -> None:
        self._ended = True

    def guess(self, index: int) -> LineEstimate:
        with self._lock:
            if index not in self._guesses:
                self._guesses[index] = self._estimator.estimate(read_picture(self.book.photos[index].path))
            return self._guesses[index]

    def state(self) -> list[dict[str, Any]]:
        guesses = dict(self._guesses)
        return [
            {"file": photo.path.name, "session": photo.session, "done": photo.is_labelled,
             "no_line": photo.visible is False, "confidence": guesses[i].confidence if i in guesses else None}
            for i, photo in enumerate(self.book.photos)
        ]  # fmt: skip

    def _guess_all(self) -> None:
        for index in range(len(self.book.photos)):
            if self._ended:
                return
            try:
                self.guess(index)
            except DatasetError:
                continue  # the page shows which picture cannot be read when it comes to it


def label_application(desk: LabelDesk, access: Access) -> Gate:
    def index_of(request: Request) -> int:
        index = int(request.path_params["index"])
        if index >= len(desk.book.photos):
            raise InputError("no such picture")
        return index

    def listing(_: Request) -> Response:
        return JSONResponse(desk.state())

    def picture(request: Request) -> Response:
        path = desk.book.photos[index_of(request)].path
        kind = "image/png" if path.suffix.lower() == ".png" else "image/jpeg"
        return Response(path.read_bytes(), media_type=kind)

    def label(request: Request) -> Response:
        index = index_of(request)
        seen = [(p.x, p.y) for p in desk.guess(index).points if p.visible >= 0.5]
        no_line = desk.book.photos[index].visible is False
        return JSONResponse({"points": desk.book.points(index), "no_line": no_line, "guess": seen})

    async def change(request: Request) -> Response:
        index = index_of(request)
        body = await request.body()
        try:
            said = json.loads(body[:_MOST_BYTES])
            points = [(float(x), float(y)) for x, y in said["points"]]
            desk.book.change(index, points, no_line=bool(said["no_line"]))
        except (ValueError, KeyError, TypeError) as error:
            raise InputError("expected points and no_line") from error
        return JSONResponse({"done": desk.book.done})

    routes = [
        Route("/pictures", listing), Route("/pictures/{index:int}", picture), Route("/labels/{index:int}", label),
        Route("/labels/{index:int}", change, methods=["POST"]),
    ]  # fmt: skip
    files = [Route(path, _file(_STATIC / name, kind)) for path, (name, kind) in _FILES.items()]
    refusals = {InputError: _refused, DatasetError: _refused}
    return Gate(Starlette(routes=[*routes, *files], exception_handlers=refusals), access)


def _refused(_: Request, error: Exception) -> Response:
    return PlainTextResponse(str(error), status_code=400)


def _file(path: Path, kind: str) -> Callable[[Request], Response]:
    content = path.read_bytes()
    return lambda _: Response(content, media_type=kind)
