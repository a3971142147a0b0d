"""Chips behind the real smbus2: its ``ioctl`` is replaced, everything above it runs as on a Jetson.

Works in child processes too: ``motorhat`` and its like below can be named as ``motors.driver`` in the settings. Every
transaction is then a line in the file that LINEPILOT_I2C_LOG names; when a file of that name with ``.fault`` exists,
the bus answers with the error number in it, and what was tried goes to ``.refused``.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from functools import partial
from pathlib import Path
from time import monotonic
from typing import Any

import smbus2.smbus2 as real

from robot.motors.board import Board
from robot.motors.boards import BOARDS
from robot.motors.settings import MotorSettings

Transaction = tuple[int, int, bytes]
"""Address, register, bytes written."""


class I2cModel:
    """256 registers an address, with auto-increment; addresses that are not there do not acknowledge."""

    def __init__(self, *addresses: int) -> None:
        self.chips = {address: bytearray(256) for address in addresses}
        self.words: dict[int, dict[int, int]] = {}
        """Chips whose registers are 16 bits wide, big-endian, as an INA219: address -> register -> value."""
        self.written: list[Transaction] = []
        self.fail: Callable[[], int | None] = lambda: None
        """Gives the error number with which the bus answers now."""
        self.watch: Callable[[Transaction], None] = lambda _: None
        self.refused: Callable[[Transaction], None] = lambda _: None
        """Is given what was tried while the bus fails."""
        self._addresses: dict[int, int] = {}
        """By file: each handle on the bus talks to its own chip."""

    def ioctl(self, fd: int, request: int, argument: Any) -> int:
        if request == real.I2C_FUNCS:
            argument.value = 0x0EFF0009
        elif request in (real.I2C_SLAVE, real.I2C_SLAVE_FORCE):
            self._addresses[fd] = argument
        elif request == real.I2C_SMBUS:
            self._transfer(self._addresses[fd], argument)
        else:
            raise OSError(errno.ENOTTY, "not modelled")
        return 0

    def _transfer(self, address: int, message: Any) -> None:
        number = self.fail()
        if number is None and address not in self.chips and address not in self.words:
            number = errno.EREMOTEIO
        if number is not None:
            tried = message.data.contents.block
            self.refused((address, int(message.command), bytes(tried[1 : tried[0] + 1])))
            raise OSError(number, os.strerror(number))
        block = message.data.contents.block
        if address in self.words:
            self._transfer_word(self.words[address], message.read_write, int(message.command), block)
            return
        chip = self.chips[address]
        if message.read_write == real.I2C_SMBUS_READ:
            block[1 : block[0] + 1] = list(chip[message.command : message.command + block[0]])
            return
        data = bytes(block[1 : block[0] + 1])
        chip[message.command : message.command + len(data)] = data
        done = (address, int(message.command), data)
        self.written.append(done)
        self.watch(done)

    @staticmethod
    def _transfer_word(chip: dict[int, int], direction: int, register: int, block: Any) -> None:
        if direction == real.I2C_SMBUS_READ:
            block[1:3] = list(chip[register].to_bytes(2, "big"))
        else:
            chip[register] = int.from_bytes(bytes(block[1:3]), "big")


def install(model: I2cModel, patch: Callable[[Any, str, Any], None] = setattr) -> None:
    opened = os.open

    def fake_open(path: Any, flags: int, *rest: Any, **more: Any) -> int:
        if isinstance(path, str) and path.startswith("/dev/i2c-"):
            path = os.devnull
        return opened(path, flags, *rest, **more)

    patch(real, "ioctl", model.ioctl)
    patch(real.os, "open", fake_open)


def _logged(name: str) -> Callable[[MotorSettings], Board]:
    def make(settings: MotorSettings) -> Board:
        log = Path(os.environ["LINEPILOT_I2C_LOG"])
        fault = log.with_suffix(".fault")
        model = I2cModel(0x40, 0x5D, 0x60)
        model.fail = lambda: int(fault.read_text()) if fault.exists() else None
        wire = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT)

        def note(file: int, done: Transaction) -> None:
            address, register, data = done
            os.write(file, f"{monotonic():.6f} {os.getpid()} {address:02x} {register:02x} {data.hex()}\n".encode())

        tried = os.open(log.with_suffix(".refused"), os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        model.watch, model.refused = partial(note, wire), partial(note, tried)
        install(model)
        return BOARDS[name](settings)

    return make


motorhat, jetracer, scmd = _logged("motorhat"), _logged("jetracer"), _logged("scmd")
waveshare_jetbot, waveshare_jetracer = _logged("waveshare-jetbot"), _logged("waveshare-jetracer")
