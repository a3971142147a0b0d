from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import cv2
import httpx
import numpy as np
import pytest

from app.cli.main import main
from app.web.access import Access
from app.web.label import LabelDesk, label_application
from control.errors import DatasetError
from control.messages import LineEstimate, LinePoint
from perception.dataset import LabelledPhoto, read_photos
from perception.dataset.card import DataSetCard
from perception.dataset.store import write_data_set
from perception.labelling.book import JOURNAL, LabelBook

TOKEN = "secret"


class Browser:
    """Speaks to the page's server without a socket."""

    def __init__(self, app: Any) -> None:
        self._app = app
        self.cookies = {"c": TOKEN}

    def ask(self, method: str, address: str, **more: Any) -> httpx.Response:
        async def asking() -> httpx.Response:
            transport = httpx.ASGITransport(app=self._app)
            async with httpx.AsyncClient(transport=transport, base_url="http://robot", cookies=self.cookies) as client:
                return await client.request(method, address, **more)

        return asyncio.run(asking())

    def get(self, address: str) -> httpx.Response:
        return self.ask("GET", address)

    def post(self, address: str, **more: Any) -> httpx.Response:
        """As a browser does, with the page's origin."""
        return self.ask("POST", address, **{"headers": {"origin": "http://robot"}, **more})


class Guesses:
    """Is the surer the brighter a picture is."""

    runs_on = "test"

    def estimate(self, image: np.ndarray) -> LineEstimate:
        points = (LinePoint(x=0.25, y=0.5, visible=1.0), LinePoint(x=0.5, y=0.0, visible=0.1))
        return LineEstimate(points=points, confidence=float(image.mean()) / 255)

    def close(self) -> None: ...


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    photos = []
    for i in range(3):
        path = tmp_path / f"{i}.png"
        cv2.imwrite(str(path), np.full((100, 200, 3), 80 * i + 20, np.uint8))
        photos.append(LabelledPhoto(path=path, raws=()))
    write_data_set(tmp_path / "set", photos, card=DataSetCard(target="line"))
    return tmp_path / "set"


def client(folder: Path) -> tuple[Browser, LabelDesk]:
    desk = LabelDesk(LabelBook(folder), Guesses())
    access = Access(token=TOKEN, cookie="c", hosts=("robot",))
    return Browser(label_application(desk, access)), desk


def test_a_label_is_on_disk_before_it_is_answered(folder: Path) -> None:
    page, _ = client(folder)
    assert page.post("/labels/1", json={"points": [[0.5, 0.0]], "no_line": False}).json() == {"done": 1}
    # As after a crash: nothing was saved, the book is opened anew.
    assert LabelBook(folder).points(1) == [(0.5, 0.0)]


def test_saving_puts_the_labels_into_the_table(folder: Path) -> None:
    book = LabelBook(folder)
    book.change(0, [(-0.5, 0.5), (0.0, 0.0)], no_line=False)
    book.change(2, [], no_line=True)
    book.save()
    assert not (folder / JOURNAL).exists()
    one, two, three = read_photos(folder)
    assert one.raws == ((50.0, 75.0), (100.0, 50.0))
    assert not two.is_labelled
    assert three.visible is False


def test_a_label_can_be_taken_away_again(folder: Path) -> None:
    book = LabelBook(folder)
    book.change(0, [(0.0, 0.0)], no_line=False)
    book.change(0, [], no_line=False)
    assert not LabelBook(folder).photos[0].is_labelled


def test_a_last_line_that_was_cut_off_spoils_nothing(folder: Path) -> None:
    LabelBook(folder).change(0, [(0.0, 0.0)], no_line=False)
    with (folder / JOURNAL).open("a") as stream:
        stream.write('{"file": "1.png", "poi')
    assert LabelBook(folder).done == 1


def test_the_guess_is_what_the_model_sees(folder: Path) -> None:
    page, _ = client(folder)
    assert page.get("/labels/0").json() == {"points": [], "no_line": False, "guess": [[0.25, 0.5]]}


def test_how_sure_the_model_is_is_told_when_it_is_known(folder: Path) -> None:
    page, desk = client(folder)
    desk.guess(1)
    confidences = [entry["confidence"] for entry in page.get("/pictures").json()]
    assert confidences[0] is None
    assert confidences[1] == pytest.approx(100 / 255)


@pytest.mark.parametrize(
    "body", ["[]", "x", '{"points": [[9, 0]], "no_line": false}', '{"points": [[1]], "no_line": 0}']
)
def test_nonsense_is_refused_and_changes_nothing(folder: Path, body: str) -> None:
    page, desk = client(folder)
    assert page.post("/labels/0", content=body).status_code == 400
    assert desk.book.done == 0
    assert page.get("/pictures/7").status_code == 400


def test_nobody_without_the_token_sees_a_picture(folder: Path) -> None:
    page, _ = client(folder)
    page.cookies.clear()
    assert page.get("/pictures/0").status_code == 403
    assert page.get(f"/?token={TOKEN}").status_code == 200


def test_another_site_may_not_label(folder: Path) -> None:
    page, desk = client(folder)
    said = {"points": [[0.0, 0.0]], "no_line": False}
    assert page.post("/labels/0", json=said, headers={"origin": "http://evil.example"}).status_code == 403
    assert desk.book.done == 0


def test_a_folder_that_is_no_data_set_is_refused_with_a_way_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(DatasetError, match="linepilot data import"):
        LabelBook(tmp_path)
    assert main(["label", str(tmp_path)]) == 2
    assert "data import" in capsys.readouterr().err
