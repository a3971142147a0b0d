"""INA219 on I2C: the battery's voltage and current, as on Waveshare's JetBot and JetRacer boards."""

from __future__ import annotations

from control.errors import MotorError
from robot.motors.i2c import I2cDevice

_CONFIG, _SHUNT, _BUS = 0x00, 0x01, 0x02
_AVERAGE_OF_32 = 0x3EEF
"""32 V, 320 mV, both averaged over 32 conversions, for ever: 34 ms a reading, free of the motors' pulses."""
_SHUNT_OHM = 0.1
_BUS_STEP_V, _SHUNT_STEP_V = 0.004, 10e-6


class Ina219:
    """Big-endian words. Methods raise OSError or MotorError."""

    def __init__(self, device: I2cDevice) -> None:
        self.name, self.hint = f"INA219 at {device}", device.hint
        self._device = device

    def open(self) -> None:
        """Another kind of chip at this address is refused before its numbers are believed."""
        self._device.write(_CONFIG, *_AVERAGE_OF_32.to_bytes(2, "big"))
        kept = self._word(_CONFIG)
        if kept != _AVERAGE_OF_32:
            raise MotorError(f"{self.name}: keeps 0x{kept:04x} instead of its settings; another chip? {self.hint}")

    def voltage_v(self) -> float:
        """At the battery's side, above three flags."""
        return (self._word(_BUS) >> 3) * _BUS_STEP_V

    def current_a(self) -> float:
        """Positive out of the battery."""
        raw = self._word(_SHUNT)
        return (raw - 0x10000 if raw & 0x8000 else raw) * _SHUNT_STEP_V / _SHUNT_OHM

    def close(self) -> None:
        self._device.close()

    def _word(self, register: int) -> int:
        return int.from_bytes(self._device.read(register, 2), "big")
