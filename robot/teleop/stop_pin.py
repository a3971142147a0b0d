"""An emergency switch on the header, normally closed: a pressed switch, a broken wire and a lost plug all read high.

Wiring: the switch between pin and ground, 10 kOhm from the pin to 3.3 V. Jetson.GPIO sets no pull-up by itself.
"""

from __future__ import annotations

from types import TracebackType
from typing import Any

from control.errors import DeviceError, MissingExtraError
from robot.teleop.switch import Wish


class StopPin:
    def __init__(self, pin: int) -> None:
        """``pin`` by its number on the header (BOARD)."""
        self.name = f"the switch on pin {pin}"
        self._pin = pin
        self._gpio: Any = None

    def read(self, *, driving: bool) -> Wish:  # noqa: ARG002 - a switch means the same at any time
        gpio = self._gpio
        return Wish.NOTHING if gpio is not None and gpio.input(self._pin) == gpio.LOW else Wish.STOP

    def __enter__(self) -> StopPin:
        gpio = _library(self._pin)
        try:
            gpio.setwarnings(False)
            gpio.setmode(gpio.BOARD)
            gpio.setup(self._pin, gpio.IN)
        except (ValueError, RuntimeError, OSError) as error:
            # Its words for a pin that is no GPIO, that another program has, or a mode set by another library.
            raise DeviceError(
                f"emergency_stop.pin: pin {self._pin}: {error}; choose a free GPIO of the header"
            ) from error
        self._gpio = gpio
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        gpio, self._gpio = self._gpio, None
        if gpio is not None:
            gpio.cleanup(self._pin)


def _library(pin: int) -> Any:
    """Off a Jetson Jetson.GPIO fails on import, not on use."""
    try:
        from Jetson import GPIO
    except ImportError as error:
        raise MissingExtraError("Jetson.GPIO", extra="jetson", purpose=f"emergency_stop.pin={pin}") from error
    except (RuntimeError, OSError) as error:
        why = " ".join(str(error).split())
        raise DeviceError(f"emergency_stop.pin: no GPIO here ({why}); on a Jetson join the group gpio") from error
    return GPIO
