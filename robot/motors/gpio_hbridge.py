"""An H-bridge on the header's pins by Jetson.GPIO: L298N and TB6612 (PWM and two inputs), DRV8833 (two inputs)."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from control.errors import ConfigError, MissingExtraError, MotorError
from control.messages import DifferentialCommand, WheelCommand
from robot.motors.board import duties

_COMPATIBLE = Path("/proc/device-tree/compatible")
_MODEL_NAMES = ("JETSON_TESTING_MODEL_NAME", "JETSON_MODEL_NAME")
_EXPORTED_PWM = "pwmchip*/pwm*/duty_cycle"


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
    hint = "check that the header's PWM is enabled: sudo /opt/nvidia/jetson-io/jetson-io.py"

    def __init__(self, left: BridgePins, right: BridgePins, *, frequency_hz: float = 1000.0) -> None:
        self.name = f"H-bridge on pins {left.pwm} and {right.pwm}"
        pins = [pin for bridge in (left, right) for pin in {bridge.pwm, *bridge.levels}]
        if len(set(pins)) != len(pins):
            raise ConfigError(f"motors: a pin is used twice in {sorted(pins)}; give every input a pin of its own")
        self._bridges = (left, right)
        self._frequency_hz = frequency_hz
        self._gpio: Any = None
        self._pwm: list[Any] = []

    def open(self) -> None:
        gpio = self._gpio = _library()
        try:
            gpio.setmode(gpio.BOARD)
            gpio.setwarnings(False)
            for bridge in self._bridges:
                for pin in bridge.levels:
                    gpio.setup(pin, gpio.OUT, initial=gpio.LOW)
            for bridge in self._bridges:
                gpio.setup(bridge.pwm, gpio.OUT, initial=gpio.LOW)
                pulses = gpio.PWM(bridge.pwm, self._frequency_hz)
                pulses.start(0)
                self._pwm.append(pulses)
        except (ValueError, RuntimeError) as error:
            # Its words for a pin without PWM, an unknown pin, a pin mode set by another library.
            raise MotorError(f"{self.name}: {error}; {self.hint}") from error

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
            end_all_pulses()
            return
        for bridge, pulses in zip(self._bridges, self._pwm, strict=True):
            for pin in bridge.levels:
                self._gpio.output(pin, self._gpio.LOW)
            pulses.ChangeDutyCycle(0)

    def close(self) -> None:
        """``cleanup`` alone would leave the level as it was."""
        gpio, pwm = self._gpio, self._pwm
        self._gpio, self._pwm = None, []
        if gpio is None:
            return
        for pulses in pwm:
            pulses.ChangeDutyCycle(0)
            pulses.stop()
        gpio.cleanup([pin for bridge in self._bridges for pin in {bridge.pwm, *bridge.levels}])


def end_all_pulses(root: Path = Path("/sys/class/pwm")) -> None:
    """Duty 0 on every PWM output that some process has asked for; the fan's belongs to the kernel and is not there."""
    for duty in root.glob(_EXPORTED_PWM):
        duty.write_text("0", encoding="ascii")


def _library() -> Any:
    """Jetson.GPIO fails on import, not on use, when this is no Jetson."""
    if not _COMPATIBLE.exists() and not any(name in os.environ for name in _MODEL_NAMES):
        raise MotorError("GPIO: this is no Jetson, its header's pins cannot be driven; use motors.driver=dry-run")
    try:
        from Jetson import GPIO
    except ImportError as error:
        raise MissingExtraError("Jetson.GPIO", extra="jetson", purpose="driving the header's pins") from error
    except (RuntimeError, OSError) as error:
        raise MotorError(f"GPIO: {error}; your user must be in the group gpio") from error
    return GPIO
