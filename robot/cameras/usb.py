"""A USB camera through V4L2."""

from __future__ import annotations

import cv2
import numpy as np

from control.errors import CameraError
from robot.cameras.latest import LatestFrameCamera
from robot.cameras.source import Image


def open_usb(number: int, *, fps: float, width: int = 640, height: int = 480) -> LatestFrameCamera:
    """``/dev/video<number>``. Raises CameraError."""
    name = f"/dev/video{number}"
    capture = cv2.VideoCapture(number, cv2.CAP_V4L2)
    if not capture.isOpened():
        capture.release()
        raise CameraError(f"{name}: cannot be opened; is it plugged in, and are you in the group 'video'?")
    # MJPG, since raw YUYV does not fit through USB 2 at 640x480 and 30 fps beside anything else.
    capture.set(cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*"MJPG"))
    capture.set(cv2.CAP_PROP_FRAME_WIDTH, width)
    capture.set(cv2.CAP_PROP_FRAME_HEIGHT, height)
    capture.set(cv2.CAP_PROP_FPS, fps)
    capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)

    def grab() -> Image:
        there, image = capture.read()
        if not there:
            raise CameraError(f"{name}: the camera died; plug it in again and restart")
        return np.asarray(image, dtype=np.uint8)

    return LatestFrameCamera(grab, name=name, release=capture.release)
