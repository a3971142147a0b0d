"""A motor board of your own: here an Arduino that takes two numbers a line, the duties of both wheels in percent."""

from __future__ import annotations

from control.messages import DifferentialCommand, WheelCommand
from robot.motors.board import Board, duties
from robot.motors.serial.port import SerialPort
from robot.motors.settings import MotorSettings


class TwoNumbers:
    """Methods may raise OSError or MotorError; ``robot.motors.board.Board`` says what each must do."""

    takes = DifferentialCommand

    def __init__(self, port: SerialPort) -> None:
        self.name, self.hint = f"two-numbers board on {port}", port.hint
        self._port = port

    def open(self) -> None:
        self.stop()

    def write(self, command: WheelCommand) -> None:
        left, right = duties(command)
        self._port.write(f"{left * 100:.0f} {right * 100:.0f}\n".encode())

    def stop(self) -> None:
        # Also called by the guard, in a process of its own, on a board that was never opened.
        self._port.write(b"0 0\n")

    def close(self) -> None:
        self._port.close()


def make(settings: MotorSettings) -> Board:
    return TwoNumbers(SerialPort(settings.serial.port, baud=settings.serial.baud or 115_200))
