"""What the page says of the robot: what was chosen, what was measured, and the command for the next step."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from math import degrees
from typing import Any

from calibration.profile import Calibration
from robot.config import RobotConfig


def about(config: RobotConfig) -> dict[str, Any]:
    """Of JSON: rows of a name and a text."""
    return {"chosen": _chosen(config), "measured": _measured(config.calibration)}


def _chosen(config: RobotConfig) -> list[tuple[str, str]]:
    try:
        own = version("linepilot")
    except PackageNotFoundError:
        own = "source"
    return [
        ("linepilot", own), ("follows", config.target), ("law", config.law), ("camera", config.camera.source),
        ("motors", config.motors.driver), ("model", config.model or "shipped"),
        ("decisions", f"{config.fps:g} a second"),
        ("by hand up to", f"{config.teleop.max_speed_mps:g} m/s, {config.teleop.max_curvature_1pm:g} 1/m"),
    ]  # fmt: skip


def _measured(found: Calibration) -> list[dict[str, Any]]:
    """The four steps; a number without a date was never measured on this robot."""
    camera, mount, drive, latency, known = found.camera, found.mount, found.drive, found.latency, found.measured
    lens = f"{camera.model}, {camera.width} × {camera.height}, focal {camera.fx:.1f} / {camera.fy:.1f} px"
    steps = (
        ("lens", "camera", lens, known.camera.date),
        (
            "mount",
            "ground",
            f"{mount.height_m * 100:.1f} cm high, {degrees(mount.pitch_rad):.1f}° down",
            known.mount.date,
        ),
        ("motors", "motors", f"top {drive.top_speed_mps:.2f} m/s, dead zone {drive.dead_zone:.2f}", known.drive.date),
        ("latency", "motors", f"{latency.delay_s * 1000:.0f} ms camera to wheel", known.drive.date),
    )
    return [
        {"name": name, "value": value, "date": date, "command": f"linepilot calibrate {command}"}
        for name, command, value, date in steps
    ]
