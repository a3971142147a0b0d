"""An emergency switch on the header, normally closed: a pressed switch, a broken wire and a lost plug all read high.

Wiring: the switch between pin and ground, 10 kOhm from the pin to 3.3 V. Jetson.GPIO sets no pull-up by itself.
"""

from __future__ import annotations

from types import TracebackType
from typing import Any

from control.errors import DeviceError
from robot.header import HeaderErrors, header_gpio
from robot.teleop.switch import Wish

_ADVICE = "choose a free GPIO of the header, or leave emergency_stop.pin empty"


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
        what = f"emergency_stop.pin={self._pin}"
        gpio = header_gpio(what, purpose=what, without="leave emergency_stop.pin empty", raises=DeviceError)
        try:
            # A pin that is no GPIO, a mode set by another library, a board that it does not know.
            with HeaderErrors(what, advice=_ADVICE, raises=DeviceError):
                gpio.setwarnings(False)
                gpio.setmode(gpio.BOARD)
                gpio.setup(self._pin, gpio.IN)
        except OSError as error:
            # Another program has it.
            raise DeviceError(f"{what}: {error}; {_ADVICE}") from error
        self._gpio = gpio
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        gpio, self._gpio = self._gpio, None
        if gpio is not None:
            gpio.cleanup(self._pin)
