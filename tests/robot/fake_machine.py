"""A Jetson's files under a folder, and the answers of the programs that the doctor asks."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from robot.doctor.machine import Machine

ORIN = {
    "proc/device-tree/model": "NVIDIA Jetson Orin Nano Developer Kit\0",
    "proc/device-tree/compatible": "nvidia,p3768-0000+p3767-0005\0nvidia,p3767-0005\0nvidia,tegra234\0",
    "etc/nv_tegra_release": "# R36 (release), REVISION: 4.3, GCID: 38968081, BOARD: generic, EABI: aarch64\n",
    "var/lib/dpkg/status": "Package: nvidia-jetpack\nStatus: install ok installed\nVersion: 6.2+b77\n\n"
    "Package: other\nVersion: 1\n",
    "sys/class/thermal/thermal_zone0/type": "cpu-thermal",
    "sys/class/thermal/thermal_zone0/temp": "48500",
    "sys/class/thermal/thermal_zone1/type": "PMIC-Die",
    "sys/class/thermal/thermal_zone1/temp": "100000",
    "sys/class/hwmon/hwmon3/oc1_event_cnt": "0",
    "sys/class/hwmon/hwmon3/oc3_event_cnt": "4711",
    "run/systemd/timesync/synchronized": "",
    "dev/video0": "",
    "dev/video1": "",
    "dev/video2": "",
    "sys/class/video4linux/video0/name": "HD Webcam",
    "sys/class/video4linux/video0/index": "0",
    "sys/class/video4linux/video1/name": "HD Webcam",
    "sys/class/video4linux/video1/index": "1",
    "sys/class/video4linux/video2/name": "vi-output, imx219 9-0010",
    "sys/class/video4linux/video2/index": "0",
    "usr/lib/aarch64-linux-gnu/gstreamer-1.0/libgstnvarguscamerasrc.so": "",
    "usr/bin/gst-launch-1.0": "",
    "tmp/argus_socket": "",
    "dev/i2c-0": "",
    "dev/i2c-1": "",
    "dev/i2c-7": "",
    "dev/ttyTHS1": "",
    "dev/ttyUSB0": "",
    "dev/gpiochip0": "",
    "dev/gpiochip1": "",
    "sys/class/pwm/pwmchip3/npwm": "1",
    "usr/lib/python3/dist-packages/cv2/__init__.py": "",
}  # fmt: skip
OPENCV = {"version": "4.8.0", "place": "/usr/lib/python3/dist-packages/cv2/__init__.py", "wheel": "", "gstreamer": True}
NETWORK = {
    "file": "/models/line.int8.onnx", "runs_on": "ONNX Runtime 1.23.2 on the CPU", "p50_ms": 9.0, "opened_s": 0.2,
    "checksum": True, "golden": 3,
}  # fmt: skip
SAID = {"nvpmodel": "NV Power Mode: 15W\n0", "timedatectl": "yes"}


def write_tree(root: Path, files: Mapping[str, str]) -> None:
    for name, text in files.items():
        place = root / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text)


def orin(
    root: Path,
    *,
    without: Sequence[str] = (),
    more: Mapping[str, str] | None = None,
    forbidden: Callable[[str], bool] = lambda _: False,
    opencv: Mapping[str, Any] = OPENCV,
    network: Mapping[str, Any] = NETWORK,
    said: Mapping[str, str] = SAID,
    free_bytes: int = 20 * 1024**3,
) -> Machine:
    """``without``: beginnings of the names of files that are missing."""
    kept = {name: text for name, text in ORIN.items() if not name.startswith(tuple(without))}
    write_tree(root, {**kept, **(more or {})})
    return Machine(
        root=root, may_use=lambda path: not forbidden(path.name), ask=lambda command: said.get(command[0]),
        probe=lambda words: {"opencv": opencv, "network": network}[words[0]], free_bytes=lambda _: free_bytes,
        architecture="aarch64", python=(3, 10, 12),
    )  # fmt: skip
