"""A USB camera through V4L2."""

from __future__ import annotations

import cv2

from robot.cameras.capture import Capture
from robot.cameras.fitting import fitting
from robot.cameras.settings import CameraSettings
from robot.cameras.source import Device

_SIZE = (640, 480)


def open_usb(settings: CameraSettings, *, fps: float) -> Device:
    """``usb:N`` is /dev/videoN. Raises CameraError."""
    name = f"/dev/video{settings.place}"
    width, height = settings.width or _SIZE[0], settings.height or _SIZE[1]
    capture = cv2.VideoCapture(int(settings.place), cv2.CAP_V4L2)
    # MJPG, since raw YUYV does not fit through USB 2 at 640x480 and 30 fps beside anything else.
    capture.set(cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*"MJPG"))
    capture.set(cv2.CAP_PROP_FRAME_WIDTH, width)
    capture.set(cv2.CAP_PROP_FRAME_HEIGHT, height)
    capture.set(cv2.CAP_PROP_FPS, fps)
    capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)
    device = Capture(capture, name=name, unopened="is it plugged in, and are you in the group 'video'?")
    return fitting(device, name=name, size=(width, height), fps=fps, upside_down=settings.upside_down)
