"""The computer itself: board, system, power, heat, disk, clock."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from control.faults import SupervisorSettings
from robot.doctor.finding import Finding, ok, problem, warning
from robot.doctor.machine import Machine

_GIB = 1024**3
_LITTLE_BYTES, _NOTHING_BYTES = 1 * _GIB, _GIB // 50
_JETPACK = {32: "4", 34: "5", 35: "5", 36: "6", 38: "7", 39: "7"}
"""By L4T's major release; its package, where installed, says it more exactly."""
_RELEASE = re.compile(r"R(\d+) \(release\), REVISION: ([\d.]+)")
_PACKAGE = re.compile(r"^Package: nvidia-jetpack$.*?^Version: (\S+)$", re.DOTALL | re.MULTILINE)
_MODE = re.compile(r"NV Power Mode: (\S+)")


def computer(machine: Machine, supervisor: SupervisorSettings) -> Iterator[Finding]:
    yield _board(machine)
    yield _system(machine)
    yield ok("Python", f"{'.'.join(str(number) for number in machine.python)}, {machine.architecture}")
    if machine.is_jetson:
        yield _power(machine)
    yield _heat(machine, supervisor)
    yield _disk(machine)
    yield _clock(machine)
    supply = _supply(machine)
    if supply:
        yield ok("supply", supply)


def _board(machine: Machine) -> Finding:
    model = machine.text("/proc/device-tree/model")
    if not model and machine.architecture == "aarch64" and machine.is_container:
        # Docker masks /sys/firmware, where the tree is; then the header's bus and pins cannot be known.
        fix = "docker run --security-opt systempaths=unconfined"
        return warning("board", "unknown: the container hides the device tree", fix)
    return ok("board", model or f"a computer without device tree, {machine.architecture}")


def _system(machine: Machine) -> Finding:
    release = _RELEASE.search(machine.text("/etc/nv_tegra_release"))
    inside = ", in a container" if machine.is_container else ""
    if release is None:
        name = re.search(r'^PRETTY_NAME="?([^"\n]+)', machine.text("/etc/os-release"), re.MULTILINE)
        return ok("system", f"{name.group(1) if name else 'unknown'}{inside}")
    package = _PACKAGE.search(machine.text("/var/lib/dpkg/status"))
    jetpack = package.group(1).partition("+")[0] if package else _JETPACK.get(int(release.group(1)), "unknown")
    return ok("system", f"JetPack {jetpack}, L4T {release.group(1)}.{release.group(2)}{inside}")


def _power(machine: Machine) -> Finding:
    said = machine.ask(["nvpmodel", "-q"])
    mode = _MODE.search(said or "")
    found = f"mode {mode.group(1)}" if mode else "mode unknown: nvpmodel does not say"
    # The third counter, of short peaks, climbs under any load and means little.
    sags = sum(_number(machine, path) for path in machine.found("/sys/class/hwmon/hwmon*/oc[12]_event_cnt"))
    if sags:
        fix = "give it a stronger power supply or battery; see sudo nvpmodel -q --verbose for the modes"
        return warning("power", f"{found}; slowed down {sags:.0f} times since boot, because its supply sagged", fix)
    return ok("power", found)


def _heat(machine: Machine, supervisor: SupervisorSettings) -> Finding:
    hottest, name = max(_temperatures(machine), default=(None, ""))
    if hottest is None:
        return ok("temperature", "no sensor")
    found = f"{hottest:.0f} C ({name})"
    if hottest > supervisor.too_hot_c:
        return problem(
            "temperature", f"{found}; the supervisor stops at {supervisor.too_hot_c:.0f} C", "let it cool down"
        )
    if hottest > supervisor.hot_c:
        return warning(
            "temperature", f"{found}; it is slowing down", "check fan and heat sink: sudo jetson_clocks --fan"
        )
    return ok("temperature", found)


def _temperatures(machine: Machine) -> Iterator[tuple[float, str]]:
    for zone in machine.found("/sys/class/thermal/thermal_zone*"):
        name = machine.text(zone / "type")
        value = machine.text(zone / "temp")
        # The power chip of a Nano and its kin always claims a round number.
        if re.fullmatch(r"-?\d+", value) and not name.startswith("PMIC"):
            yield int(value) / 1000, name


def _disk(machine: Machine) -> Finding:
    free = machine.free_bytes(Path.cwd())
    found = f"{free / _GIB:.1f} GB free here"
    if free < _NOTHING_BYTES:
        return problem("disk", found, "sudo apt clean; du -xh --max-depth=2 ~ | sort -h | tail")
    if free < _LITTLE_BYTES:
        return warning("disk", found, "sudo apt clean; du -xh --max-depth=2 ~ | sort -h | tail")
    return ok("disk", found)


def _clock(machine: Machine) -> Finding:
    said = machine.ask(["timedatectl", "show", "--property", "NTPSynchronized", "--value"])
    if said == "yes" or machine.path("/run/systemd/timesync/synchronized").exists():
        return ok("clock", "synchronised")
    if said is None:
        return ok("clock", "nobody here knows whether it is synchronised")
    return warning("clock", "not synchronised: dates of files and logs may be wrong", "sudo timedatectl set-ntp true")


def _supply(machine: Machine) -> str:
    """A battery that the kernel knows of, as a laptop's."""
    for supply in machine.found("/sys/class/power_supply/*"):
        if machine.text(supply / "type") == "Battery":
            volts = _number(machine, supply / "voltage_now") / 1e6
            return f"{machine.text(supply / 'capacity') or '?'} %, {volts:.2f} V"
    return ""


def _number(machine: Machine, path: Path) -> float:
    text = machine.text(path)
    return float(text) if re.fullmatch(r"-?\d+", text) else 0.0
