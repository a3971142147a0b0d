"""From the loop's ticks to a session file."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from datetime import datetime, timezone
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import yaml

from robot.config import RobotConfig
from robot.drive.tick import Tick
from robot.sessions.collection import Collection
from robot.sessions.header import SessionHeader
from robot.sessions.session_tick import SessionTick, Truth
from robot.sessions.writer import Limits, SessionReport, SessionWriter


class SessionRecorder:
    """A call takes microseconds and never waits, unless ``lossless``. Raises InputError when it cannot begin."""

    def __init__(
        self, chosen: Path, *, config: RobotConfig, facts: Mapping[str, str], lossless: bool = False,
        limits: Limits | None = None, notice: Callable[[str], None] = lambda _: None, scene_json: str = "",
        collection: Collection | None = None,
    ) -> None:  # fmt: skip
        """``collection`` chooses the pictures that are kept; without, all are."""
        self._collection = collection
        header = session_header(config, facts=facts, scene_json=scene_json)
        self._writer = SessionWriter(chosen, header=header, limits=limits, lossless=lossless, notice=notice)

    def __call__(self, tick: Tick, *, sections_s: Mapping[str, float], truth: Truth | None = None) -> None:
        # Copied, since the loop goes on to fill it.
        later = partial(self._made, tick, sections_s=dict(sections_s), truth=truth)
        self._writer.write_later(later, weight_bytes=0 if tick.frame is None else tick.frame.image.nbytes)

    def _made(self, tick: Tick, *, sections_s: Mapping[str, float], truth: Truth | None) -> SessionTick:
        """In the writer's thread."""
        made = session_tick(tick, sections_s=sections_s, truth=truth)
        return made if self._collection is None else self._collection.choose(made)

    @property
    def trouble(self) -> str:
        """Why it ended before the drive; empty while it records."""
        return self._writer.trouble

    def close(self) -> SessionReport:
        return self._writer.close()


def session_tick(tick: Tick, *, sections_s: Mapping[str, float], truth: Truth | None = None) -> SessionTick:
    frame = tick.frame
    return SessionTick(
        now_s=tick.now_s, exposed_s=tick.exposed_s, picture=None if frame is None else frame.image,
        frame_index=-1 if frame is None else frame.index, frame_stamp_s=0.0 if frame is None else frame.stamp_s,
        estimate=tick.estimate, decision=tick.decision, health=tick.health, verdict=tick.verdict, wheels=tick.wheels,
        by_hand=tick.by_hand, hand_over=tick.hand_over, sections_s=sections_s, truth=truth,
    )  # fmt: skip


def session_header(config: RobotConfig, *, facts: Mapping[str, str], scene_json: str = "") -> SessionHeader:
    """Both attachments can be driven with again: robot.yaml holds everything, calibration.yaml its measured part."""
    return SessionHeader(
        started=datetime.now(tz=timezone.utc).astimezone(), calibration=config.calibration,
        settings_yaml=_yaml(config.model_dump(mode="json")), calibration_yaml=_yaml(_plain(asdict(config.calibration))),
        scene_json=scene_json, facts={"linepilot": _version(), **facts},
    )  # fmt: skip


def _yaml(tree: dict[str, Any]) -> str:
    return str(yaml.safe_dump(tree, sort_keys=False))


def _plain(value: Any) -> Any:
    """Tuples as lists, which is all that YAML knows."""
    if isinstance(value, dict):
        return {key: _plain(part) for key, part in value.items()}
    return [_plain(part) for part in value] if isinstance(value, list | tuple) else value


def _version() -> str:
    try:
        return version("linepilot")
    except PackageNotFoundError:
        return "source"
