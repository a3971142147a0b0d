"""Which wire a motor board hangs on, as far as the settings tell."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from robot.motors.i2c import header_bus
from robot.motors.settings import MotorSettings

_MOTOR_ADDRESS = {"motorhat": 0x60, "waveshare-jetbot": 0x60, "waveshare-jetracer": 0x60, "scmd": 0x5D}
_SERVO_CHIP = ("jetracer", "waveshare-jetracer")
_SERIAL = ("esp32-json", "vesc", "roboclaw", "sabertooth", "motoron")
_COMPATIBLE = Path("proc/device-tree/compatible")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wire:
    """Everything is empty for motors that need no wire, or for a board that others made."""

    bus: int | None = None
    """I2C."""
    addresses: tuple[int, ...] = ()
    """Where chips must answer on it."""
    port: str = ""
    gpio: bool = False

    @property
    def device(self) -> str:
        """The file in /dev that must be there, empty when there is none."""
        return self.port if self.port or self.bus is None else f"/dev/i2c-{self.bus}"


def wire_of(motors: MotorSettings, *, root: Path = Path("/")) -> Wire:
    name, i2c = motors.driver, motors.i2c
    if name in _SERIAL:
        return Wire(port=motors.serial.port)
    if name == "gpio":
        return Wire(gpio=True)
    usual = _MOTOR_ADDRESS.get(name)
    chips = [i2c.servo_address] if name in _SERVO_CHIP else []
    if usual is not None:
        chips.append(usual if i2c.address is None else i2c.address)
    if not chips:
        return Wire()
    return Wire(bus=header_bus(root / _COMPATIBLE) if i2c.bus is None else i2c.bus, addresses=tuple(chips))
