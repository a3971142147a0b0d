"""Recorded sessions asked for over the wire: only by their own names, changed only by a POST of our own page."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from web_stand import CONFIG, Place, driven

from app.cli.main import main
from app.web.tuned_file import save_tuned
from robot.config import load_config


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    above = tmp_path_factory.mktemp("above")
    folder = above / "sessions"
    drive = ["drive", "--track", "oval", "model=classical", "--picture", str(above / "drive.png")]
    assert main([*drive, "--record", str(folder / "lap.mcap")]) == 0
    whole = (folder / "lap.mcap").read_bytes()
    (above / "secret.mcap").write_bytes(whole)
    (folder / "link.mcap").symlink_to(above / "secret.mcap")
    (folder / "garbage.mcap").write_bytes(b"\x89MCAP0\r\n" + bytes(range(256)) * 40)
    return folder


@pytest.fixture(scope="module")
def place(folder: Path) -> Iterator[Place]:
    with driven(folder=folder) as stand:
        yield stand.place


def ask(place: Place, path: str, method: str = "GET", **options: Any) -> httpx.Response:
    headers = {"Cookie": place.cookie, "Origin": f"http://{place.host}", **options.pop("headers", {})}
    return httpx.request(method, f"http://{place.host}{path}", headers=headers, timeout=60, **options)


def test_sessions_are_listed_with_their_state_and_no_link_is_followed(place: Place) -> None:
    rows = {row["name"]: row for row in ask(place, "/sessions").json()}
    assert set(rows) == {"lap.mcap", "garbage.mcap"}
    assert rows["lap.mcap"]["state"] == "whole"
    assert rows["garbage.mcap"]["pictures"] == 0


def test_a_picture_comes_as_it_was_recorded_with_what_is_drawn_on_it(place: Place) -> None:
    outline = ask(place, "/sessions/lap.mcap").json()
    assert outline["pictures"] == len(outline["curves"]["t"]) > 100
    packet = ask(place, f"/sessions/lap.mcap/pictures/{outline['pictures'] - 1}").content
    (length,) = struct.unpack_from("<I", packet)
    assert packet[4 + length :].startswith(b"\xff\xd8")
    assert b'"line"' in packet[: 4 + length]


@pytest.mark.parametrize(
    "name",
    [
        "link.mcap", "nothing.mcap", "..%2fsecret.mcap", "%2e%2e%2fsecret.mcap", "secret.mcap", "%00", "lap.mcap%00",
        "*.mcap",
    ],
)  # fmt: skip
@pytest.mark.parametrize("what", ["", "/file", "/thumbnail", "/pictures/0"])
def test_a_name_that_is_not_in_the_folder_is_not_found(place: Place, name: str, what: str) -> None:
    assert ask(place, f"/sessions/{name}{what}").status_code == 404


@pytest.mark.parametrize("path", ["/sessions/garbage.mcap", "/sessions/lap.mcap/pictures/999999"])
def test_what_cannot_be_read_is_told_in_one_line(place: Place, path: str) -> None:
    answer = ask(place, path)
    assert answer.status_code == 422
    assert answer.text.count("\n") == 1
    assert "Traceback" not in answer.text


BAD_TRIMS: list[dict[str, Any]] = [
    {"content": b"{}", "headers": {"Content-Type": "text/plain"}},
    {"content": b"{"},
    {"content": b'{"from_s": NaN, "to_s": 1}'},
    {"content": b'{"from_s": "0", "to_s": 1}'},
    {"content": b'{"from_s": true, "to_s": 1}'},
    {"content": b'{"from_s": 2, "to_s": 1}'},
    {"content": b'{"from_s": 900, "to_s": 901}'},
    {"content": b'{"from_s": 0}'},
    {"content": b"[" * 100_000},
]


@pytest.mark.parametrize("bad", BAD_TRIMS, ids=[str(number) for number in range(len(BAD_TRIMS))])
def test_a_bad_trim_is_refused_and_leaves_nothing(place: Place, folder: Path, bad: dict[str, Any]) -> None:
    before = sorted(folder.iterdir())
    headers = {"Content-Type": "application/json", **bad.get("headers", {})}
    answer = ask(place, "/sessions/lap.mcap/trim", "POST", content=bad["content"], headers=headers)
    assert answer.status_code == 422
    assert sorted(folder.iterdir()) == before


@pytest.mark.parametrize("origin", ["http://evil.example", "null", ""])
def test_another_site_changes_nothing(place: Place, folder: Path, origin: str) -> None:
    headers = {"Cookie": place.cookie, "Content-Type": "application/json", **({"Origin": origin} if origin else {})}
    url = f"http://{place.host}/sessions/lap.mcap/repair"
    assert httpx.post(url, content=b"{}", headers=headers, timeout=60).status_code == 403
    assert ask(place, "/sessions/lap.mcap/repair").status_code == 405
    assert not (folder / "lap-repaired.mcap").exists()


def test_gains_that_were_found_are_saved_as_settings_and_never_over_others(tmp_path: Path) -> None:
    first, second = (save_tuned(CONFIG, CONFIG.follower, folder=tmp_path) for _ in range(2))
    assert (first.name, second.name) == ("tuned.yaml", "tuned_2.yaml")
    assert load_config(first) == CONFIG
