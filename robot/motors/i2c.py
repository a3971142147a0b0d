"""The I2C bus by smbus2: opened late, block writes, the header's bus by board."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from control.errors import MissingExtraError

if TYPE_CHECKING:
    from smbus2 import SMBus

_COMPATIBLE = Path("/proc/device-tree/compatible")
_BUS_BY_CHIP = {"tegra210": 1, "tegra186": 1, "tegra194": 8, "tegra234": 7, "tegra264": 7}
"""Pins 3 and 5 of the header: Nano, TX2, Xavier, Orin, Thor."""


def header_bus(compatible: Path = _COMPATIBLE) -> int:
    """Of the Jetson this runs on; 1 on anything else, as on a Raspberry Pi."""
    try:
        chips = compatible.read_bytes().decode("ascii", "replace")
    except OSError:
        return 1
    return next((bus for chip, bus in _BUS_BY_CHIP.items() if chip in chips), 1)


class I2cDevice:
    """One address on one bus. Methods raise OSError."""

    def __init__(self, address: int, *, bus: int | None = None) -> None:
        self.address = address
        self.bus = header_bus() if bus is None else bus
        self._wire: SMBus | None = None

    def __str__(self) -> str:
        return f"0x{self.address:02x} on I2C bus {self.bus}"

    @property
    def hint(self) -> str:
        return f"check power and wiring, and look for it with: i2cdetect -y -r {self.bus}"

    def write(self, register: int, *values: int) -> None:
        """One transaction: the register, then up to 32 bytes."""
        self._opened().write_i2c_block_data(self.address, register, list(values))

    def read(self, register: int, count: int) -> bytes:
        return bytes(self._opened().read_i2c_block_data(self.address, register, count))

    def close(self) -> None:
        wire, self._wire = self._wire, None
        if wire is not None:
            wire.close()

    def _opened(self) -> SMBus:
        if self._wire is None:
            try:
                from smbus2 import SMBus
            except ImportError as error:
                raise MissingExtraError("smbus2", extra="jetson", purpose=f"the I2C device {self}") from error
            self._wire = SMBus(self.bus)
        return self._wire
