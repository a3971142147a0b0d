"""A Jetson's header behind the real Jetson.GPIO: only the system calls are replaced, everything above runs as it is.

All state is files under one folder, so that it outlives a killed process: ``pwm/pwmchip0/pwm0/duty_cycle`` as the
kernel shows it, and ``lines/50`` with the level of line 50.
"""

from __future__ import annotations

import builtins
import errno
import fcntl
import io
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

Patch = Callable[[Any, str, Any], None]
_CHIP_INFO, _LINE_HANDLE, _GET_VALUES, _SET_VALUES = 0x8044B401, 0xC16CB403, 0xC040B408, 0xC040B409
_PLATFORM = "/sys/bus/platform/devices/"
ORIN_NANO_PWM = ("3280000.pwm", "32c0000.pwm", "32e0000.pwm")
"""Of pins 15, 33 and 32."""


class _Attribute(io.StringIO):
    """A sysfs file: each flush is one write that the kernel takes whole or refuses."""

    def __init__(self, path: Path, store: Callable[[Path, str], None]) -> None:
        super().__init__(path.read_text())
        self._path, self._store = path, store
        self._new = ""

    def write(self, text: str) -> int:
        self._new += text
        return len(text)

    def read(self, size: int | None = -1) -> str:
        return self._path.read_text()

    def flush(self) -> None:
        new, self._new = self._new, ""
        if new:
            self._store(self._path, new)

    def close(self) -> None:
        self.flush()
        super().close()


class GpioModel:
    """``log`` holds what happened, in order: ("line 50", "0") is a level, ("pwmchip0 duty_cycle", "0") a pulse."""

    def __init__(self, root: Path, *, label: str = "tegra234-gpio", pwm: tuple[str, ...] = ORIN_NANO_PWM) -> None:
        self.pwm_class, self._lines, self._label = root / "pwm", root / "lines", label
        self._lines.mkdir(parents=True, exist_ok=True)
        self._chips = {name: self.pwm_class / f"pwmchip{number}" for number, name in enumerate(pwm)}
        for chip in self._chips.values():
            chip.mkdir(parents=True, exist_ok=True)
            for entrance in ("export", "unexport"):
                (chip / entrance).touch()
        self.forbidden: list[Path] = []
        self.cheap = False
        """Takes pulses without a look at them, to measure what is above."""
        self.log: list[tuple[str, str]] = []
        self._held: dict[int, int] = {}
        """Line by file."""

    def duty(self, chip: int) -> float:
        """From 0 to 1; 0 also when the output is disabled or not there."""
        told = self.pwm_class / f"pwmchip{chip}" / "pwm0"
        if not told.exists() or (told / "enable").read_text() != "1":
            return 0.0
        return int((told / "duty_cycle").read_text()) / int((told / "period").read_text())

    def level(self, line: int) -> int | None:
        """None for a line that nobody ever asked for."""
        told = self._lines / str(line)
        return int(told.read_text()) if told.exists() else None

    def install(self, patch: Patch = setattr) -> None:
        real = {name: getattr(os, name) for name in ("open", "access", "listdir")}
        real_open, real_exists, real_isdir = builtins.open, os.path.exists, os.path.isdir

        def fake_open(path: Any, flags: int, *rest: Any, **more: Any) -> int:
            opened: int = real["open"](os.devnull if path == "/dev/gpiochip0" else path, flags, *rest, **more)
            return opened

        def fake_access(path: Any, mode: int, **more: Any) -> bool:
            if Path(path) in self.forbidden or path == "/dev/gpiochip0":
                return Path(path) not in self.forbidden
            return bool(real["access"](self._here(path), mode, **more))

        def fake_listdir(path: Any = ".") -> list[str]:
            if path == "/dev/":
                return ["gpiochip0"]
            listed: list[str] = real["listdir"](self._here(path))
            return listed

        def fake_builtin(path: Any, mode: str = "r", *rest: Any, **more: Any) -> Any:
            here = self._here(path)
            return real_open(path, mode, *rest, **more) if here == path else _Attribute(Path(here), self._store)

        patch(os, "open", fake_open)
        patch(os, "access", fake_access)
        patch(os, "listdir", fake_listdir)
        patch(os.path, "exists", lambda path: real_exists(self._here(path)))
        patch(os.path, "isdir", lambda path: real_isdir(self._here(path)))
        patch(builtins, "open", fake_builtin)
        patch(fcntl, "ioctl", self._ioctl)

    def _here(self, path: Any) -> Any:
        """/sys/bus/platform/devices/3280000.pwm/pwm/pwmchip0/... in our folder."""
        if not isinstance(path, str) or not path.startswith(_PLATFORM):
            return path
        device, _, inside = path[len(_PLATFORM) :].partition("/")
        if device not in self._chips:
            return path
        below = inside.removeprefix("pwm").lstrip("/")
        if not below:
            # Only this device's chip is in here.
            shown = self._lines.parent / device
            (shown / self._chips[device].name).mkdir(parents=True, exist_ok=True)
            return str(shown)
        return str(self.pwm_class / below)

    def _store(self, path: Path, text: str) -> None:
        if self.cheap and path.name == "duty_cycle":
            return
        output = path.parent
        if path.name == "export":
            made = output / f"pwm{text}"
            made.mkdir()
            for name in ("period", "duty_cycle", "enable"):
                (made / name).write_text("0")
            return
        if path.name == "unexport":
            shutil.rmtree(output / f"pwm{text}")
            return
        value, period = int(text), int((output / "period").read_text())
        impossible = {
            "duty_cycle": value > period, "enable": value == 1 and period == 0,
            "period": value < int((output / "duty_cycle").read_text()) or value == 0,
        }  # fmt: skip
        if impossible[path.name]:
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
        path.write_text(text)
        self.log.append((f"{output.parent.name} {path.name}", text))

    def _ioctl(self, fd: int, request: int, argument: Any) -> int:
        if request == _CHIP_INFO:
            argument.label = self._label.encode()
        elif request == _LINE_HANDLE:
            self._take(argument)
        elif request in (_GET_VALUES, _SET_VALUES) and fd in self._held:
            if request == _SET_VALUES:
                self._set(self._held[fd], argument.values[0])
            argument.values[0] = self.level(self._held[fd])
        else:
            raise OSError(errno.ENOTTY, os.strerror(errno.ENOTTY))
        return 0

    def _take(self, request: Any) -> None:
        line = request.lineoffsets[0]
        told = self._lines / str(line)
        if any(held == line and _is_open(fd, told) for fd, held in self._held.items()):
            raise OSError(errno.EBUSY, os.strerror(errno.EBUSY))
        self._set(line, request.default_values[0])
        request.fd = os.open(told, os.O_RDONLY)
        self._held[request.fd] = line

    def _set(self, line: int, value: int) -> None:
        (self._lines / str(line)).write_text(str(value))
        self.log.append((f"line {line}", str(value)))


def _is_open(fd: int, told: Path) -> bool:
    try:
        return os.fstat(fd).st_ino == told.stat().st_ino
    except OSError:
        return False


def forget_the_library(forget: Callable[[str], None]) -> None:
    """So that the next import looks at the machine again."""
    for name in [name for name in sys.modules if name == "Jetson" or name.startswith("Jetson.")]:
        forget(name)
