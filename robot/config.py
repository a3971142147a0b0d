"""robot.yaml: every chosen number of one robot, checked once, with ``key=value`` overrides."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from reprlib import Repr
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from calibration.profile import Calibration
from control.errors import ConfigError, LinepilotError
from control.faults import SupervisorSettings
from control.follower import FollowerSettings
from control.laws import JetBotSettings, JetRacerSettings
from control.messages import Target
from robot.cameras.settings import CameraSettings
from robot.motors.settings import BatterySettings, MotorSettings
from robot.settings_file import Settings, override, read_settings, refuse_unknown
from robot.teleop.settings import EmergencyStopSettings, TeleopSettings

_SHORT = Repr()
_SHORT.maxlevel = 2
_SHORT.maxstring = _SHORT.maxother = 80
"""Of a wrong value so much is shown: anchors can make one that fills the memory."""
_STRICT = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class RobotConfig(BaseModel):
    """Sensible for a JetBot, and for the simulator, with no file at all."""

    model_config = _STRICT

    model: str = ""
    """Path of a model file, or ``classical``; empty is the shipped model."""
    target: Target = "line"
    law: Literal["linepilot", "jetbot", "jetracer"] = "linepilot"
    fps: float = Field(default=30.0, gt=0, le=240)
    """Decisions a second; of a faster camera only so many frames are used."""
    threads: int = Field(default=2, ge=1, le=64)
    """For the network."""
    camera: CameraSettings = CameraSettings()
    motors: MotorSettings = MotorSettings()
    battery: BatterySettings = BatterySettings()
    emergency_stop: EmergencyStopSettings = EmergencyStopSettings()
    teleop: TeleopSettings = TeleopSettings()
    follower: FollowerSettings = FollowerSettings()
    jetbot: JetBotSettings = JetBotSettings()
    jetracer: JetRacerSettings = JetRacerSettings()
    supervisor: SupervisorSettings = SupervisorSettings()
    calibration: Calibration = Calibration()
    """Or the path of a file that holds it, seen from this file's folder."""


def load_config(path: Path | None, overrides: Sequence[str] = ()) -> RobotConfig:
    """Raises ConfigError: one line with the place and, for an unknown key, the nearest known one."""
    settings = read_settings(path) if path is not None else Settings()
    return checked_config(settings, overrides, folder=path.parent if path is not None else Path())


def checked_config(settings: Settings, overrides: Sequence[str] = (), *, folder: Path) -> RobotConfig:
    """As ``load_config``, of settings that were read; files that they name are seen from ``folder``."""
    _include_calibration(settings, folder=folder)
    for text in overrides:
        override(settings, text)
    # An override may name another calibration file, which is then seen from where the command runs.
    _include_calibration(settings, folder=Path())
    refuse_unknown(settings, RobotConfig().model_dump())
    try:
        return RobotConfig.model_validate(settings.tree)
    except ValidationError as error:
        raise ConfigError(_told(error, settings)) from error
    except LinepilotError as error:
        # The lower layers check their own settings at construction and name the field.
        raise ConfigError(f"{settings.place(())}: {error}") from error


def config_schema() -> dict[str, Any]:
    """JSON Schema for editors."""
    return RobotConfig.model_json_schema()


def _include_calibration(settings: Settings, *, folder: Path) -> None:
    named = settings.tree.get("calibration")
    if not isinstance(named, str):
        return
    try:
        where = folder / Path(named).expanduser()
    except RuntimeError as error:
        raise ConfigError(f"{settings.place(('calibration',))}: calibration: no home folder for {named!r}") from error
    measured = read_settings(where)
    settings.tree["calibration"] = measured.tree
    settings.places.update({("calibration", *key): place for key, place in measured.places.items()})


def _told(error: ValidationError, settings: Settings) -> str:
    first = error.errors()[0]
    key = tuple(str(part) for part in first["loc"])
    more = f" (and {error.error_count() - 1} more)" if error.error_count() > 1 else ""
    got = "a section" if isinstance(first["input"], dict) else _SHORT.repr(first["input"])
    expected = "input should be a section" if first["type"] == "dataclass_type" else first["msg"]
    return f"{settings.place(key)}: {'.'.join(key)}: {expected[:1].lower()}{expected[1:]}, not {got}{more}"
