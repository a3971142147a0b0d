"""Cameras behind GStreamer: the CSI camera of a Jetson, and any pipeline that gives pictures."""

from __future__ import annotations

import re
import shlex
import shutil
from collections.abc import Callable
from fractions import Fraction

import cv2

from control.errors import ConfigError
from robot.cameras.capture import Capture
from robot.cameras.fitting import Measured, fitting
from robot.cameras.gst_launch import FIRST_S, STALL_S, TOOL, GstLaunch
from robot.cameras.settings import CameraSettings
from robot.cameras.source import Device

_CSI_SIZE = (816, 616)
"""JetBot's: the whole field of view of an IMX219 at a quarter of its width."""
_UNOPENED = "is it connected, is nvargus-daemon running, and does no other program hold it?"


def open_csi(settings: CameraSettings, *, fps: float, given_up: Callable[[], bool]) -> Device:
    """``csi:N``. Raises CameraError, ConfigError."""
    size = (settings.width or _CSI_SIZE[0], settings.height or _CSI_SIZE[1])
    if size[0] % 4:
        raise ConfigError(f"camera.width: {size[0]} is no multiple of 4, which a CSI camera needs")
    pipeline = csi_pipeline(settings, size=size, fps=fps)
    device = _open(pipeline, name=settings.source, through=settings.through, given_up=given_up)
    return fitting(device, name=settings.source, size=size, fps=fps)


def csi_pipeline(settings: CameraSettings, *, size: tuple[int, int], fps: float) -> str:
    """The camera's own processor scales, turns and converts; the last step from four to three bytes is ours."""
    rate = Fraction(fps).limit_denominator(1001)
    mode = f" sensor-mode={settings.sensor_mode}" if settings.sensor_mode >= 0 else ""
    shape = f"width={size[0]},height={size[1]}"
    return (
        f"nvarguscamerasrc sensor-id={settings.place}{mode}"
        f" ! video/x-raw(memory:NVMM),{shape},format=(string)NV12,framerate={rate.numerator}/{rate.denominator}"
        f" ! nvvidconv flip-method={2 if settings.upside_down else 0}"
        f" ! video/x-raw,{shape},format=(string)BGRx ! videoconvert ! video/x-raw,format=(string)BGR"
    )


def open_pipeline(settings: CameraSettings, *, given_up: Callable[[], bool]) -> Device:
    """``gst:PIPELINE``, without its sink. Size and rate are the pipeline's; those in the settings are checked.

    Raises CameraError, ConfigError.
    """
    try:
        first = shlex.split(settings.place)[0]
    except ValueError as error:
        raise ConfigError(f"camera {settings.source}: {error}; close every quotation mark") from error
    name = f"gst:{first}"
    pipeline = f"{settings.place} ! videoconvert ! video/x-raw,format=(string)BGR"
    device = _open(pipeline, name=name, through=settings.through, given_up=given_up)
    size = (settings.width, settings.height)
    return fitting(device, name=name, size=size, fps=settings.fps, upside_down=settings.upside_down)


def _open(pipeline: str, *, name: str, through: str, given_up: Callable[[], bool]) -> Measured:
    """In a child where there is a choice: OpenCV gives no reason for a failure, and cannot let go of a source that has
    frozen, so that it could not be opened again.
    """
    able = opencv_has_gstreamer()
    if through == "opencv" and not able:
        raise ConfigError(f"camera.through: OpenCV {cv2.__version__} here cannot run GStreamer; leave it out")
    if through == "opencv" or (through == "auto" and able and shutil.which(TOOL) is None):
        return open_in_opencv(pipeline, name=name)
    return GstLaunch(pipeline, name=name, given_up=given_up)


def opencv_has_gstreamer() -> bool:
    """From 4.7 on with a deadline for each read: an older one would wait for a frozen camera for ever."""
    version = tuple(int(part) for part in re.findall(r"\d+", cv2.__version__)[:2])
    return version >= (4, 7) and re.search(r"GStreamer:\s+YES", cv2.getBuildInformation()) is not None


def open_in_opencv(pipeline: str, *, name: str) -> Capture:
    """Raises CameraError."""
    # By itself an appsink keeps every picture: a loop at 10 Hz would be seconds behind.
    sink = "appsink drop=true max-buffers=1 sync=false"
    deadlines = [
        cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, int(FIRST_S * 1000),
        cv2.CAP_PROP_READ_TIMEOUT_MSEC, int(STALL_S * 1000),
    ]  # fmt: skip
    capture = cv2.VideoCapture(f"{pipeline} ! {sink}", cv2.CAP_GSTREAMER, deadlines)
    return Capture(capture, name=name, unopened=_UNOPENED)
