"""calibration.yaml: what was measured before is kept, what is measured anew replaces it."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Sequence
from dataclasses import asdict, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import yaml

from calibration.profile import Calibration
from control.errors import CalibrationError, ConfigError
from perception.files import replace_file
from robot.config import RobotConfig, load_config

_HEAD = "# Measured by `linepilot calibrate`; drive with it: linepilot drive calibration={name}\n"


def read_calibration(path: Path) -> Calibration:
    """The usual numbers when there is no such file. Raises CalibrationError."""
    if not path.exists():
        return Calibration()
    try:
        return load_config(None, [f"calibration={path}"]).calibration
    except ConfigError as error:
        raise CalibrationError(str(error)) from error


def with_measured(config: RobotConfig, path: Path) -> RobotConfig:
    """What was measured into ``path`` goes before what a profile guesses; of what was not the guess stays.

    Settings that name a measured file keep it. Raises CalibrationError.
    """
    guess = config.calibration
    guessed = "calibration" in config.model_fields_set
    if guessed and (not path.exists() or guess.measured != type(guess.measured)()):
        return config
    found = read_calibration(path)
    if guessed:
        measured = found.measured
        # By recorded drives, or together with the motors or the steering.
        timed = measured.latency.date or measured.drive.date or measured.steering.date
        found = replace(
            found,
            camera=found.camera if measured.camera.date else guess.camera,
            mount=found.mount if measured.mount.date else guess.mount,
            drive=found.drive if measured.drive.date else guess.drive,
            latency=found.latency if timed else guess.latency,
            steering=found.steering if measured.steering.date else guess.steering,
        )
    return config.model_copy(update={"calibration": found})


def write_calibration(path: Path, calibration: Calibration) -> None:
    """Whole or not at all. Raises InputError."""
    text = yaml.safe_dump(_plain(asdict(calibration)), sort_keys=False, default_flow_style=False)
    replace_file(path, (_HEAD.format(name=path.name) + text).encode())


def today() -> str:
    return datetime.now().astimezone().date().isoformat()


def _plain(value: Any) -> Any:
    """Tuples as lists, which is all that YAML knows; numbers without digits that nobody measured."""
    if isinstance(value, dict):
        return {key: _plain(part) for key, part in value.items()}
    if isinstance(value, float):
        return float(f"{value:.8g}")
    return [_plain(part) for part in value] if isinstance(value, list | tuple) else value


def drive_with(settings: Sequence[str], out: Path) -> str:
    """The drive that follows a measurement: without the robot's settings it would be one in the simulator."""
    return " ".join(["linepilot drive", *settings, f"calibration={out}"])


def next_source(chosen: Namespace) -> str:
    """Where the next step takes its pictures from, as this one did."""
    if chosen.sim:
        return "--sim"
    return f"--camera {chosen.camera}" if chosen.camera is not None else "PICTURE"
