"""Who may speak to the page's server at all, tried with raw requests."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from web_stand import Place, driven
from websockets.exceptions import InvalidStatus

from app.web.access import Access


@pytest.fixture(scope="module")
def place() -> Iterator[Place]:
    with driven() as stand:
        yield stand.place


def get(place: Place, path: str = "/", **headers: str) -> httpx.Response:
    sent = {"Cookie": place.cookie, **headers}
    return httpx.get(f"http://{place.host}{path}", headers={k: v for k, v in sent.items() if v}, timeout=30)


def test_the_printed_address_opens_the_page_and_leaves_a_cookie_no_script_can_read(place: Place) -> None:
    answer = httpx.get(place.url, timeout=30)
    assert answer.status_code == 200
    assert "linepilot" in answer.text
    assert answer.headers["set-cookie"] == f"{place.cookie}; Path=/; HttpOnly; SameSite=Strict"
    assert "default-src 'self'" in answer.headers["content-security-policy"]
    assert answer.headers["referrer-policy"] == "no-referrer"


def test_with_the_cookie_everything_comes_and_the_token_is_not_repeated(place: Place) -> None:
    for path in (
        "/",
        "/page.js",
        "/stick.js",
        "/video.js",
        "/plots.js",
        "/tuning.js",
        "/views.js",
        "/sessions.js",
        "/player.js",
        "/about.js",
        "/collection.js",
        "/style.css",
        "/icon.svg",
        "/about",
        "/sessions",
    ):
        answer = get(place, path)
        assert answer.status_code == 200, path
        assert place.token not in answer.text + str(answer.headers)


def test_the_page_needs_nothing_from_elsewhere(place: Place) -> None:
    for path in ("/", "/page.js", "/style.css", "/video.js"):
        assert "https://" not in get(place, path).text


@pytest.mark.parametrize("address", ["/", "/?token=wrong", "/?token=", "/page.js", "/page.js?token=TOKEN", "/nothing"])
def test_without_the_token_nothing_is_told(place: Place, address: str) -> None:
    answer = httpx.get(f"http://{place.host}{address.replace('TOKEN', place.token)}", timeout=30)
    assert answer.status_code == 403
    assert "Open the whole address" in answer.text
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize("host", ["evil.example", "evil.example:80", "127.0.0.1.evil.example", "192.168.1.7", "[::2]"])
def test_a_foreign_host_is_refused_even_with_the_cookie(place: Place, host: str) -> None:
    assert get(place, Host=host).status_code == 403


@pytest.mark.parametrize("host", ["localhost", "localhost:9999", "[::1]:8420"])
def test_through_a_tunnel_the_port_may_be_another(place: Place, host: str) -> None:
    assert get(place, Host=host).status_code == 200


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "https://HOST", "http://127.0.0.1"])
@pytest.mark.parametrize("path", ["control", "video"])
def test_a_socket_from_another_site_is_refused_even_with_the_cookie(place: Place, path: str, origin: str) -> None:
    with pytest.raises(InvalidStatus) as refused, place.open(path, origin=origin.replace("HOST", place.host)):
        pass
    assert refused.value.response.status_code == 403


@pytest.mark.parametrize(
    "other", [{"origin": None}, {"additional_headers": {}}, {"additional_headers": {"Cookie": "linepilot_1=x"}}]
)
def test_a_socket_needs_origin_and_cookie(place: Place, other: dict[str, Any]) -> None:
    with pytest.raises(InvalidStatus) as refused, place.open(**other):
        pass
    assert refused.value.response.status_code == 403


def test_a_page_of_another_site_cannot_ask_either(place: Place) -> None:
    assert get(place, Origin="http://evil.example").status_code == 403


CLIMBS = (
    "/../page.js", "/%2e%2e/page.js", "//etc/passwd", "/static/../server.py", "/server.py", "/page.js%00",
    "/..%2fserver.py",
)  # fmt: skip


@pytest.mark.parametrize("path", CLIMBS)
def test_there_is_no_path_to_climb(place: Place, path: str) -> None:
    """As raw bytes: a client would tidy the path up."""
    host, _, port = place.host.partition(":")
    with socket.create_connection((host, int(port)), timeout=30) as line:
        line.sendall(
            f"GET {path} HTTP/1.1\r\nHost: {place.host}\r\nCookie: {place.cookie}\r\nConnection: close\r\n\r\n".encode()
        )
        answer = b"".join(iter(lambda: line.recv(65536), b""))
    assert answer.split(b" ")[1] in (b"404", b"307")
    assert b"import" not in answer
    assert b"root:" not in answer


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_nothing_is_changed_by_a_request(place: Place, method: str) -> None:
    answer = httpx.request(
        method, f"http://{place.host}/", headers={"Cookie": place.cookie, "Origin": f"http://{place.host}"}, timeout=30
    )
    assert answer.status_code == 405


def scope(host: str) -> dict[str, Any]:
    headers = [(b"host", host.encode()), (b"cookie", b"c=t")]
    return {"type": "http", "method": "GET", "path": "/", "query_string": b"", "headers": headers}


HOSTS = {
    "192.168.1.7:8420": True, "[fe80::1]:8420": True, "robot.local": True, "evil.example": False,
    "192.168.1.7.evil.example": False, "": False,
}  # fmt: skip


@pytest.mark.parametrize(("host", "ours"), HOSTS.items())
def test_in_a_network_every_address_is_ours_but_no_foreign_name(host: str, ours: bool) -> None:
    access = Access(token="t", cookie="c", hosts=["localhost", "robot.local"], any_address=True)
    assert (access.refusal(scope(host)) == "") is ours
