"""From a name in the robot file to a motor board: ours, those of installed packages, or ``module:factory``."""

from __future__ import annotations

from collections.abc import Callable
from difflib import get_close_matches
from importlib import import_module
from importlib.metadata import entry_points
from typing import Any

from control.errors import ConfigError
from control.messages import AckermannCommand
from robot.motors.board import Board
from robot.motors.settings import MotorSettings

ENTRY_POINTS = "linepilot.motors"
"""A package offers boards here: name -> callable that takes MotorSettings and gives a Board."""
Factory = Callable[[MotorSettings], Board]
_NO_BOARDS = ("dry-run", "sim")


def _i2c(settings: MotorSettings, usual: int) -> Any:
    from robot.motors.i2c import I2cDevice

    address = settings.i2c.address
    return I2cDevice(usual if address is None else address, bus=settings.i2c.bus)


def _serial(settings: MotorSettings, usual_baud: int) -> Any:
    from robot.motors.serial.port import SerialPort

    return SerialPort(settings.serial.port, baud=settings.serial.baud or usual_baud)


def _pulses(settings: MotorSettings) -> Any:
    from robot.motors.pca9685 import ServoPulses

    return ServoPulses(steering=settings.servo.steering_us, throttle=settings.servo.throttle_us)


def _motorhat(settings: MotorSettings) -> Board:
    from robot.motors.pca9685 import MotorHat

    return MotorHat(_i2c(settings, 0x60), forward_in1=settings.forward_in1)


def _waveshare_jetbot(settings: MotorSettings) -> Board:
    from robot.motors.pca9685 import WaveshareJetBot

    return WaveshareJetBot(_i2c(settings, 0x60))


def _scmd(settings: MotorSettings) -> Board:
    from robot.motors.scmd import Scmd

    return Scmd(_i2c(settings, 0x5D), watchdog_s=settings.watchdog_s)


def _jetracer(settings: MotorSettings) -> Board:
    from robot.motors.pca9685 import JetRacerBoard

    return JetRacerBoard(_i2c(settings, settings.i2c.servo_address), pulses=_pulses(settings))


def _waveshare_jetracer(settings: MotorSettings) -> Board:
    from robot.motors.i2c import I2cDevice
    from robot.motors.pca9685 import WaveshareJetRacer

    servo = I2cDevice(settings.i2c.servo_address, bus=settings.i2c.bus)
    return WaveshareJetRacer(servo, _i2c(settings, 0x60), pulses=_pulses(settings))


def _gpio(settings: MotorSettings) -> Board:
    from robot.motors.gpio_hbridge import BridgePins, GpioBridge

    left, right = (BridgePins(**side.model_dump()) for side in (settings.gpio.left, settings.gpio.right))
    return GpioBridge(left, right, frequency_hz=settings.gpio.frequency_hz)


def _esp32(settings: MotorSettings) -> Board:
    from robot.motors.serial.esp32_json import Esp32Json

    return Esp32Json(_serial(settings, 115_200), watchdog_s=settings.watchdog_s)


def _vesc(settings: MotorSettings) -> Board:
    from robot.motors.serial.vesc import Vesc

    return Vesc(_serial(settings, 115_200))


def _roboclaw(settings: MotorSettings) -> Board:
    from robot.motors.serial.roboclaw import RoboClaw

    return RoboClaw(_serial(settings, 38_400), address=settings.serial.address, watchdog_s=settings.watchdog_s)


def _sabertooth(settings: MotorSettings) -> Board:
    from robot.motors.serial.sabertooth import Sabertooth

    return Sabertooth(_serial(settings, 9600), address=settings.serial.address, watchdog_s=settings.watchdog_s)


def _motoron(settings: MotorSettings) -> Board:
    from robot.motors.serial.motoron import Motoron

    return Motoron(_serial(settings, 115_200), watchdog_s=settings.watchdog_s)


BOARDS: dict[str, Factory] = {
    "motorhat": _motorhat,
    "waveshare-jetbot": _waveshare_jetbot,
    "scmd": _scmd,
    "jetracer": _jetracer,
    "waveshare-jetracer": _waveshare_jetracer,
    "gpio": _gpio,
    "esp32-json": _esp32,
    "vesc": _vesc,
    "roboclaw": _roboclaw,
    "sabertooth": _sabertooth,
    "motoron": _motoron,
}


def names() -> list[str]:
    """Ours first, then those that installed packages bring."""
    return [*BOARDS, *sorted(entry.name for entry in entry_points(group=ENTRY_POINTS))]


def make_board(settings: MotorSettings) -> Board:
    """Nothing is written yet. Raises ConfigError."""
    board = _factory(settings.driver)(settings)
    vehicle = "ackermann" if board.takes is AckermannCommand else "differential"
    if settings.vehicle != vehicle:
        raise ConfigError(f"motors.vehicle: {settings.driver} drives another kind; set motors.vehicle={vehicle}")
    return board


def _factory(name: str) -> Factory:
    if name in BOARDS:
        return BOARDS[name]
    for entry in entry_points(group=ENTRY_POINTS, name=name):
        return _imported(entry.value)
    if ":" in name:
        return _imported(name)
    raise _unknown(name)


def require_known(name: str) -> None:
    """Without loading anything; a ``module:factory`` is believed. Raises ConfigError."""
    if ":" not in name and name not in (*_NO_BOARDS, *names()):
        raise _unknown(name)


def _unknown(name: str) -> ConfigError:
    near = get_close_matches(name, [*names(), *_NO_BOARDS], n=1)
    hint = f"did you mean '{near[0]}'?" if near else f"known: {', '.join((*_NO_BOARDS, *names()))}"
    return ConfigError(f"motors.driver: unknown motors '{name}'; {hint}")


def _imported(place: str) -> Factory:
    module, _, attribute = place.partition(":")
    try:
        found: Factory = getattr(import_module(module), attribute)
    except (ImportError, AttributeError, ValueError) as error:
        raise ConfigError(f"motors.driver: '{place}' cannot be loaded ({error}); install its package first") from error
    return found
