"""The ``motors:`` and ``battery:`` parts of the robot file."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

_STRICT = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class I2cSettings(BaseModel):
    model_config = _STRICT

    bus: int | None = Field(default=None, ge=0, le=20)
    """Empty is the header's bus of this board: 1 on Nano, 8 on Xavier, 7 on Orin."""
    address: int | None = Field(default=None, ge=3, le=0x77)
    """Empty is the board's usual one."""
    servo_address: int = Field(default=0x40, ge=3, le=0x77)
    """Of the servo chip, where motors and servo have one each."""


class SerialSettings(BaseModel):
    model_config = _STRICT

    port: str = "/dev/ttyUSB0"
    baud: int | None = Field(default=None, ge=1200, le=4_000_000)
    """Empty is the board's usual rate."""
    address: int = Field(default=0x80, ge=0x80, le=0x87)


class BridgeSettings(BaseModel):
    """Pins by their number on the header (BOARD)."""

    model_config = _STRICT

    in1: int = Field(ge=1, le=40)
    in2: int = Field(ge=1, le=40)
    enable: int | None = Field(default=None, ge=1, le=40)


class GpioSettings(BaseModel):
    model_config = _STRICT

    left: BridgeSettings = BridgeSettings(in1=29, in2=31, enable=32)
    right: BridgeSettings = BridgeSettings(in1=35, in2=37, enable=33)
    frequency_hz: float = Field(default=1000.0, ge=50, le=50_000)


class ServoSettings(BaseModel):
    """Pulses in microseconds at -1, 0 and +1; swap the ends of a servo that turns the other way."""

    model_config = _STRICT

    steering_us: tuple[float, float, float] = (750.0, 1500.0, 2250.0)
    throttle_us: tuple[float, float, float] = (750.0, 1500.0, 2250.0)


class MotorSettings(BaseModel):
    model_config = _STRICT

    driver: str = "sim"
    """sim, dry-run (moves nothing), a board's name as ``linepilot motors list`` prints it, or module:factory."""
    vehicle: Literal["differential", "ackermann"] = "differential"
    """Two driven wheels as a JetBot, or a steering servo and a throttle as a JetRacer."""
    i2c: I2cSettings = I2cSettings()
    serial: SerialSettings = SerialSettings()
    gpio: GpioSettings = GpioSettings()
    servo: ServoSettings = ServoSettings()
    forward_in1: bool = False
    """MotorHAT only: which input of a bridge is high when driving forward."""
    watchdog_s: float = Field(default=0.2, ge=0.05, le=2.0)
    """Of boards that have one: they stop by themselves after so long without a command."""
    guarded: bool = True
    """Drive the board from a process of its own, watched by another. False only to look for errors."""


class BatterySettings(BaseModel):
    model_config = _STRICT

    sensor: Literal["none", "ina219", "board"] = "none"
    """What measures the voltage: a chip on I2C, or the motor board itself (esp32-json, vesc, roboclaw). The supervisor
    slows down and stops by it. A lithium cell is full at 4.2 V."""
    bus: int | None = Field(default=None, ge=0, le=20)
    """Empty is the header's bus of this board."""
    address: int = Field(default=0x41, ge=3, le=0x77)
    cells: int = Field(default=3, ge=1, le=12)
    """In series."""
