"""``linepilot service``: drive at boot, under systemd's watch."""

from __future__ import annotations

import getpass
import grp
import os
import shutil
import subprocess
import sys
from argparse import Namespace
from pathlib import Path

from app.cli.options import add_settings, config_from, parser
from app.cli.systemd_unit import NAME, Unit
from control.errors import ConfigError, InputError, LinepilotError
from perception.files import replace_file
from robot.config import RobotConfig
from robot.doctor.wire import wire_of

_WHAT = """Drive at boot, as a service that systemd watches.

install    write the unit and enable it; it drives from the next boot on, or with: sudo systemctl start linepilot
uninstall  stop the drive and take the unit away
status     what the service is doing
show       print the unit that install would write

The service drives as soon as it starts. When its loop hangs for two seconds, or its process dies, the motors are
stopped and it starts again; when the supervisor stopped the drive, it stays stopped until it is started by hand."""
_EXAMPLE = """linepilot service show robot.yaml
  sudo $(which linepilot) service install robot.yaml
  linepilot service status"""
_UNITS = Path("/etc/systemd/system")
_GROUPS = ("gpio", "i2c", "video", "render", "dialout")
_NOT_BOOTED = "this machine, or this container, does not run systemd; without it start the drive yourself"
_NO_SYSTEMD = ("not been booted with systemd", "Failed to connect to bus")
_SHOWN = {
    "LoadState": "unit", "UnitFileState": "at boot", "ActiveState": "state", "SubState": "detail",
    "StatusText": "supervisor", "Result": "last result", "NRestarts": "restarts", "ActiveEnterTimestamp": "since",
}  # fmt: skip


def run(arguments: list[str]) -> int:
    options = parser("service", what=_WHAT, example=_EXAMPLE)
    add = options.add_argument
    add("action", choices=("install", "uninstall", "status", "show"))
    add_settings(options)
    add("--user", metavar="NAME", help="who drives; default: you, also under sudo")
    add("--restart", choices=("on-abnormal", "no"), default="no",
        help="after a crash or a hang: on-abnormal drives again by itself; default: no, stay stopped")  # fmt: skip
    add("--folder", type=Path, default=_UNITS, metavar="DIR", help=f"of the unit; default: {_UNITS}")
    chosen = options.parse(arguments)
    place = chosen.folder / f"{NAME}.service"
    if chosen.action == "status":
        return _status()
    if chosen.action == "uninstall":
        return _uninstall(place)
    text = _unit(chosen).text()
    if chosen.action == "show":
        print(text, end="")
        return 0
    return _install(place, text)


def _unit(chosen: Namespace) -> Unit:
    """Raises ConfigError."""
    files = [word for word in chosen.settings if "=" not in word]
    if any(word.startswith("profile:") for word in chosen.settings):
        raise ConfigError("a service needs a file that stays: linepilot config --profile NAME > robot.yaml")
    config = config_from(chosen.settings)
    if config.camera.source == "sim" or config.motors.driver == "sim":
        raise ConfigError("a service drives hardware; name a settings file with camera.source and motors.driver")
    where = Path(files[0]).absolute() if files else None
    return Unit(
        program=_program(),
        settings=(*([str(where)] if where else []), *(word for word in chosen.settings if "=" in word)),
        folder=str(where.parent if where else Path.cwd()), user=chosen.user or _user(), groups=_groups(),
        devices=_late_devices(config), restart=chosen.restart,
    )  # fmt: skip


def _program() -> tuple[str, ...]:
    """A service has no PATH of ours."""
    beside = Path(sys.executable).with_name(NAME)
    return (str(beside),) if beside.is_file() else (sys.executable, "-m", "app.cli.main")


def _user() -> str:
    return os.environ.get("SUDO_USER") or getpass.getuser()


def _groups() -> tuple[str, ...]:
    here = {group.gr_name for group in grp.getgrall()}
    return tuple(name for name in _GROUPS if name in here)


def _late_devices(config: RobotConfig) -> tuple[str, ...]:
    """USB may be slower than the boot."""
    kind, _, number = config.camera.source.partition(":")
    camera = f"/dev/video{number}" if kind == "usb" else ""
    return tuple(device for device in (camera, wire_of(config.motors).device) if device)


def _install(place: Path, text: str) -> int:
    if not os.access(place.parent, os.W_OK):
        raise InputError(f"{place}: cannot be written; run it as root: sudo {_program()[0]} service install ...")
    replace_file(place, text.encode())
    _systemctl("daemon-reload")
    _systemctl("enable", NAME)
    print(
        f"wrote {place}\ndrives from the next boot on, or now: sudo systemctl start {NAME}\nlog: journalctl -fu {NAME}"
    )
    return 0


def _uninstall(place: Path) -> int:
    if not place.exists():
        raise InputError(f"{place}: is not there; nothing to uninstall")
    if not os.access(place.parent, os.W_OK):
        raise InputError(f"{place}: cannot be removed; run it as root: sudo {_program()[0]} service uninstall")
    _systemctl("disable", "--now", NAME)
    place.unlink()
    _systemctl("daemon-reload")
    print(f"removed {place}")
    return 0


def _status() -> int:
    """0 while it drives, 1 otherwise."""
    told = _systemctl("show", NAME, "--property", ",".join(_SHOWN))
    values = dict(line.split("=", 1) for line in told.splitlines() if "=" in line)
    if values.get("LoadState") == "not-found":
        print("not installed; linepilot service install robot.yaml, or see `linepilot service --help`")
        return 1
    from rich.console import Console

    from app.cli.tables import facts

    Console().print(facts(f"{NAME}.service", [(name, values[key]) for key, name in _SHOWN.items() if values.get(key)]))
    return 0 if values.get("ActiveState") == "active" else 1


def _systemctl(*words: str) -> str:
    """Raises LinepilotError with systemd's own words."""
    program = shutil.which("systemctl")
    if program is None:
        raise LinepilotError(_NOT_BOOTED)
    done = subprocess.run([program, *words], check=False, capture_output=True, text=True)
    if done.returncode:
        said = " ".join(done.stderr.split()) or f"exit code {done.returncode}"
        if any(sign in said for sign in _NO_SYSTEMD):
            raise LinepilotError(_NOT_BOOTED)
        raise LinepilotError(f"systemctl {' '.join(words[:2])}: {said}")
    return done.stdout
