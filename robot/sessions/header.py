"""What stands at the head of every file of a session."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from calibration.profile import Calibration

SETTINGS, MEASURED, SCENE = "robot.yaml", "calibration.yaml", "scene.json"
"""Names of the attachments."""
BEGIN, END = "linepilot", "linepilot.end"
"""Names of the metadata."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionHeader:
    started: datetime
    """With its time zone; stamps in the file count on from here."""
    calibration: Calibration
    settings_yaml: str = ""
    calibration_yaml: str = ""
    scene_json: str = ""
    """Of a simulated drive: the world it was driven in."""
    facts: Mapping[str, str] = field(default_factory=dict)
    """For people: version, camera, motors, model, track, ..."""
