"""A recorded drive as replay needs it: settings, world and one tick after the other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from control.errors import ConfigError, SessionError
from robot.config import RobotConfig, checked_config
from robot.sessions.decoding import decode_tick
from robot.sessions.header import SCENE, SETTINGS
from robot.sessions.reader import SessionFrame, SessionReader
from robot.sessions.schema import VERSION
from robot.sessions.session_tick import SessionTick
from robot.settings_file import override, parse_settings, read_settings
from sim.scene import Scene, scene_from_json


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedTick:
    tick: SessionTick
    """Without its picture, which is decoded only where it is looked at."""
    frame: SessionFrame

    @property
    def has_picture(self) -> bool:
        return self.frame.jpeg is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedDrive:
    path: Path
    config: RobotConfig
    """As recorded, with what was given on top."""
    recorded_config: RobotConfig
    facts: dict[str, str]
    scene: Scene | None
    """Of a simulated drive."""

    def ticks(self) -> Iterator[RecordedTick]:
        """In order. Raises SessionError."""
        for frame in SessionReader(self.path).frames():
            yield RecordedTick(tick=decode_tick(frame.message, picture=None), frame=frame)

    def damage(self) -> tuple[str, ...]:
        """Known after all ticks were read; read anew here."""
        reader = SessionReader(self.path)
        for _ in reader.messages():
            pass
        cut = () if reader.is_closed else ("was cut off",)
        return (*reader.damage, *cut)


def open_recorded(path: Path, overrides: Sequence[str] = (), *, settings: Path | None = None) -> RecordedDrive:
    """``settings`` in place of the recorded ones, ``overrides`` as key=value. Raises SessionError, ConfigError."""
    reader = SessionReader(path)
    # What describes the drive stands before its first message.
    next(iter(reader.messages()), None)
    version = reader.facts.get("version", VERSION)
    if version != VERSION:
        raise SessionError(f"{path}: is of version {version}, this linepilot reads version {VERSION}")
    recorded = _config(reader, [], settings=None)
    scene = reader.attachments.get(SCENE)
    return RecordedDrive(
        path=path, recorded_config=recorded, config=_config(reader, overrides, settings=settings), facts=reader.facts,
        scene=None if scene is None else scene_from_json(scene, source=str(path)),
    )  # fmt: skip


def _config(reader: SessionReader, overrides: Sequence[str], *, settings: Path | None) -> RobotConfig:
    if settings is not None:
        return checked_config(read_settings(settings), overrides, folder=settings.parent)
    written = reader.attachments.get(SETTINGS)
    if written is None:
        raise SessionError(
            f"{reader.path}: holds no settings to replay it with; give the robot.yaml that it was driven with"
        )
    tree = parse_settings(written, named=f"{reader.path}, robot.yaml")
    for text in overrides:
        override(tree, text)
    try:
        return checked_config(tree, folder=Path())
    except ConfigError as error:
        if str(reader.path) not in str(error):
            raise
        raise SessionError(
            f"{error}; it was recorded by linepilot {reader.facts.get('linepilot', '?')}: give a robot.yaml of today"
        ) from error


def starts_midway(first: SessionTick) -> bool:
    """Whether the session is a piece of a drive: what the pilot had learnt until then is not in it."""
    return first.verdict.state.name in ("ARMED", "RAMPING")
