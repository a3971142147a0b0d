"""The battery for the supervisor, read beside the loop: a slow or stuck bus must not cost it a pass."""

from __future__ import annotations

from collections.abc import Callable
from math import nan
from threading import Event, Thread
from time import monotonic

from control.errors import MotorError
from robot.drive.health import Gauge, not_measured
from robot.motors.i2c import I2cDevice
from robot.motors.ina219 import Ina219
from robot.motors.settings import BatterySettings

_PERIOD_S = 0.25
_STALE_S = 1.5
_CLOSE_S = 1.0


class BackgroundGauge:
    """The newest reading of something that takes its time; NaN, a fault, when it fails or is older than 1.5 s.

    Its thread begins with the first call, and is a daemon: a read that hangs must not keep a program from ending.
    """

    def __init__(
        self, read: Callable[[], float], *, period_s: float = _PERIOD_S, now_s: Callable[[], float] = monotonic
    ) -> None:
        """Reads once at once. Raises what ``read`` raises."""
        self._read, self._period_s, self._now_s = read, period_s, now_s
        self._newest = (read(), now_s())
        self._thread: Thread | None = None
        self._closed = Event()

    def __call__(self, now_s: float) -> float | None:
        if self._thread is None:
            self._thread = Thread(target=self._run, name="gauge", daemon=True)
            self._thread.start()
        value, stamp_s = self._newest
        return value if now_s - stamp_s <= _STALE_S else nan

    def update(self) -> None:
        try:
            value = self._read()
        except OSError:
            # As bad as a sensor that says empty: the supervisor slows down and stops.
            value = nan
        self._newest = (value, self._now_s())

    def close(self) -> None:
        """A read that is under way may end within a second."""
        self._closed.set()
        if self._thread is not None:
            self._thread.join(_CLOSE_S)

    def _run(self) -> None:
        while not self._closed.wait(self._period_s):
            self.update()


def cell_voltage(settings: BatterySettings) -> Gauge:
    """Volts of one cell. Raises MotorError when the sensor does not answer."""
    if settings.sensor == "none":
        return not_measured
    sensor = Ina219(I2cDevice(settings.address, bus=settings.bus))
    try:
        sensor.open()
        return BackgroundGauge(lambda: sensor.voltage_v() / settings.cells)
    except OSError as error:
        sensor.close()
        raise MotorError(f"{sensor.name}: {error}; {sensor.hint}, or set battery.sensor=none") from error
