"""The real gst-launch-1.0 for tests, and stand-ins for it that misbehave as a real one cannot be made to."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from robot.cameras.gst_launch import TOOL

needs_gst_launch = pytest.mark.skipif(
    shutil.which(TOOL) is None,
    reason=f"{TOOL} is not here and `make test` could not install it: "
    "apt-get install gstreamer1.0-tools gstreamer1.0-plugins-base",
)
CAPS = (
    "/GstPipeline:pipeline0/GstFdSink:linepilot.GstPad:sink: caps = video/x-raw, format=(string)BGR, "
    "width=(int)64, height=(int)48, framerate=(fraction)30/1"
)
PICTURE_BYTES = 64 * 48 * 3
_HEAD = f"""#!/bin/sh
for word; do case $word in fd=*) pipe=/proc/self/fd/${{word#fd=}};; esac; done
say_size() {{ echo "{CAPS}"; }}
picture() {{ dd if=/dev/zero of=$pipe bs={PICTURE_BYTES} count=1 status=none; }}
part() {{ dd if=/dev/zero of=$pipe bs=100 count=1 status=none; }}
"""


def stand_in(folder: Path, script: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """``script`` in sh becomes the gst-launch-1.0 that is found."""
    folder.mkdir(exist_ok=True)
    tool = folder / TOOL
    tool.write_text(_HEAD + script)
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")


def without_a_jetson(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The real gst-launch-1.0, but what only a Jetson has is replaced; gives the file that keeps its words."""
    real, log = shutil.which(TOOL), folder / "words"
    swaps = (
        r"s/nvarguscamerasrc sensor-id=[0-9]*\( sensor-mode=[0-9]*\)*/videotestsrc is-live=true/",
        r"s/(memory:NVMM)//",
        r"s/nvvidconv flip-method=[0-9]/videoconvert/",
    )
    sed = " ".join(f"-e '{swap}'" for swap in swaps)
    stand_in(folder, f"""echo "$@" > '{log}'\nexec {real} $(echo "$@" | sed {sed})\n""", monkeypatch)
    return log
