"""What a motor board's driver costs a tick, apart from its wire. Prints JSON lines.

    python benchmarks/motors.py [--ticks 2000]

Processor time of this process in ``BoardMotors.apply``, with the real libraries over a wire that costs next to nothing:
an I2C ioctl that only says yes, a pty whose other end another process reads, header pins as plain files. The best of
five runs, since everything else on the machine only adds to it.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
import tty
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
if __name__ == "__main__":
    # In place of this folder, whose control.py would hide the package of that name.
    sys.path[0] = str(ROOT)

from benchmarks.results import emit  # noqa: E402
from control.messages import AckermannCommand, DifferentialCommand, WheelCommand  # noqa: E402
from robot.motors.board import Board, BoardMotors  # noqa: E402
from robot.motors.boards import make_board  # noqa: E402
from robot.motors.catalogue import Entry, catalogue  # noqa: E402
from robot.motors.settings import MotorSettings  # noqa: E402

TARGET_US = 100.0
RUNS = 5
_PEER = """
import os
os.write(1, b"ready")
while True:
    if os.read({master}, 4096) and {answers}:
        os.write({master}, b"\\xff")
"""


def ticks_us(motors: BoardMotors, *, count: int) -> float:
    """Processor time of one tick; commands change every time, and signs too."""
    wheels: list[WheelCommand] = [DifferentialCommand(left=0.3, right=-0.2), DifferentialCommand(left=-0.31, right=0.4)]
    if motors.board.takes is AckermannCommand:
        wheels = [AckermannCommand(steering=0.3, throttle=0.2), AckermannCommand(steering=-0.3, throttle=-0.1)]
    best = float("inf")
    for _ in range(RUNS):
        began_s = time.process_time()
        for number in range(count):
            motors.apply(wheels[number % 2])
        best = min(best, (time.process_time() - began_s) / count)
    return best * 1e6


@contextmanager
def i2c(settings: MotorSettings) -> Iterator[Board]:
    """Opened over the register model; the ticks then find an ioctl that does nothing."""
    import smbus2.smbus2 as real

    from tests.robot.i2c_model import I2cModel, install

    ioctl, opened = real.ioctl, os.open
    model = I2cModel(0x40, 0x5D, 0x60)
    install(model)
    try:
        yield _Cheap(make_board(settings), lambda: setattr(real, "ioctl", _says_yes))
    finally:
        real.ioctl, os.open = ioctl, opened


def _says_yes(*_: Any) -> int:
    return 0


class _Cheap:
    """A board whose wire becomes cheap once it is open."""

    def __init__(self, board: Board, cheapen: Any) -> None:
        self.name, self.hint, self.takes = board.name, board.hint, board.takes
        self._board, self._cheapen = board, cheapen
        self.write, self.stop, self.close = board.write, board.stop, board.close

    def open(self) -> None:
        self._board.open()
        self._cheapen()


@contextmanager
def serial(settings: MotorSettings) -> Iterator[Board]:
    master, slave = os.openpty()
    tty.setraw(slave)
    code = _PEER.format(master=master, answers=settings.driver == "roboclaw")
    peer = subprocess.Popen([sys.executable, "-c", code], pass_fds=[master], stdout=subprocess.PIPE)
    assert peer.stdout is not None
    peer.stdout.read(len(b"ready"))
    try:
        port = settings.serial.model_copy(update={"port": os.ttyname(slave)})
        yield make_board(settings.model_copy(update={"serial": port}))
    finally:
        peer.kill()
        peer.communicate()
        os.close(master)
        os.close(slave)


@contextmanager
def gpio(settings: MotorSettings) -> Iterator[Board]:
    import fcntl

    from robot.motors.gpio_hbridge import BridgePins, GpioBridge
    from tests.robot.gpio_model import GpioModel

    os.environ["JETSON_MODEL_NAME"] = "JETSON_ORIN_NANO"
    before: list[tuple[Any, str, Any]] = []

    def patch(place: Any, name: str, value: Any) -> None:
        before.append((place, name, getattr(place, name)))
        setattr(place, name, value)

    with TemporaryDirectory() as folder:
        model = GpioModel(Path(folder))
        model.install(patch)
        left, right = (BridgePins(**side.model_dump()) for side in (settings.gpio.left, settings.gpio.right))
        board = GpioBridge(left, right, pwm_class=model.pwm_class)
        ioctl = fcntl.ioctl

        def cheapen() -> None:
            fcntl.ioctl = _says_yes  # type: ignore[assignment]
            model.cheap = True

        try:
            yield _Cheap(board, cheapen)
        finally:
            fcntl.ioctl = ioctl
            for place, name, value in reversed(before):
                setattr(place, name, value)


def measure(entry: Entry, *, count: int) -> None:
    settings = MotorSettings.model_validate({"driver": entry.name, "vehicle": entry.vehicle})
    wire = {"smbus2": i2c, "pyserial": serial, "Jetson.GPIO": gpio}[entry.library]
    with wire(settings) as board, BoardMotors(board) as motors:
        cost_us = ticks_us(motors, count=count)
    context = f"{entry.library}, {count} ticks, best of {RUNS}; without the wire's own time"
    if entry.library == "pyserial":
        context += ", with the kernel's pty"
    emit(f"motor_driver_{entry.name}", cost_us, unit="us", target=TARGET_US, better="lower", context=context)


def main() -> None:
    parser = argparse.ArgumentParser(description="Processor time of each motor driver, a tick.")
    parser.add_argument("--ticks", type=int, default=2000)
    options = parser.parse_args()
    for entry in catalogue():
        if entry.vehicle:
            measure(entry, count=options.ticks)


if __name__ == "__main__":
    main()
