"""``open_camera``: one call from the settings to a source of frames."""

from __future__ import annotations

from robot.cameras.kinds import open_camera
from robot.cameras.settings import CameraSettings

__all__ = ["CameraSettings", "open_camera"]
