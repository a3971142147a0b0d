"""Boards around the PCA9685: the MotorHAT of a JetBot, its Waveshare twin, and the servo and ESC of a JetRacer.

The chip has no watchdog: what it was told last it does until it is told otherwise.
"""

from __future__ import annotations

from dataclasses import dataclass

from control.messages import AckermannCommand, DifferentialCommand, WheelCommand
from robot.motors.board import duties
from robot.motors.i2c import I2cDevice
from robot.motors.settling import Settle, settle

_MODE1, _PRESCALE, _ALL_OFF_HIGH = 0x00, 0xFE, 0xFD
_SLEEP, _AUTO_INCREMENT, _ALL_CALL = 0x10, 0x20, 0x01
_CHANNEL_0 = 0x06
_CLOCK_HZ = 25_000_000
_TOP = 0x0FFF
_FULL = 0x1000
_WAKE_S = 0.005
"""The oscillator needs 500 us; the maker's own driver waits ten times that."""

Pulse = tuple[int, int, int, int]
OFF: Pulse = (0x00, 0x00, 0x00, 0x10)
ON: Pulse = (0x00, 0x10, 0x00, 0x00)


def register_of(channel: int) -> int:
    return _CHANNEL_0 + 4 * channel


def pulse(count: int) -> Pulse:
    """High for ``count`` of 4096 steps."""
    return (0x00, 0x00, count & 0xFF, count >> 8)


def duty_pulse(duty: float) -> Pulse:
    """0 is fully off, so that noise on the last step moves nothing."""
    count = int(abs(duty) * _TOP)
    return pulse(count) if count else OFF


class Pca9685:
    """The chip: 16 channels of one frequency."""

    def __init__(self, device: I2cDevice, *, frequency_hz: float, wait: Settle = settle) -> None:
        self.device = device
        self._prescale = round(_CLOCK_HZ / 4096 / frequency_hz) - 1
        self._wait = wait

    def start(self) -> None:
        """All channels off first, then frequency, then awake."""
        self.all_off()
        self.device.write(_MODE1, _SLEEP | _AUTO_INCREMENT | _ALL_CALL)
        self.device.write(_PRESCALE, self._prescale)
        self.device.write(_MODE1, _AUTO_INCREMENT | _ALL_CALL)
        self._wait(_WAKE_S)

    def all_off(self) -> None:
        """One byte for all 16, whatever the state of the chip."""
        self.device.write(_ALL_OFF_HIGH, 0x10)

    def channels(self, first: int, *pulses: Pulse) -> None:
        """Neighbouring channels in one transaction: a robot's wheels change together or not at all."""
        self.device.write(register_of(first), *(byte for p in pulses for byte in p))


@dataclass(frozen=True, slots=True)
class _Bridge:
    """Channels of one MotorHAT output."""

    pwm: int
    in2: int
    in1: int


_HAT_FIRST = 8
_HAT = (_Bridge(8, 9, 10), _Bridge(13, 12, 11))


class MotorHat:
    """Adafruit MotorHAT or FeatherWing as on a JetBot: left on M1, right on M2."""

    takes = DifferentialCommand

    def __init__(self, device: I2cDevice, *, forward_in1: bool = False, wait: Settle = settle) -> None:
        """``forward_in1``: which input is high when driving forward; a JetBot is wired for IN2."""
        self.name, self.hint = f"MotorHAT at {device}", device.hint
        self._chip = Pca9685(device, frequency_hz=1600, wait=wait)
        self._forward_in1 = forward_in1

    def open(self) -> None:
        self._chip.start()

    def write(self, command: WheelCommand) -> None:
        block = [OFF] * 6
        for bridge, duty in zip(_HAT, duties(command), strict=True):
            if duty:
                high = bridge.in1 if (duty > 0) == self._forward_in1 else bridge.in2
                block[bridge.pwm - _HAT_FIRST] = duty_pulse(duty)
                block[high - _HAT_FIRST] = ON
        self._chip.channels(_HAT_FIRST, *block)

    def stop(self) -> None:
        self._chip.all_off()

    def close(self) -> None:
        self._chip.device.close()


class WaveshareJetBot:
    """Waveshare's JetBot board: each bridge's inputs are pulsed directly, left on 1 and 0, right on 2 and 3."""

    takes = DifferentialCommand

    def __init__(self, device: I2cDevice, *, wait: Settle = settle) -> None:
        self.name, self.hint = f"Waveshare JetBot board at {device}", device.hint
        self._chip = Pca9685(device, frequency_hz=1600, wait=wait)

    def open(self) -> None:
        self._chip.start()

    def write(self, command: WheelCommand) -> None:
        left, right = duties(command)
        self._chip.channels(
            0, duty_pulse(min(left, 0)), duty_pulse(max(left, 0)), duty_pulse(max(right, 0)), duty_pulse(min(right, 0))
        )

    def stop(self) -> None:
        self._chip.all_off()

    def close(self) -> None:
        self._chip.device.close()


@dataclass(frozen=True, slots=True, kw_only=True)
class ServoPulses:
    """Microseconds at -1, 0 and +1 of steering (positive: left) and throttle (positive: forward)."""

    steering: tuple[float, float, float]
    throttle: tuple[float, float, float]


def pulse_us(value: float, *, ends: tuple[float, float, float]) -> float:
    """Linear on either side of the centre."""
    low, centre, high = ends
    return centre + value * ((high - centre) if value >= 0 else (centre - low))


_SERVO_HZ = 50.0
_STEERING, _THROTTLE = 0, 1


def _servo(us: float) -> Pulse:
    return pulse(round(us * 1e-6 * _SERVO_HZ * 4096))


class JetRacerBoard:
    """Servo on channel 0, ESC on channel 1. An ESC arms on a neutral pulse and stops by one: off is no answer."""

    takes = AckermannCommand

    def __init__(self, device: I2cDevice, *, pulses: ServoPulses, wait: Settle = settle) -> None:
        self.name, self.hint = f"JetRacer servo board at {device}", device.hint
        self._chip = Pca9685(device, frequency_hz=_SERVO_HZ, wait=wait)
        self._pulses = pulses

    def open(self) -> None:
        self._chip.start()
        self.stop()

    def write(self, command: WheelCommand) -> None:
        steering, throttle = duties(command)
        # A servo that turns right on longer pulses gets its ends swapped in the settings.
        self._chip.channels(
            _STEERING,
            _servo(pulse_us(steering, ends=self._pulses.steering)),
            _servo(pulse_us(throttle, ends=self._pulses.throttle)),
        )

    def stop(self) -> None:
        """Steering is left where it is."""
        self._chip.channels(_THROTTLE, _servo(self._pulses.throttle[1]))

    def close(self) -> None:
        self._chip.device.close()


class WaveshareJetRacer:
    """Waveshare's JetRacer: a servo on one chip (0x40, channel 0), two bridges driven together on another (0x60)."""

    takes = AckermannCommand

    def __init__(self, servo: I2cDevice, motors: I2cDevice, *, pulses: ServoPulses, wait: Settle = settle) -> None:
        self.name, self.hint = f"Waveshare JetRacer board at {motors}", motors.hint
        self._servo = Pca9685(servo, frequency_hz=_SERVO_HZ, wait=wait)
        self._motors = Pca9685(motors, frequency_hz=1600, wait=wait)
        self._pulses = pulses

    def open(self) -> None:
        self._motors.start()
        self._servo.start()

    def write(self, command: WheelCommand) -> None:
        steering, throttle = duties(command)
        self._servo.channels(_STEERING, _servo(pulse_us(steering, ends=self._pulses.steering)))
        speed = duty_pulse(throttle)
        forward, back = (ON, OFF) if throttle > 0 else (OFF, ON) if throttle < 0 else (OFF, OFF)
        # Bridge A has its speed on 0 and its inputs on 1 and 2; bridge B its inputs on 5 and 6, its speed on 7 and,
        # by direction, on 3 or 4.
        ahead, astern = (speed, OFF) if throttle >= 0 else (OFF, speed)
        self._motors.channels(0, speed, forward, back, astern, ahead, back, forward, speed)

    def stop(self) -> None:
        self._motors.all_off()

    def close(self) -> None:
        self._servo.device.close()
        self._motors.device.close()
