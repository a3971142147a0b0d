"""One tick as what the page shows: numbers of the gauges, and the picture as JPEG with the line on it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import cv2
import numpy as np

from calibration.projection import GroundProjection
from control.messages import AckermannCommand, LineEstimate
from robot.config import RobotConfig
from robot.drive.tick import Tick
from robot.sessions.overlay import SEEN, finite, overlay

_QUALITY = 80
_MOST_PIXELS_WIDE = 480


class Telemetry:
    """Called in a thread of its own, never in the loop's."""

    def __init__(self, config: RobotConfig) -> None:
        calibration = config.calibration
        self._projection = GroundProjection(calibration.camera, calibration.mount)

    def numbers(self, tick: Tick, sections_s: Mapping[str, float]) -> dict[str, Any]:
        """Of JSON: a number that is not finite becomes null."""
        verdict, health, wheels = tick.verdict, tick.health, tick.wheels
        outputs = (
            (wheels.steering, wheels.throttle) if isinstance(wheels, AckermannCommand) else (wheels.left, wheels.right)
        )
        return {
            "state": verdict.state.value,
            "causes": [cause.value for cause in verdict.causes],
            "time_s": finite(tick.now_s),
            "speed_mps": finite(verdict.command.speed_mps),
            "curvature_1pm": finite(verdict.command.curvature_1pm),
            "wheels": [finite(value) for value in outputs],
            "vehicle": "ackermann" if isinstance(wheels, AckermannCommand) else "differential",
            "error_m": finite(self._offset_m(tick.estimate)),
            "confidence": finite(tick.estimate.confidence),
            "loop_ms": finite(sum(sections_s.values()) * 1000),
            "age_ms": finite((tick.now_s - tick.exposed_s) * 1000),
            "cell_v": finite(health.cell_voltage_v),
            "temperature_c": finite(health.temperature_c),
            "by_hand": tick.by_hand is not None,
        }

    def _offset_m(self, estimate: LineEstimate) -> float | None:
        """How far to the left the line is where it is seen nearest, metres on the floor."""
        for point in estimate.points:
            if point.visible >= SEEN:
                place = self._projection.ground_point(point.x, point.y)
                return None if place is None else place[1]
        return None


def picture(tick: Tick) -> tuple[dict[str, Any], bytes]:
    """What is drawn on the picture, in image points, and the picture; no bytes without a frame."""
    if tick.frame is None:
        return {}, b""
    image = tick.frame.image
    height, width = image.shape[:2]
    if width > _MOST_PIXELS_WIDE:
        size = (_MOST_PIXELS_WIDE, round(height * _MOST_PIXELS_WIDE / width))
        image = np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)
    _, data = cv2.imencode(".jpg", image, (cv2.IMWRITE_JPEG_QUALITY, _QUALITY))
    head = {"index": tick.frame.index, "width": width, "height": height}
    return {**head, **overlay(tick.estimate.points, tick.decision.target)}, data.tobytes()
