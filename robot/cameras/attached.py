"""The cameras that are there: what to write into ``camera.source``, and the modes of each."""

from __future__ import annotations

import errno
import re
from dataclasses import dataclass
from pathlib import Path

from robot.cameras.v4l2 import Mode, read_device

_SENSOR = re.compile(r"vi-output,\s*(.*)")
"""How the kernel of a Jetson names a raw CSI sensor: ``vi-output, imx219 9-0010``."""
_SENSOR_CHIPS = re.compile(r"(imx|ov|ar|sc|gc|os)\d{3,4}")


@dataclass(frozen=True, slots=True, kw_only=True)
class AttachedCamera:
    source: str
    """For ``camera.source``; empty when it cannot be used."""
    device: str
    name: str
    modes: tuple[Mode, ...] = ()
    trouble: str = ""


def attached_cameras(root: Path = Path("/")) -> list[AttachedCamera]:
    """``usb:N`` by the number of their file, ``csi:N`` in the order of theirs, as nvarguscamerasrc counts."""
    found: list[AttachedCamera] = []
    sensors = 0
    for path in sorted(root.glob("dev/video*"), key=_number):
        camera = _camera(path, root=root, sensors=sensors)
        if camera is not None:
            found.append(camera)
            sensors += camera.source.startswith("csi:")
    return found if sensors else [*found, *_unseen_sensors(root)]


def _number(path: Path) -> int:
    digits = path.name.removeprefix("video")
    return int(digits) if digits.isdigit() else -1


def _camera(path: Path, *, root: Path, sensors: int) -> AttachedCamera | None:
    """None for a file that is no camera."""
    device = f"/{path.relative_to(root)}"
    if _number(path) < 0:
        return None
    try:
        said = read_device(path)
    except OSError as error:
        if error.errno in (errno.ENOTTY, errno.ENODEV, errno.ENXIO, errno.EINVAL):
            return None
        return AttachedCamera(source="", device=device, name=_name(path, root), trouble=_trouble(error))
    sensor = _SENSOR.match(said.name)
    if sensor is not None:
        return AttachedCamera(source=f"csi:{sensors}", device=device, name=sensor.group(1), modes=said.modes)
    if not said.modes:
        return None
    return AttachedCamera(source=f"usb:{_number(path)}", device=device, name=said.name, modes=said.modes)


def _name(path: Path, root: Path) -> str:
    try:
        return (root / "sys/class/video4linux" / path.name / "name").read_text(errors="replace").strip()
    except OSError:
        return ""


def _trouble(error: OSError) -> str:
    if error.errno in (errno.EACCES, errno.EPERM):
        return "may not be used by you: sudo usermod -aG video $USER, then log in again"
    return f"cannot be asked ({error.strerror})"


def _unseen_sensors(root: Path) -> list[AttachedCamera]:
    """Image sensors on an I2C bus whose driver found them, but for which there is no /dev/videoN."""
    unseen = []
    for place in sorted(root.glob("sys/bus/i2c/devices/*")):
        try:
            chip = (place / "name").read_text(errors="replace").strip()
        except OSError:
            continue
        if _SENSOR_CHIPS.match(chip) and (place / "driver").exists():
            trouble = "its driver runs but gives no /dev/videoN: is the ribbon the right way round, and /dev mounted?"
            unseen.append(AttachedCamera(source="", device=f"i2c {place.name}", name=chip, trouble=trouble))
    return unseen
