"""As much of the Hugging Face hub as its own library asks for: one repository in memory, behind real HTTP."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha1
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import unquote, urlsplit

COMMIT = "a" * 40


@dataclass
class HubStand:
    url: str = ""
    token: str = "hf_secret"
    files: dict[str, bytes] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)


@contextmanager
def hub_stand() -> Iterator[HubStand]:
    hub = HubStand()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(hub))
    hub.url = f"http://127.0.0.1:{server.server_port}"
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _handler(hub: HubStand) -> type[BaseHTTPRequestHandler]:
    return type("Handler", (_Handler,), {"hub": hub})


class _Handler(BaseHTTPRequestHandler):
    hub: HubStand

    def log_message(self, *_: object) -> None:
        """Quiet."""

    def do_POST(self) -> None:
        path = urlsplit(self.path).path
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.hub.asked.append(f"POST {path}")
        if self.headers.get("Authorization") != f"Bearer {self.hub.token}":
            self._answer({"error": "Invalid user token."}, status=401)
        elif path == "/api/repos/create":
            asked = json.loads(body)
            self._answer({"url": f"{self.hub.url}/{asked['organization']}/{asked['name']}"})
        elif "/preupload/" in path:
            files = json.loads(body)["files"]
            told = [{"path": one["path"], "uploadMode": "regular", "shouldIgnore": False} for one in files]
            self._answer({"files": told})
        elif "/commit/" in path:
            for line in map(json.loads, body.splitlines()):
                if line["key"] == "file":
                    self.hub.files[line["value"]["path"]] = base64.b64decode(line["value"]["content"])
            self._answer({"commitUrl": f"{self.hub.url}/amira/track/commit/{COMMIT}", "commitOid": COMMIT})
        else:
            self._answer({}, status=404)

    def do_GET(self) -> None:
        path = unquote(urlsplit(self.path).path)
        self.hub.asked.append(f"{self.command} {path}")
        if "/track" not in path:
            self._answer({}, status=404, code="RepoNotFound")
        elif "/resolve/" in path:
            content = self.hub.files[path.partition("/resolve/")[2].partition("/")[2]]
            self._send(content, {"ETag": f'"{sha1(content).hexdigest()}"', "X-Repo-Commit": COMMIT})
        elif "/tree/" in path:
            self._answer([self._entry(name) for name in self.hub.files])
        else:
            siblings = [{"rfilename": name} for name in self.hub.files]
            self._answer({"id": "amira/track", "sha": COMMIT, "siblings": siblings, "private": False, "tags": []})

    def do_HEAD(self) -> None:
        self.do_GET()

    def _entry(self, name: str) -> dict[str, Any]:
        content = self.hub.files[name]
        return {"type": "file", "path": name, "size": len(content), "oid": sha1(content).hexdigest()}

    def _answer(self, data: Any, *, status: int = 200, code: str = "") -> None:
        headers = {"Content-Type": "application/json", **({"X-Error-Code": code} if code else {})}
        self._send(json.dumps(data).encode(), headers, status=status)

    def _send(self, content: bytes, headers: dict[str, str], *, status: int = 200) -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(content))}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)
