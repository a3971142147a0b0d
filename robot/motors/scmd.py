"""SparkFun Serial Controlled Motor Driver (SCMD) on I2C, with its failsafe timer set."""

from __future__ import annotations

from control.errors import MotorError
from control.messages import DifferentialCommand, WheelCommand
from robot.motors.board import duties
from robot.motors.i2c import I2cDevice

_DRIVE_A, _ENABLE, _FAILSAFE = 0x20, 0x70, 0x76
_STILL = 128
_TICK_S = 0.01


class Scmd:
    takes = DifferentialCommand

    def __init__(self, device: I2cDevice, *, watchdog_s: float = 0.2) -> None:
        self.name, self.hint = f"SparkFun SCMD at {device}", device.hint
        self._device = device
        self._watchdog = min(max(round(watchdog_s / _TICK_S), 1), 255)

    def open(self) -> None:
        """The failsafe timer is off after a reset: without it a lost bus would leave the motors running."""
        self.stop()
        self._device.write(_FAILSAFE, self._watchdog)
        if self._device.read(_FAILSAFE, 1)[0] != self._watchdog:
            raise MotorError(f"{self.name}: does not keep its failsafe timer; update its firmware")
        self._device.write(_ENABLE, 1)

    def write(self, command: WheelCommand) -> None:
        # 0 and 255 are full speed; both ends are kept symmetric about 128.
        self._device.write(_DRIVE_A, *(_STILL + round(duty * 127) for duty in duties(command)))

    def stop(self) -> None:
        self._device.write(_DRIVE_A, _STILL, _STILL)

    def close(self) -> None:
        self._device.close()
