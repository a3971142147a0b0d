"""A drive in Foxglove while it goes on: the messages of a session, sent by Foxglove's own server to whoever looks."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.util import find_spec
from threading import Event, Thread
from types import TracebackType
from typing import TYPE_CHECKING, Any

from mcap_protobuf.schema import build_file_descriptor_set

from control.errors import InputError, MissingExtraError
from robot.config import RobotConfig
from robot.drive.recorder import session_header, session_tick
from robot.drive.tick import Tick
from robot.sessions.encoding import encode_picture
from robot.sessions.schema import CALIBRATION, IMAGE, LINE, TYPES
from robot.sessions.tick_stream import TickStream

if TYPE_CHECKING:
    from foxglove import Channel, Context
    from foxglove.websocket import WebSocketServer

_HOST = "127.0.0.1"
"""Nobody is asked for a token there, so it is for this computer alone."""
_BACKLOG = 32
"""Messages that wait for a slow viewer: some ticks; then the oldest are dropped."""
_PICTURED = (IMAGE, LINE, CALIBRATION)
_QUALITY = 80
_GONE_S = 2.0


class LiveView:
    """A call takes microseconds and never waits: a tick that was not yet sent is replaced by the next one.

    A context manager; viewers can only look. Raises MissingExtraError, and InputError when the port cannot be had.
    """

    def __init__(self, config: RobotConfig, *, port: int) -> None:
        if find_spec("foxglove") is None:
            raise MissingExtraError("foxglove-sdk", extra="foxglove", purpose="--foxglove")
        self._stream = TickStream(session_header(config, facts={}))
        self._port = port
        self._newest: tuple[Tick, Mapping[str, float]] | None = None
        self._news, self._closing = Event(), Event()
        self._channels: dict[str, Channel] = {}
        self._context: Context | None = None
        """Kept: the server sees its channels only as long as it lives."""
        self._server: WebSocketServer | None = None
        self._thread: Thread | None = None

    @property
    def url(self) -> str:
        """What Foxglove wants under *Open connection*."""
        return f"ws://{_HOST}:{self._port if self._server is None else self._server.port}"

    def __call__(self, tick: Tick, sections_s: Mapping[str, float]) -> None:
        """In the loop's thread, after each pass."""
        self._newest = (tick, dict(sections_s))
        self._news.set()

    def add(self, topic: str, message: Any, *, time_ns: int, published_ns: int, sequence: int) -> None:  # noqa: ARG002
        """As that of a file, for the TickStream."""
        channel = self._channels[topic]
        if channel.has_sinks():
            channel.log(message.SerializeToString(), log_time=time_ns)

    def __enter__(self) -> LiveView:
        import foxglove

        # A context of our own: whatever else uses the library is not sent.
        self._context = context = foxglove.Context()
        for topic, kind in TYPES.items():
            data = build_file_descriptor_set(kind).SerializeToString()
            schema = foxglove.Schema(name=kind.DESCRIPTOR.full_name, encoding="protobuf", data=data)
            self._channels[topic] = foxglove.Channel(
                topic, schema=schema, message_encoding="protobuf", context=context
            )  # fmt: skip
        try:
            self._server = foxglove.start_server(
                name="linepilot", host=_HOST, port=self._port, context=context, message_backlog_size=_BACKLOG
            )
        except RuntimeError as error:
            raise InputError(f"--foxglove-port {self._port}: {error}; give another one") from error
        self._thread = Thread(target=self._run, name="foxglove", daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closing.set()
        self._news.set()
        if self._thread is not None:
            self._thread.join(_GONE_S)
        server, self._server = self._server, None
        if server is not None:
            server.stop()

    def _run(self) -> None:
        while True:
            self._news.wait()
            self._news.clear()
            if self._closing.is_set():
                return
            newest, self._newest = self._newest, None
            if newest is not None and any(channel.has_sinks() for channel in self._channels.values()):
                self._send(*newest)

    def _send(self, tick: Tick, sections_s: Mapping[str, float]) -> None:
        made = session_tick(tick, sections_s=sections_s)
        looked_at = made.picture is not None and any(self._channels[topic].has_sinks() for topic in _PICTURED)
        jpeg = encode_picture(made.picture, quality=_QUALITY) if looked_at and made.picture is not None else None
        self._stream.write(made, jpeg, to=self, dropped=0)
