"""An H-bridge on the header's pins by Jetson.GPIO: L298N and TB6612 (PWM and two inputs), DRV8833 (two inputs)."""

from __future__ import annotations

import os
from contextlib import redirect_stderr
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any

from control.errors import ConfigError, MotorError
from control.messages import DifferentialCommand, WheelCommand
from robot.header import MAY_USE, HeaderErrors, header_gpio
from robot.motors.board import duties

_PWM_CLASS = Path("/sys/class/pwm")
_EXPORTED = "pwmchip*/pwm*"
_ENABLED = "the header's PWM is enabled: sudo /opt/nvidia/jetson-io/jetson-io.py"


@dataclass(frozen=True, slots=True, kw_only=True)
class BridgePins:
    """BOARD numbers. A DRV8833 has no ``enable``: ``in1`` is pulsed and ``in2`` stays low, so it drives forward only.

    Driven backwards its pauses would be pulses, and whoever stops the pulses from outside would start the motor.
    """

    in1: int
    in2: int
    enable: int | None = None
    """The PWM pin of an L298N or TB6612."""

    @property
    def pwm(self) -> int:
        return self.in1 if self.enable is None else self.enable

    @property
    def levels(self) -> tuple[int, ...]:
        """Pins that are only high or low."""
        return (self.in2,) if self.enable is None else (self.in1, self.in2)


class GpioBridge:
    """Two bridges. Every pin is low before it becomes an output: ``setup`` alone would drive it high."""

    takes = DifferentialCommand
    hint = f"check that no other program has these pins, and that {_ENABLED}"

    def __init__(
        self, left: BridgePins, right: BridgePins, *, frequency_hz: float = 1000.0, pwm_class: Path = _PWM_CLASS
    ) -> None:
        """``pwm_class``: where the kernel shows its PWM chips."""
        self.name = f"H-bridge on pins {left.pwm} and {right.pwm}"
        pins = [pin for bridge in (left, right) for pin in {bridge.pwm, *bridge.levels}]
        if len(set(pins)) != len(pins):
            raise ConfigError(f"motors: a pin is used twice in {sorted(pins)}; give every input a pin of its own")
        self._bridges = (left, right)
        self._frequency_hz = frequency_hz
        self._pwm_class = pwm_class
        self._gpio: Any = None
        self._pwm: list[Any] = []

    def open(self) -> None:
        gpio = header_gpio(
            "GPIO", purpose="driving the header's pins", without="use motors.driver=dry-run", raises=MotorError
        )
        self._check_pins(gpio)
        self._gpio = gpio
        with HeaderErrors(self.name, advice=self.hint, raises=MotorError):
            gpio.setwarnings(False)
            gpio.setmode(gpio.BOARD)
            # Pulses before levels: making a PWM closes the library's one handle on the chip, and a pin that was set up
            # with it would close that number once more, whatever file it has become by then.
            for bridge in self._bridges:
                gpio.setup(bridge.pwm, gpio.OUT, initial=gpio.LOW)
                pulses = gpio.PWM(bridge.pwm, self._frequency_hz)
                pulses.start(0)
                self._pwm.append(pulses)
            for bridge in self._bridges:
                for pin in bridge.levels:
                    gpio.setup(pin, gpio.OUT, initial=gpio.LOW)

    def write(self, command: WheelCommand) -> None:
        gpio = self._gpio
        for bridge, pulses, duty in zip(self._bridges, self._pwm, duties(command), strict=True):
            if bridge.enable is None:
                pulses.ChangeDutyCycle(100 * max(duty, 0.0))
            else:
                gpio.output(bridge.in1, gpio.HIGH if duty > 0 else gpio.LOW)
                gpio.output(bridge.in2, gpio.HIGH if duty < 0 else gpio.LOW)
                pulses.ChangeDutyCycle(100 * abs(duty))

    def stop(self) -> None:
        """From another process the pins cannot be had, but their pulses can be ended."""
        if self._gpio is None:
            end_pulses(self._pwm_class)
            return
        for pulses in self._pwm:
            pulses.ChangeDutyCycle(0)
        for bridge in self._bridges:
            for pin in bridge.levels:
                self._gpio.output(pin, self._gpio.LOW)

    def close(self) -> None:
        """``cleanup`` alone would leave the level as it was."""
        gpio, pwm = self._gpio, self._pwm
        self._gpio, self._pwm = None, []
        if gpio is None:
            return
        for pulses in pwm:
            pulses.ChangeDutyCycle(0)
            pulses.stop()
        gpio.cleanup([pin for bridge in self._bridges for pin in (bridge.pwm, *bridge.levels)])

    def _check_pins(self, gpio: Any) -> None:
        """Raises MotorError. The library says less, and its half-made PWM complains once more when it is dropped."""
        # What it warns of it has already said at its import.
        with HeaderErrors(self.name, advice=self.hint, raises=MotorError), redirect_stderr(StringIO()):
            model, _, channels = gpio.gpio_pin_data.get_data()
        header = channels["BOARD"]
        with_pwm = sorted(pin for pin, info in header.items() if info.pwm_chip_dir is not None)
        for bridge in self._bridges:
            for pin in bridge.levels:
                if pin not in header:
                    raise MotorError(f"GPIO: pin {pin} of the header is no GPIO on {model}; set motors.gpio")
            if bridge.pwm not in with_pwm:
                able = ", ".join(map(str, with_pwm)) or f"none; see that {_ENABLED}"
                raise MotorError(
                    f"GPIO: pin {bridge.pwm} has no PWM on {model} as it is set up; those that have: {able}"
                )
            info = header[bridge.pwm]
            self._take_over(self._pwm_class / Path(info.pwm_chip_dir).name, number=info.pwm_id)

    @staticmethod
    def _take_over(chip: Path, *, number: int) -> None:
        """Ends what a killed process left behind. Raises MotorError; the library would wait for its rights for ever."""
        output = chip / f"pwm{number}"
        needed = output / "enable" if output.exists() else chip / "export"
        if not os.access(needed, os.W_OK):
            raise MotorError(f"GPIO: {needed} cannot be written to; {MAY_USE}")
        if output.exists():
            (output / "duty_cycle").write_text("0", encoding="ascii")


def end_pulses(pwm_class: Path = _PWM_CLASS) -> None:
    """Duty 0 on every PWM output that some process has asked for; the fan's belongs to the kernel and is not there."""
    for output in pwm_class.glob(_EXPORTED):
        (output / "duty_cycle").write_text("0", encoding="ascii")
