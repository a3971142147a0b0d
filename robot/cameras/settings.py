"""Which camera, and what is asked of it: the ``camera`` section of robot.yaml."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class CameraSettings(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    source: str = "sim"
    """sim, file:PATH (video or folder of pictures), usb:NUMBER, csi:NUMBER, gst:PIPELINE (what GStreamer can read), the
    name of an installed package's camera, or module:factory."""
    realtime: bool = False
    """Play a recording at its own speed; otherwise as fast as the loop takes it."""
    width: int | None = Field(default=None, ge=16, le=8192)
    """Of the pictures; empty is usual for the camera: usb 640x480, csi 816x616, gst what its pipeline gives."""
    height: int | None = Field(default=None, ge=16, le=8192)
    fps: float | None = Field(default=None, ge=10, le=240)
    """Pictures a second; empty is as many as there are decisions."""
    upside_down: bool = False
    """Turn the pictures of a camera that hangs."""
    sensor_mode: int = Field(default=-1, ge=-1, le=31)
    """CSI only: a small picture is cut from this mode's field of view; -1 lets the driver choose."""

    through: Literal["auto", "opencv", "gst-launch"] = "auto"
    """What runs GStreamer for csi and gst: a child process, which can hang alone, or OpenCV; auto is the child where
    gst-launch-1.0 is installed."""

    @property
    def place(self) -> str:
        """What follows the kind: 0 of usb:0."""
        return self.source.partition(":")[2]
