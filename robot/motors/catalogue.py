"""What each motor board drives and needs, for people who look for theirs."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.metadata import entry_points
from importlib.util import find_spec
from typing import Literal

from robot.motors.boards import BOARDS, ENTRY_POINTS
from robot.motors.i2c import header_bus

Vehicle = Literal["differential", "ackermann", ""]
_LIBRARIES = {"jetson": ("smbus2", "smbus2"), "gpio": ("Jetson", "Jetson.GPIO"), "serial": ("serial", "pyserial")}
"""What is imported, and the name of its package."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    name: str
    vehicle: Vehicle
    """Empty for a board of another package, which is not loaded to be listed."""
    what: str
    wire: str
    library: str = ""
    """That must be installed; empty when none."""
    missing: str = ""
    """How to install it; empty when it is there."""
    stops_itself: str = "no"
    """When nothing comes any more."""


def catalogue() -> list[Entry]:
    """Ours first, then those of other packages, then motors that are not there."""
    bus = header_bus()
    found = [
        _i2c("motorhat", "differential", "Adafruit MotorHAT, FeatherWing: JetBot", f"I2C bus {bus}, 0x60"),
        _i2c("waveshare-jetbot", "differential", "Waveshare JetBot", f"I2C bus {bus}, 0x60"),
        _i2c("scmd", "differential", "SparkFun SCMD: its JetBot", f"I2C bus {bus}, 0x5d", stops="after watchdog_s"),
        _i2c("jetracer", "ackermann", "PCA9685 with servo and ESC: JetRacer", f"I2C bus {bus}, 0x40"),
        _i2c("waveshare-jetracer", "ackermann", "Waveshare JetRacer", f"I2C bus {bus}, 0x40 and 0x60"),
        _entry("gpio", "differential", "L298N, TB6612, DRV8833", "header pins, two with PWM", key="gpio"),
        _serial("esp32-json", "Waveshare WAVE ROVER, UGV", 115_200, stops="after watchdog_s"),
        _serial("vesc", "VESC: F1TENTH", 115_200, stops="after 1 s, brakes", vehicle="ackermann"),
        _serial("roboclaw", "Basicmicro RoboClaw", 38_400, stops="after watchdog_s"),
        _serial("sabertooth", "Dimension Sabertooth", 9600, stops="after watchdog_s"),
        _serial("motoron", "Pololu Motoron", 115_200, stops="after watchdog_s"),
    ]
    assert [entry.name for entry in found] == list(BOARDS)
    for point in sorted(entry_points(group=ENTRY_POINTS), key=lambda point: point.name):
        package = f"{point.dist.name} {point.dist.version}" if point.dist else point.value
        found.append(Entry(name=point.name, vehicle="", what=f"of the package {package}", wire="", stops_itself=""))
    found.append(Entry(name="dry-run", vehicle="", what="moves nothing, for trying", wire="", stops_itself=""))
    return found


def _i2c(name: str, vehicle: Vehicle, what: str, wire: str, *, stops: str = "no") -> Entry:
    return _entry(name, vehicle, what, wire, key="jetson", stops=stops)


def _serial(name: str, what: str, baud: int, *, stops: str, vehicle: Vehicle = "differential") -> Entry:
    return _entry(name, vehicle, what, f"serial port, {baud} baud", key="serial", stops=stops)


def _entry(name: str, vehicle: Vehicle, what: str, wire: str, *, key: str, stops: str = "no") -> Entry:
    module, library = _LIBRARIES[key]
    extra = "serial" if key == "serial" else "jetson"
    missing = "" if find_spec(module) else f"pip install 'linepilot[{extra}]'"
    return Entry(name=name, vehicle=vehicle, what=what, wire=wire, library=library, missing=missing, stops_itself=stops)
