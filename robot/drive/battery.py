"""The battery for the supervisor, read beside the loop: a slow or stuck bus must not cost it a pass."""

from __future__ import annotations

from collections.abc import Callable
from math import inf, nan
from threading import Event, Thread
from time import monotonic

from control.errors import ConfigError, MotorError
from robot.drive.health import Gauge, not_measured
from robot.motors.board import Voltmeter
from robot.motors.boards import make_board
from robot.motors.i2c import I2cDevice
from robot.motors.ina219 import Ina219
from robot.motors.settings import BatterySettings, MotorSettings

_PERIOD_S = 0.25
_STALE_S = 1.5
_CLOSE_S = 1.0
_SILENT_S = 2.0
"""A board that has not told its voltage by then never will."""
FULLEST_CELL_V = 4.4
"""No lithium cell: there are more of them than was said, and each would count as full until it is dead."""


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


class BoardGauge:
    """What the motor board tells of its supply: asked through the motors, so that nobody else is on its wire.

    NaN, a fault, until it has told and when it has been silent for 1.5 s.
    """

    def __init__(self, motors: Voltmeter, settings: BatterySettings) -> None:
        self._motors, self._settings = motors, settings
        self._newest: tuple[float, float] | None = None
        self._began_s: float | None = None
        self._due_s = -inf

    def __call__(self, now_s: float) -> float | None:
        """Raises ConfigError, and MotorError when the board has never told anything."""
        self._began_s = now_s if self._began_s is None else self._began_s
        if now_s >= self._due_s:
            self._due_s = now_s + _PERIOD_S
            self._ask(now_s)
        if self._newest is None:
            if now_s - self._began_s > _SILENT_S:
                raise MotorError("battery: the motor board tells no voltage; check its wire or set battery.sensor=none")
            return nan
        value, stamp_s = self._newest
        return value if now_s - stamp_s <= _STALE_S else nan

    def _ask(self, now_s: float) -> None:
        try:
            volts = self._motors.battery_v()
        except MotorError:
            # The command that follows meets the same wire, and its error ends the drive.
            return
        if volts is not None:
            self._newest = (_of_a_cell(volts, self._settings), now_s)


def cell_voltage(settings: BatterySettings, *, board: MotorSettings, motors: object) -> Gauge:
    """Volts of one cell. ``motors`` drive ``board``. Raises ConfigError, and MotorError when the sensor is silent."""
    if settings.sensor == "none" or (settings.sensor == "board" and board.driver in ("dry-run", "sim")):
        return not_measured
    if settings.sensor == "board":
        if not (isinstance(make_board(board), Voltmeter) and isinstance(motors, Voltmeter)):
            raise ConfigError(
                f"battery.sensor: the motor board '{board.driver}' tells no voltage; "
                "set battery.sensor=ina219 where there is one, else battery.sensor=none"
            )
        return BoardGauge(motors, settings)
    sensor = Ina219(I2cDevice(settings.address, bus=settings.bus))
    try:
        sensor.open()
        _of_a_cell(sensor.voltage_v(), settings)
        return BackgroundGauge(lambda: sensor.voltage_v() / settings.cells)
    except OSError as error:
        sensor.close()
        raise MotorError(f"{sensor.name}: {error}; {sensor.hint}, or set battery.sensor=none") from error


def _of_a_cell(volts: float, settings: BatterySettings) -> float:
    """Raises ConfigError: with too few cells a flat battery would pass for a full one."""
    cell_v = volts / settings.cells
    if cell_v > FULLEST_CELL_V:
        raise ConfigError(
            f"battery.cells: {volts:.1f} V would be {cell_v:.1f} V in each of {settings.cells}, and 4.2 V is full; "
            "count the cells in series, or set battery.sensor=none for another kind of supply"
        )
    return cell_v
