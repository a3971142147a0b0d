"""The one exception tree. Every message says what is wrong, where, and what to do next.

LinepilotError                 base: a sentence for the user, exit code 1
+-- InputError                 what the user gave is wrong (file, key, name): exit code 2
|   +-- ConfigError            robot.yaml or a key=value override
|   +-- TrackError             a track file or name
|   +-- ModelError             a model file: missing, truncated, altered, of another kind
|   +-- DatasetError           a folder of labelled images
|   +-- CalibrationError       a calibration file
|   +-- SessionError           a recorded session
+-- MissingExtraError          an optional library is not installed; names the extra
+-- DeviceError                hardware answered wrongly or not at all
    +-- CameraError            the camera cannot be opened or died
    |   +-- CameraStalled      no new frame within the deadline
    |       +-- CameraLost     the device died or froze, and is being opened again
    +-- MotorError             the motor bus refused a write
    +-- MotionError            the robot did not do what it was told, or cannot be seen to do it
"""

from __future__ import annotations


class LinepilotError(Exception):
    """Base of every error the product raises on purpose."""

    exit_code = 1


class InputError(LinepilotError):
    exit_code = 2


class ConfigError(InputError):
    pass


class TrackError(InputError):
    pass


class ModelError(InputError):
    pass


class DatasetError(InputError):
    pass


class CalibrationError(InputError):
    pass


class SessionError(InputError):
    pass


class MissingExtraError(LinepilotError):
    """An optional library is missing."""

    exit_code = 2

    def __init__(self, library: str, *, extra: str, purpose: str) -> None:
        super().__init__(
            f"{purpose} needs {library}, which is not installed; "
            f"install it with: pip install 'linepilot[{extra}]'"
        )
        self.extra = extra


class DeviceError(LinepilotError):
    pass


class CameraError(DeviceError):
    pass


class CameraStalled(CameraError):  # noqa: N818 - reads as what happened
    pass


class CameraLost(CameraStalled):
    pass


class MotorError(DeviceError):
    pass


class MotionError(DeviceError):
    pass
