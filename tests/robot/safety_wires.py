"""What is behind a motor board's plug, so that a test can see what was said last: an I2C bus, a serial line, pins.

Each can fail and be mended, as a cable that is pulled and put back.
"""

from __future__ import annotations

import errno
import os
import select
import sys
import tty
from contextlib import suppress
from pathlib import Path
from threading import Thread
from time import monotonic
from typing import Protocol

from robot.motors.board import Board
from robot.motors.gpio_hbridge import BridgePins, GpioBridge
from robot.motors.serial.checksums import crc16
from robot.motors.settings import MotorSettings
from tests.robot import i2c_model
from tests.robot.gpio_model import GpioModel

Said = tuple[float, bytes]
"""When, and what."""


class Wire(Protocol):
    environment: dict[str, str]
    port: str
    """Of a serial line."""

    def said(self) -> list[Said]:
        """All until now, oldest first."""
        ...

    def fail(self) -> None: ...

    def mend(self) -> None: ...

    def close(self) -> None: ...


class I2cBus:
    """The log that i2c_model writes; each transaction as ``60 fd 10``."""

    port = ""

    def __init__(self, folder: Path) -> None:
        self._log = folder / "bus.log"
        self._fault = self._log.with_suffix(".fault")
        self.environment = {"LINEPILOT_I2C_LOG": str(self._log)}

    def said(self) -> list[Said]:
        return _logged(self._log)

    def tried(self) -> list[Said]:
        """While the bus refused."""
        return _logged(self._log.with_suffix(".refused"))

    def fail(self) -> None:
        # Whole at once: the processes look at it at any moment.
        whole = self._fault.with_suffix(".new")
        whole.write_text(str(errno.EREMOTEIO))
        whole.rename(self._fault)

    def mend(self) -> None:
        self._fault.unlink()

    def close(self) -> None: ...


def _logged(log: Path) -> list[Said]:
    lines = log.read_text().splitlines() if log.exists() else []
    split = [line.split(" ", 2) for line in lines if line.count(" ") >= 4]
    return [(float(when), what.encode()) for when, _, what in split]


class SerialLine:
    """A pty behind a name that can be pulled and come back; a thread is the board, and acknowledges where one would."""

    def __init__(self, folder: Path, *, acknowledges: bool) -> None:
        self.environment: dict[str, str] = {}
        self._name = folder / "ttyBoard"
        self.port = str(self._name)
        self._acknowledges = acknowledges
        self._said: list[Said] = []
        self._waiting = b""
        self._plug()

    def said(self) -> list[Said]:
        return list(self._said)

    def answer(self, data: bytes) -> None:
        # What nobody reads is lost, as on a real line.
        with suppress(BlockingIOError):
            os.write(self._master, data)

    def fail(self) -> None:
        """Both ends are closed before anything more is read, and the name is gone."""
        self._name.unlink()
        self._plugged = False
        self._board.join()
        os.close(self._master)

    def mend(self) -> None:
        self._plug()

    def close(self) -> None:
        if self._plugged:
            self.fail()

    def _plug(self) -> None:
        self._master, slave = os.openpty()
        tty.setraw(slave)
        os.set_blocking(self._master, False)
        self._name.symlink_to(os.ttyname(slave))
        # Without an open end a read would fail until the first process opens it.
        self._plugged = True
        self._board = Thread(target=self._listen, args=(slave,), daemon=True)
        self._board.start()

    def _listen(self, slave: int) -> None:
        while self._plugged:
            if not select.select([self._master], [], [], 0.02)[0]:
                continue
            data = os.read(self._master, 4096)
            self._said.append((monotonic(), data))
            if self._acknowledges:
                self._acknowledge(data)
        os.close(slave)

    def _acknowledge(self, data: bytes) -> None:
        """One byte for every whole packet of a RoboClaw."""
        self._waiting += data
        while len(self._waiting) >= 2:
            length = {14: 5, 34: 8}.get(self._waiting[1], 1)
            if len(self._waiting) < length:
                return
            packet, self._waiting = self._waiting[:length], self._waiting[length:]
            if length > 1 and crc16(packet[:-2]) == int.from_bytes(packet[-2:], "big"):
                self.answer(b"\xff")


class Pins:
    """The kernel's files of a header with two PWM outputs; what is said is the state whenever it is looked at."""

    port = ""
    _CHIPS = (2, 1)
    """Of pins 32 and 33."""

    def __init__(self, folder: Path) -> None:
        self._model = GpioModel(folder / "header")
        self.environment = {"LINEPILOT_GPIO_ROOT": str(folder / "header"), "JETSON_MODEL_NAME": "JETSON_ORIN_NANO"}
        self._said: list[Said] = []
        self._plugged = True
        self._watch = Thread(target=self._look, daemon=True)
        self._watch.start()

    def said(self) -> list[Said]:
        return list(self._said)

    def _look(self) -> None:
        last = b""
        while self._plugged:
            with suppress(OSError, ValueError):
                state = b"pulses" if any(self._model.duty(chip) > 0 for chip in self._CHIPS) else b"still"
                if state != last:
                    self._said.append((monotonic(), state))
                    last = state
            select.select([], [], [], 0.001)

    def _outputs(self) -> list[Path]:
        return [self._model.pwm_class / f"pwmchip{chip}" / "pwm0" / "duty_cycle" for chip in self._CHIPS]

    def fail(self) -> None:
        """The files refuse to be written: this user is not root, or they are folders for a moment."""
        for output in self._outputs():
            # The model replaces the file when a duty is written, and for a moment there is none.
            for _ in range(1000):
                with suppress(FileNotFoundError):
                    output.rename(output.with_suffix(".kept"))
                    break
            output.mkdir()

    def mend(self) -> None:
        for output in self._outputs():
            output.rmdir()
            output.with_suffix(".kept").rename(output)

    def close(self) -> None:
        self._plugged = False
        self._watch.join()


def guardless(settings: MotorSettings) -> Board:
    """A board that only the actuator gets hold of."""
    if Path(sys.argv[0]).name == "guard.py":
        sys.exit("no second handle on this board")
    return i2c_model.motorhat(settings)


def gpio(settings: MotorSettings) -> Board:
    """``motors.driver`` for a child process: the header that LINEPILOT_GPIO_ROOT names."""
    model = GpioModel(Path(os.environ["LINEPILOT_GPIO_ROOT"]))
    model.install()
    left, right = (BridgePins(**side.model_dump()) for side in (settings.gpio.left, settings.gpio.right))
    return GpioBridge(left, right, pwm_class=model.pwm_class)
