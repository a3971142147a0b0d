"""Who answers on an I2C bus: one byte is asked of each address, nothing is written."""

from __future__ import annotations

import errno
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_FIRST, _LAST = 0x08, 0x77
"""What lies outside is reserved by the standard."""
_MOST_TIMEOUTS = 3
KNOWN = {
    0x3C: "display", 0x40: "servo chip", 0x41: "INA219", 0x48: "ADS1115", 0x5D: "SCMD", 0x60: "motor chip",
    0x68: "IMU", 0x70: "all PCA9685",
}  # fmt: skip
"""What usually sits there on a robot."""
_BUS_VOLTAGE = 0x02


@dataclass(frozen=True, slots=True, kw_only=True)
class Scan:
    answers: tuple[int, ...] = ()
    trouble: str = ""
    """Why there was no scan, or why it was given up."""
    gauge_v: float | None = None
    """At the battery's side of an INA219."""
    held: tuple[int, ...] = ()
    """Addresses whose chip a kernel driver has taken; they are there, but not for us."""


def scan(device: Path, *, gauge: int) -> Scan:
    """A Jetson asks an address in about 0.3 ms. Needs smbus2."""
    from smbus2 import SMBus

    try:
        bus = SMBus(str(device))
    except OSError as error:
        return Scan(trouble=error.strerror or str(error))
    answers, held, timeouts = [], [], 0
    with bus:
        for address in range(_FIRST, _LAST + 1):
            number = _asked(bus, address)
            if number == 0:
                answers.append(address)
            elif number == errno.EBUSY:
                held.append(address)
            timeouts = timeouts + 1 if number == errno.ETIMEDOUT else 0
            if timeouts == _MOST_TIMEOUTS:
                return Scan(trouble="stuck: a wire or a chip without power holds it low")
        gauge_v = _voltage(bus, gauge) if gauge in answers else None
    return Scan(answers=tuple(answers), held=tuple(held), gauge_v=gauge_v)


def _asked(bus: Any, address: int) -> int:
    """0 when it answers, else the error number."""
    try:
        bus.read_byte(address)
    except OSError as error:
        return error.errno or errno.EIO
    return 0


def _voltage(bus: Any, gauge: int) -> float | None:
    """Big-endian, in steps of 4 mV above three flags."""
    try:
        high, low = bus.read_i2c_block_data(gauge, _BUS_VOLTAGE, 2)
    except OSError:
        return None
    return float((high << 8 | low) >> 3) * 0.004
