"""The camera that the settings name, and the ones that are there."""

from __future__ import annotations

from pathlib import Path

from robot.doctor.finding import Finding, needs_group, ok, problem
from robot.doctor.machine import Machine

_SENSOR_BEHIND = "vi-output"
"""How the kernel names a raw sensor, as in ``vi-output, imx219 9-0010``."""
_ARGUS_SOCKET = "/tmp/argus_socket"
_ARGUS_PLUGIN = "/usr/lib/*/gstreamer-1.0/libgstnvarguscamerasrc.so"


def camera(machine: Machine, source: str) -> Finding:
    kind, _, place = source.partition(":")
    if kind == "sim":
        return ok("camera", f"simulated; here: {_there(machine)}")
    if kind == "file":
        path = Path(place).expanduser()
        if not path.exists():
            return problem("camera", f"{path} is not there", "give camera.source=file:PATH")
        return ok("camera", f"recording {path}")
    if kind == "usb":
        return _usb(machine, place)
    if kind == "csi":
        return _csi(machine, int(place) if place.isdigit() else 0)
    if kind == "gst":
        return _tool(machine, source) or ok("camera", f"{source}: not looked at; here: {_there(machine)}")
    return ok("camera", f"{source} is not ours: not looked at; here: {_there(machine)}")


def _usb(machine: Machine, number: str) -> Finding:
    name = f"/dev/video{number}"
    if not machine.path(name).exists():
        others = [n for n in _usb_numbers(machine) if n != number]
        fix = f"is it another one? camera.source=usb:{others[0]}" if others else "plug it in; lsusb lists it then"
        return problem("camera", f"{name} is not there; here: {_there(machine)}", fix)
    if not machine.may_use(machine.path(name)):
        return problem("camera", f"{name} may not be used by you", needs_group("video"))
    model = machine.text(f"/sys/class/video4linux/video{number}/name")
    if _SENSOR_BEHIND in model:
        # V4L2 gives the sensor's raw mosaic; only Argus makes pictures of it.
        return problem("camera", f"{name} is a CSI sensor ({model})", "use camera.source=csi:0")
    if machine.text(f"/sys/class/video4linux/video{number}/index") not in ("", "0"):
        others = _usb_numbers(machine)
        return problem("camera", f"{name} gives no pictures ({model})", f"use camera.source=usb:{(*others, 0)[0]}")
    return ok("camera", f"{name} {model}".strip())


def _csi(machine: Machine, number: int) -> Finding:
    sensors = [name for _, name in _videos(machine) if _SENSOR_BEHIND in name]
    if len(sensors) <= number:
        found = f"no CSI sensor {number}; here: {_there(machine)}"
        if not machine.is_jetson:
            return problem(
                "camera", found, "csi:N needs a Jetson, and none is seen here; elsewhere take camera.source=usb:N"
            )
        return problem(
            "camera", found, "check the ribbon; choose the camera with: sudo /opt/nvidia/jetson-io/jetson-io.py"
        )
    sensor = sensors[number].removeprefix(_SENSOR_BEHIND).strip(", ")
    if not machine.found(_ARGUS_PLUGIN):
        return problem("camera", f"{sensor}: nvarguscamerasrc is missing", "sudo apt install nvidia-l4t-gstreamer")
    if not machine.path(_ARGUS_SOCKET).exists():
        fix = "sudo systemctl restart nvargus-daemon; in a container: docker run -v /tmp/argus_socket:/tmp/argus_socket"
        return problem("camera", f"{sensor}: the camera server does not run", fix)
    return _tool(machine, sensor) or ok("camera", f"CSI {number}: {sensor}")


def _tool(machine: Machine, what: str) -> Finding | None:
    """Both kinds of GStreamer camera run it as a child."""
    if machine.found("/usr/bin/gst-launch-1.0"):
        return None
    return problem("camera", f"{what}: gst-launch-1.0 is missing", "sudo apt install gstreamer1.0-tools")


def _videos(machine: Machine) -> list[tuple[str, str]]:
    """(number, name)"""
    paths = machine.found("/dev/video*")
    return [(p.name.removeprefix("video"), machine.text(f"/sys/class/video4linux/{p.name}/name")) for p in paths]


def _usb_numbers(machine: Machine) -> list[str]:
    """A UVC camera has a second device, index 1, for its metadata."""
    return [
        number
        for number, name in _videos(machine)
        if _SENSOR_BEHIND not in name and machine.text(f"/sys/class/video4linux/video{number}/index") in ("", "0")
    ]


def _there(machine: Machine) -> str:
    return ", ".join(f"/dev/video{number} {name}".strip() for number, name in _videos(machine)) or "none"
